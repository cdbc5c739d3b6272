"""asked.py - a running process that is asked through its FIFO, and whose every reply is looked at."""
import json
import os
import select
import subprocess
import sys

REPLY_SECONDS = 20
PROGRAM = os.path.basename(sys.argv[0]).split(".")[0]


class Target:
    def __init__(self, pid):
        self.pid = pid
        asked = subprocess.run(["hotpatch", "status", "--json", pid], capture_output=True)
        if asked.returncode != 0:
            raise SystemExit(f"{PROGRAM}: process {pid}: {asked.stdout.decode()}")
        fifo = json.loads(asked.stdout)["status"]["fifo"]
        directory = os.path.dirname(fifo)
        self.name = f"{PROGRAM}-{pid}.reply"
        self.path = os.path.join(directory, self.name)
        os.mkfifo(self.path, 0o600)
        owner = os.stat(directory)
        os.chown(self.path, owner.st_uid, owner.st_gid)
        self.replies = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.requests = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)

    def send(self, line):
        """`{reply}` stands for the reply's FIFO."""
        self.line = line.format(reply=self.name)
        os.write(self.requests, self.line.encode() + b"\n")

    def reply(self):
        """What was sent last has been done."""
        text = b""
        while not text.endswith(b"\n"):
            if not select.select([self.replies], [], [], REPLY_SECONDS)[0]:
                raise SystemExit(f"{PROGRAM}: process {self.pid} does not reply to: {self.line}")
            text += os.read(self.replies, 65536)
        reply = json.loads(text)
        if reply["result"] != "done":
            raise SystemExit(f"{PROGRAM}: process {self.pid}, {self.line}: {text.decode()}")
        return reply

    def ask(self, line):
        self.send(line)
        return self.reply()

    def close(self):
        os.unlink(self.path)
        os.close(self.replies)
        os.close(self.requests)
