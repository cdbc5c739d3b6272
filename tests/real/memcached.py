"""memcached.py - ask a memcached, and compare every byte that it answers.

    memcached.py SOCKET SECONDS

Eight connections, each used in turn: it sets a hundred values in one write and gets them in one
line. Prints values set and got per second.
"""
import socket
import sys
import time

CONNECTIONS = 8
VALUES = 100


class Client:
    def __init__(self, path, number):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.number = number
        self.round = 0

    def exchange(self, request, expected):
        self.socket.sendall(request)
        answer = b""
        while len(answer) < len(expected):
            part = self.socket.recv(1 << 16)
            if not part:
                raise SystemExit("memcached hung up")
            answer += part
        if answer != expected:
            raise SystemExit(f"expected {expected[:200]!r}, got {answer[:200]!r}")

    def turn(self):
        self.round += 1
        keys = [b"key-%d-%d" % (self.number, i) for i in range(VALUES)]
        value = b"value %d of connection %d" % (self.round, self.number)
        sets = b"".join(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value) for key in keys)
        self.exchange(sets, b"STORED\r\n" * VALUES)
        values = b"".join(b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(value), value) for key in keys)
        for _ in range(10):
            self.exchange(b"get " + b" ".join(keys) + b"\r\n", values + b"END\r\n")


def main():
    clients = [Client(sys.argv[1], number) for number in range(CONNECTIONS)]
    start = time.monotonic()
    turns = 0
    while turns < CONNECTIONS or time.monotonic() - start < float(sys.argv[2]):
        clients[turns % CONNECTIONS].turn()
        turns += 1
    print(int(turns * VALUES * 11 / (time.monotonic() - start)))


main()
