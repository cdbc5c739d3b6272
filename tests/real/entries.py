"""entries.py - replace, wrap and revert functions of running processes, and see each in their answers.

    entries.py CYCLES REPLACE WRAP ASKED PROBE... -- PID...

A cycle loads REPLACE, loads WRAP, which takes its place, and reverts it, in all processes at once:
by requests in their FIFOs, in each hundredth cycle in one of them by the command. After each step
every PROBE is put to what ASKED names, and the answer must be the step's. Prints how many cycles
there were, the seconds, kB by which the processes grew for each load, how many answers were seen.

ASKED and PROBE are
    lines:COMMAND  QUESTION=ORIGINAL,REPLACED,WRAPPED   COMMAND answers a line with a line
    http:PORT      PATH=ORIGINAL,REPLACED,WRAPPED       an answer is a status and a year: "200 2026"
    stream:FIFO    ,REPLACED,WRAPPED                    lines come unasked, numbered, after these words

A PID may be ask:QUESTION, which is put to what ASKED names; PID/N takes part in each Nth cycle.
"""
import http.client
import subprocess
import sys
import time

from asked import Target

# What is mapped, and what is allocated, for each load of a patch that stays. The allocator's own
# steps are not of a load.
KB_PER_LOAD = 64
KB_ONCE = 8192


class Lines:
    def __init__(self, command):
        self.process = subprocess.Popen(command, shell=True, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def answer(self, question, _):
        self.process.stdin.write(question + "\n")
        return self.process.stdout.readline().rstrip("\r\n")

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("entries: who was asked ended badly")


class Http:
    def __init__(self, port):
        self.port = int(port)

    def answer(self, path, _):
        """Each time a connection is made, so that one worker or another takes it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return f"{answer.status} {answer.headers['Date'].split()[3]}"

    def close(self):
        pass


class Stream:
    """No line is lost or comes twice, and after a switch those from before come first."""
    PIPE_BYTES = 65536

    def __init__(self, fifo):
        self.file = open(fifo)
        self.number = 0
        self.word = ""

    def answer(self, _, expected):
        for _ in range(self.PIPE_BYTES):
            word, _, number = self.file.readline().rstrip("\n").rpartition(" ")
            self.number += 1
            if number != str(self.number):
                return f"line {number} and not {self.number}"
            if word != self.word:
                self.word = word
                break
            if word == expected:
                break
        return self.word

    def close(self):
        self.file.close()


class Probes:
    count = 0

    def __init__(self, asked, probes):
        kind, _, where = asked.partition(":")
        self.asked = {"lines": Lines, "http": Http, "stream": Stream}[kind](where)
        self.probes = [(question, answers.split(","))
                       for question, _, answers in (probe.rpartition("=") for probe in probes)]

    def pid(self, text):
        """Itself, or the answer to `ask:QUESTION`."""
        return self.asked.answer(text[len("ask:"):], None) if text.startswith("ask:") else text

    def expect(self, step, what):
        for question, answers in self.probes:
            got = self.asked.answer(question, answers[step])
            self.count += 1
            if got != answers[step]:
                raise SystemExit(f"entries: {what}: {question}: {got}, not {answers[step]}")


def by_requests(targets, line):
    for target in targets:
        target.send(line)
    for target in targets:
        target.reply()


def by_command(targets, verb, operand):
    for target in targets:
        asked = subprocess.run(["hotpatch", verb, target.pid, operand], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if asked.returncode != 0:
            raise SystemExit(f"entries: {verb} {operand}: {asked.stdout}")


def cycle(targets, probes, patches, number):
    """Every hundredth asks one process by the command."""
    steps = [("load", patch) for patch in patches] + [("revert", "all")]
    hundred, rest = divmod(number, 100)
    commanded = [targets[hundred % len(targets)]] if rest == 99 else []
    others = [target for target in targets if target not in commanded and number % target.every == 0]
    for step, (verb, operand) in enumerate(steps):
        by_command(commanded, verb, operand)
        by_requests(others, f"{verb} reply={{reply}} {operand}")
        probes.expect((step + 1) % len(steps), f"cycle {number}, {verb} {operand}")


def allocated_kb(target):
    with open(f"/proc/{target.pid}/status") as status:
        return sum(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


def main():
    cycles, patches = int(sys.argv[1]), sys.argv[2:4]
    end = sys.argv.index("--")
    targets = []
    try:
        probes = Probes(sys.argv[4], sys.argv[5:end])
        for pid in sys.argv[end + 1:]:
            pid, _, every = pid.partition("/")
            targets.append(Target(probes.pid(pid)))
            targets[-1].every = int(every or 1)
        probes.expect(0, "before")
        before = [allocated_kb(target) for target in targets]
        start = time.monotonic()
        for number in range(cycles):
            cycle(targets, probes, patches, number)
        seconds = time.monotonic() - start
        grown = [allocated_kb(target) - kb for target, kb in zip(targets, before)]
    finally:
        for target in targets:
            target.close()
    probes.asked.close()
    if max(grown) > KB_ONCE + 2 * cycles * KB_PER_LOAD:
        raise SystemExit(f"entries: {cycles} cycles, and the processes grew by {grown} kB")
    print(cycles, f"{seconds:.1f}", f"{max(grown) / (2 * cycles):.0f}",
          getattr(probes.asked, "number", probes.count))


main()
