"""live.py - a set of flags, a host built with it, its process, and the command, for the tests of live edits."""
import atexit
import difflib
import fnmatch
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
OPTIMISATIONS = ["O0", "O1", "O2", "O3", "Os"]
KINDS = {
    "pie": ("-fPIE", "-pie"),
    "nopie": ("-fno-pie", "-no-pie"),
    "noplt": ("-fPIE -fno-plt", "-pie -Wl,-z,now"),
    "cet": ("-fPIE -fcf-protection=full", "-pie"),
    "fortify": ("-fPIE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -Wno-cpp", "-pie -Wl,-z,relro,-z,now"),
    "fcommon": ("-fPIE -fcommon", "-pie"),
    "gc": ("-fPIE -ffunction-sections -fdata-sections", "-pie -Wl,--gc-sections"),
}
COMPILERS = ["gcc", "clang"]
scratch = pathlib.Path(tempfile.mkdtemp(prefix="hotpatch-edits-"))
atexit.register(shutil.rmtree, scratch, ignore_errors=True)


class Wrong(Exception):
    """What the product must never do; or a host whose file is wrong."""


class Refused(Exception):
    """A refusal, by its code."""

    def __init__(self, code, text):
        super().__init__(code)
        self.code = code
        self.text = text


class Cell:
    """A set of flags."""

    def __init__(self, compiler, optimisation, kind):
        self.compiler, self.words = compiler, {compiler, optimisation, kind}
        self.name = f"{compiler}-{optimisation}-{kind}"
        self.compile = f"{compiler} -g -{optimisation} {KINDS[kind][0]}"
        self.link = KINDS[kind][1]


ALL_CELLS = [Cell(c, o, k) for c in COMPILERS for o in OPTIMISATIONS for k in KINDS]


def run(command, cwd, seconds=120, env=None):
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", timeout=seconds, env=env, shell=isinstance(command, str), check=False)
    return done.returncode, done.stdout, done.stderr


def must(command, cwd, env=None):
    status, out, err = run(command, cwd, env=env)
    if status:
        raise Wrong(f"{command}: {out}{err}")


class Host:
    """A program of an edit's sources, and its process."""

    def __init__(self, edit, cell, where, texts):
        self.edit, self.cell, self.where = edit, cell, where
        self.source, self.build = where / "src", where / "build"
        for folder in (self.source, self.build, where / "run"):
            folder.mkdir(parents=True, mode=0o755)
        (where / "run").chmod(0o700)
        shutil.copy(HERE / "host/probe.h", self.source)
        for name, lines in texts.items():
            (self.source / name).parent.mkdir(exist_ok=True)
            (self.source / name).write_text("".join(line + "\n" for line in lines))
        self.units = sorted(name for name in texts if name.endswith((".c", ".cc")))
        self.process, self.is_library = None, "library" in edit.options
        self.answers = 0
        self.addresses = None

    def target(self):
        return self.build / ("libedited.so" if self.is_library else "app")

    def make(self):
        flags = self.cell.compile + " " + self.edit.options.get("cflags", "")
        if self.is_library:
            flags = re.sub("-fPIE|-fno-pie", "-fPIC", flags)
        environment = dict(os.environ)
        environment.update(item.split("=", 1) for item in self.edit.options.get("env", "").split())
        commands, objects, libraries = [], [], ""
        for unit in self.units:
            made = unit.rpartition(".")[0].replace("/", "_") + ".o"
            command = f"{flags} -c -o {made} ../src/{unit}"
            if unit.endswith(".cc"):
                command = re.sub("^gcc", "g++", re.sub("^clang", "clang++", command))
                libraries = "-lstdc++"
            commands.append({"directory": str(self.build), "command": command, "file": f"../src/{unit}", "output": made})
            objects.append(made)
            must(command, self.build, environment)
        (self.build / "compile_commands.json").write_text(json.dumps(commands, indent=1))
        libraries += " " + self.edit.options.get("link", "")
        main = driver(self.cell)
        gc = "-Wl,--gc-sections" if "gc" in self.cell.words else ""
        if self.is_library:
            must(f"{self.cell.compiler} -shared {gc} -o libedited.so {' '.join(objects)} {libraries}", self.build)
            objects, libraries = [], "-L. -ledited -Wl,-rpath,'$ORIGIN'"
        must(f"{self.cell.compiler} {self.cell.link} -o app {' '.join(objects)} {main} {libraries} -pthread", self.build)

    def start(self, build):
        environment = dict(os.environ, HOTPATCH_DIR=str(self.where / "run"))
        if build:
            environment["LD_PRELOAD"] = str(build / "libhotpatch_preload.so")
        with open(self.where / "stderr", "wb") as errors:
            self.process = subprocess.Popen([self.build / "app"], cwd=self.where, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, env=environment)

    def line(self, text):
        try:
            self.process.stdin.write(f"{text}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        got, until = b"", time.monotonic() + 30
        while not got.endswith(b"\n.\n"):
            if not select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]:
                raise Wrong(f"no answer to {text}")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise Wrong(f"the host died ({self.process.wait()}): {(self.where / 'stderr').read_text(errors='replace')[-300:]}")
            got += piece
        return got[:-3].decode(errors="replace")

    def ask(self, number, expected, when):
        text, mark, state = self.line(number).partition("#")
        text = " / ".join(text.strip().splitlines())
        self.answers += 1
        if not mark:
            raise Wrong(f"{when}: no state in the answer to {number}: {text}")
        values, _, addresses = state.partition("@")
        values = values.split()
        if values != [str(self.answers)] * 8 + ["1"]:
            raise Wrong(f"{when}: the state is {' '.join(values)} at answer {self.answers}")
        if addresses != (self.addresses or addresses):
            raise Wrong(f"{when}: the state moved from {self.addresses} to {addresses}")
        self.addresses = addresses
        if text != expected and not fnmatch.fnmatchcase(text, expected.replace("[", "[[]")):
            raise Wrong(f"{when}: {number} is answered by {text!r}, must be {expected!r}")

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()


drivers, drivers_lock = {}, threading.Lock()


def driver(cell):
    """The object of driver.c for these flags: made once."""
    with drivers_lock:
        if cell.name not in drivers:
            made = scratch / f"driver-{cell.name}.o"
            must(f"{cell.compile} -c -o {made} {HERE / 'host/driver.c'}", scratch)
            drivers[cell.name] = made
        return drivers[cell.name]


class Command:
    """The command, for one host."""

    def __init__(self, build, host):
        self.program, self.host = build / "hotpatch", host
        self.environment = dict(os.environ, HOTPATCH_DIR=str(host.where / "run"))

    def __call__(self, *words):
        status, out, err = run([self.program, *map(str, words)], self.host.where, env=self.environment)
        if status:
            code = re.search(r"HP-[A-Z0-9-]+", err + out)
            if not code:
                raise Wrong(f"hotpatch {words[0]}: exit {status}: {out}{err}")
            raise Refused(code.group(), out + err)
        return out

    def build(self, diff, output):
        """Build a thin object; return the names of its functions."""
        (self.host.where / "fix.diff").write_text(diff)
        said = self("build", "--target", self.host.target(), "--build-dir", self.host.build, "--source", self.host.source, "-p1",
                    "fix.diff", "-o", output).splitlines()
        if not said or not re.fullmatch(r"\d+ functions", said[0]):
            raise Wrong(f"hotpatch build began with {said[:1]}")
        return said[1:1 + int(said[0].split()[0])]

    def load(self, name):
        self("load", self.host.process.pid, self.host.where / name)

    def revert(self, what="last"):
        self("revert", self.host.process.pid, what)


def difference(before, after):
    """The difference of two trees ({name: lines}) in unified form, with a/ and b/."""
    out = []
    for name in sorted(set(before) | set(after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            out += difflib.unified_diff([l + "\n" for l in old or []], [l + "\n" for l in new or []],
                                        f"a/{name}" if old is not None else "/dev/null",
                                        f"b/{name}" if new is not None else "/dev/null")
    return "".join(out)
