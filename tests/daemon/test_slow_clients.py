#!/usr/bin/env python3
"""Hundreds of clients that are half-open, dribble, do not read or pipeline without end (reliability.md 4,
row 7): the others are served, the daemon's memory has a bound, and who is too slow is cut off. How fast
the others are served is shown by ./dev bench slow_clients; no time decides here."""

from outdial_daemon import Client, Story, Worker, expect, main, wait_until
from slow_clients import KINDS, SlowClients

EACH = 75  # of each kind
MEMORY_KIB = 96 * 1024  # more than it has without them; a sanitizer doubles what is allocated


class Hundreds(Story):
    measures_memory = True
    config = """[server]
header_timeout_seconds = 2
body_timeout_seconds = 2
response_timeout_seconds = 2
[log]
level = error
"""

    def connections(self):
        text = expect(self.daemon.client().get("/metrics"), 200)
        return next(int(line.split()[1]) for line in text.splitlines()
                    if line.startswith("outdial_http_connections "))

    def test_the_others_are_served(self):
        one = self.org()
        one.contacts(300, firstName="x" * 64, lastName="y" * 64, fullName="z" * 64)
        execution = one.launch(30)
        worker = Worker(self.daemon)
        before = self.daemon.memory()
        with SlowClients(self.daemon.port, one.key, EACH) as slow:
            wait_until(lambda: self.connections() > EACH * len(KINDS) * 3 // 4, "they are there")
            for _ in range(6):
                self.assertEqual(one.execution(execution)["totalContacts"], 30)
                one.contact()
                calls = worker.claim(max=5, wait_ms=1000)
                self.assertEqual(len(calls), 5)
                worker.finish_all(calls)
                self.assertLess(self.daemon.memory(), before + MEMORY_KIB)
                self.assertLessEqual(self.connections(), EACH * len(KINDS) + 10)
            for kind in ("half_open", "dribble", "deaf"):
                wait_until(lambda k=kind: slow.cut[k] >= EACH, f"each {kind} client is cut off")
            self.assertLess(self.daemon.memory(), before + MEMORY_KIB)
            # One that only asks for much gets what it asks for, as fast as it reads.
            self.assertEqual(slow.cut["pipeline"], 0)
        one.wait_status(execution, "completed")
        wait_until(lambda: self.connections() < 10, "they have gone")
        self.assertEqual(expect(Client(self.daemon, one.key).get("/api/organization"), 200)["id"],
                         one.id)


if __name__ == "__main__":
    main()
