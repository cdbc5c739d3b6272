"""server.py - what Python programs do: serve with threads, start processes, use files.

    server.py PORT DIRECTORY

Answers every request with the same text, and makes sure for each that a file written is read
back, for every hundredth that a process says what it should.
"""
import hashlib
import http.server
import itertools
import os
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading

TEXT = hashlib.sha256(b"hotpatch").hexdigest().encode() * 16
count = itertools.count()


def check():
    number = next(count)
    with tempfile.TemporaryFile(dir=sys.argv[2]) as file:
        file.write(TEXT)
        file.seek(0)
        if file.read() != TEXT:
            return b"a file is wrong"
    if number % 100 == 0:
        said = subprocess.run(["/bin/sh", "-c", f"echo {number}"], capture_output=True, check=True)
        if said.stdout != b"%d\n" % number:
            return b"a process is wrong"
    if number % 100 == 50:
        child = os.fork()
        if child == 0:
            os._exit(7)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 7:
            return b"a child is wrong"
    return TEXT


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and text in one write

    def do_GET(self):
        text = check()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        # ab asks in HTTP/1.0 for connections that stay, and wants to be told.
        if self.headers.get("Connection", "").lower() == "keep-alive":
            self.send_header("Connection", "keep-alive")
            self.close_connection = False
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *arguments):
        # At its end ab hangs up in the middle of an answer.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*arguments)


def main():
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


main()
