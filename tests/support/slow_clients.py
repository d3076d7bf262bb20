"""Clients as nobody wants them, hundreds at once in one thread: half-open, dribbling, deaf, pipelining.

    with SlowClients(daemon.port, key, each=125) as slow:
        ...  # the others must not notice

As a program (PORT KEY EACH) it runs until its standard input ends; bench/slow_clients.py starts it so,
to have the interpreter for itself."""

import collections
import contextlib
import socket
import sys
import threading
import time

KINDS = ("half_open", "dribble", "deaf", "pipeline")
ANSWER_BYTES = 600  # about, of an organisation
TICK = 0.1  # seconds: each client does something, or nothing, ten times a second


def request(key, target, *headers):
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", f"X-API-Key: {key}", *headers, "",
                        ""]).encode()


class Slow:
    """One of them. It comes back when it has been cut off."""

    def __init__(self, kind, port, key):
        self.kind, self.port, self.key = kind, port, key
        self.socket = None
        self.sent = self.taken = 0
        self.lives = 0  # connections so far
        self.waits_until = 0.0
        self.head = "\r\n".join([
            "POST /api/contacts HTTP/1.1", "Host: x", f"X-API-Key: {key}",
            "Content-Type: application/json", "Content-Length: 4000", "", ""]).encode()

    def connect(self):
        self.socket = socket.socket()
        if self.kind == "deaf":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", self.port))
        self.socket.setblocking(False)
        self.sent = 0
        if self.kind == "half_open":
            self.socket.send(b"GET /api/organization HTTP/1.1\r\nHost: x\r\nX-A: ")
        elif self.kind == "deaf":
            many = request(self.key, "/api/contacts?limit=100") * 4
            self.socket.send(many if self.lives % 2 == 0 else request(
                self.key, "/api/contacts", "Accept: text/csv") * 4)
        elif self.kind == "pipeline":
            self.taken = 10 * ANSWER_BYTES
        elif self.kind == "dribble" and self.lives % 2 == 0:  # of its body; else of its header
            self.sent = self.socket.send(self.head)
        self.lives += 1

    def act(self):
        """Its turn. False: the daemon has had enough of it."""
        try:
            if self.kind == "dribble":
                self.sent += self.socket.send(self.head[self.sent:self.sent + 1] or b" ")
            elif self.kind == "pipeline":
                if self.taken >= 10 * ANSWER_BYTES:
                    self.taken -= 10 * ANSWER_BYTES
                    self.socket.send(request(self.key, "/api/organization") * 10)
                taken = len(self.socket.recv(64))
                self.taken += taken
                return taken > 0
            elif self.kind == "half_open":
                with contextlib.suppress(BlockingIOError):
                    if not self.socket.recv(512, socket.MSG_PEEK):
                        return False
            else:  # deaf: only wants to know whether it is still there
                self.socket.send(b"G")
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class SlowClients:
    def __init__(self, port, key, each):
        self.clients = [Slow(kind, port, key) for kind in KINDS for _ in range(each)]
        self.cut = collections.Counter()  # by kind: how often the daemon closed one
        self.refused = 0  # connections that could not be made
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        for client in self.clients:
            client.connect()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(30)
        for client in self.clients:
            client.close()

    def turn(self, client):
        if client.socket is None:
            if time.monotonic() < client.waits_until:
                return
            try:
                client.connect()
            except OSError:
                self.refused += 1
                client.close()
                client.waits_until = time.monotonic() + 1
            return
        if not client.act():
            self.cut[client.kind] += 1
            client.close()
            client.waits_until = time.monotonic() + 1

    def run(self):
        while not self.stopping.is_set():
            begun = time.monotonic()
            for number, client in enumerate(self.clients):
                self.turn(client)
                if number % 50 == 49:
                    self.stopping.wait(TICK / 20)  # spread over the tick
            self.stopping.wait(max(0.0, TICK - (time.monotonic() - begun)))


def run_until_told():
    port, key, each = sys.argv[1:]
    with SlowClients(int(port), key, int(each)) as slow:
        print("ready", flush=True)
        sys.stdin.read()
    print(dict(slow.cut), flush=True)


if __name__ == "__main__":
    run_until_told()
