"""switcher.py - switch imports of running processes at a steady rate, and check every reply.

    switcher.py PATCH PER_SECOND STOP_FILE PID...

PATCH is a file, or NAME=RETVAL for a fault that is counted at every call of NAME and strikes at none.
Loads and reverts it in one process after the other through their FIFOs until STOP_FILE is
there, and leaves none of them patched. Prints how many switches were made and their median; exits
1 at the first reply that is not "done".
"""
import json
import os
import select
import subprocess
import sys
import time

REPLY_SECONDS = 20
NEVER = 2**32 - 1  # the highest nth= there is


def requests(patch):
    """What to send to have it, and to be rid of it."""
    if patch.startswith("/"):
        return f"load reply={{reply}} {patch}", "revert reply={reply} name=wrap"
    name = patch.split("=")[0]
    return (f"load reply={{reply}} fail={patch} nth={NEVER}",
            f"revert reply={{reply}} name=fail:{name}")


class Target:
    def __init__(self, pid):
        self.pid = pid
        self.loaded = False
        asked = subprocess.run(["hotpatch", "status", "--json", pid], capture_output=True)
        if asked.returncode != 0:
            raise SystemExit(f"switcher: process {pid}: {asked.stdout.decode()}")
        fifo = json.loads(asked.stdout)["status"]["fifo"]
        directory = os.path.dirname(fifo)
        self.name = f"switcher-{pid}.reply"
        self.path = os.path.join(directory, self.name)
        os.mkfifo(self.path, 0o600)
        owner = os.stat(directory)
        os.chown(self.path, owner.st_uid, owner.st_gid)
        self.replies = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.requests = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)

    def ask(self, line):
        os.write(self.requests, line.encode() + b"\n")
        text = b""
        while not text.endswith(b"\n"):
            if not select.select([self.replies], [], [], REPLY_SECONDS)[0]:
                raise SystemExit(f"switcher: process {self.pid} does not reply to: {line}")
            text += os.read(self.replies, 65536)
        reply = json.loads(text)
        if reply["result"] != "done":
            raise SystemExit(f"switcher: process {self.pid}, {line}: {text.decode()}")

    def switch(self, load, revert):
        start = time.monotonic()
        self.ask((revert if self.loaded else load).format(reply=self.name))
        self.loaded = not self.loaded
        return time.monotonic() - start

    def close(self):
        os.unlink(self.path)


def main():
    load, revert = requests(sys.argv[1])
    per_second, stop_file = float(sys.argv[2]), sys.argv[3]
    targets = []
    times = []
    try:
        for pid in sys.argv[4:]:
            targets.append(Target(pid))
        start = due = time.monotonic()
        while not os.path.exists(stop_file):
            times.append(targets[len(times) % len(targets)].switch(load, revert))
            due += 1 / per_second
            time.sleep(max(0, due - time.monotonic()))
        seconds = time.monotonic() - start
        for target in targets:
            if target.loaded:
                target.switch(load, revert)
    finally:
        for target in targets:
            target.close()
    times.sort()
    print(f"{len(times)} switches, {len(times) / seconds:.0f}/s, "
          f"median {times[len(times) // 2] * 1e6:.0f} us, slowest {times[-1] * 1e3:.0f} ms")


main()
