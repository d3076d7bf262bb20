#!/usr/bin/env python3
"""A small worker for outdial's worker gateway, which keeps the whole contract of
docs/worker-contract.md: at most one dial a call, through any crash of the engine, of the network or of
the worker itself. Standard library only.

    worker.py --url http://127.0.0.1:3000 --key KEY --journal DIR [--gateway worker] [--max 20]
              [--dial module:function] [--ledger FILE]

Dialling is a function `dial(call, node_executed)` that returns (outcome, seconds, detail); the default
pretends. --ledger names a file to which each callId is appended at the moment of dialling: conformance
tests read it.
"""

import argparse
import datetime
import importlib
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request


def pretend(call, node_executed):
    """Stands for the SIP stack: rings a moment, and ends somehow."""
    outcome = random.choice(["answered", "answered", "busy", "no_answer"])
    if outcome == "answered":
        node_executed("greeting")
    time.sleep(random.uniform(0.05, 0.3))
    return outcome, 1 if outcome == "answered" else 0, None


class Journal:
    """A line of JSON for each step of a call, on disk before the step is taken:
    asked (the claimed call, before `started`), dialled, result (the event as it will be sent), over."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "journal")
        self.lock = threading.Lock()
        self.open_calls = {}  # callId -> {"asked": call, "dialled": True, "result": event}
        self.dialled = set()  # every callId that was ever dialled
        whole = self._read(path)
        self.file = open(path, "ab")  # pylint: disable=consider-using-with
        self.file.truncate(whole)  # a line torn by a crash stands for a step that was not taken
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def _read(self, path):
        if not os.path.exists(path):
            return 0
        whole = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._apply(*json.loads(line))
                whole += len(line)
        return whole

    def _apply(self, step, call_id, value):
        if step == "over":
            self.open_calls.pop(call_id, None)
            return
        self.open_calls.setdefault(call_id, {})[step] = value
        if step == "dialled":
            self.dialled.add(call_id)

    def write(self, step, call_id, value=None):
        with self.lock:
            return self._write(step, call_id, value)

    def _write(self, step, call_id, value=None):
        self.file.write(json.dumps([step, call_id, value]).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self._apply(step, call_id, value)

    def dial_once(self, call_id):
        """True for one caller in the life of the journal: it, and nobody else, dials."""
        with self.lock:
            if call_id in self.dialled:
                return False
            self._write("dialled", call_id, True)
            return True


class NoAnswer(Exception):
    """Nothing is known about the request: the same has to be sent again."""


class Refused(Exception):
    """A 4xx: the engine has not taken the request, and would not take it again."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.is_about_key = status in (401, 403)


class Worker:
    def __init__(self, options, dial):
        self.url, self.key, self.gateway = options.url, options.key, options.gateway
        self.max, self.ledger, self.dial = options.max, options.ledger, dial
        self.journal = Journal(options.journal)
        self.stopping = threading.Event()
        self.is_key_refused = False
        self.changed = threading.Condition()
        self.last_claims = {}  # callId -> claimId, of the calls in hand
        self.active = 0

    # ---- talk

    def post(self, path, body, timeout=10):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise Refused(error.code, repr(error.read(500))) from error
            raise NoAnswer(str(error)) from error
        except (OSError, ValueError, urllib.error.URLError, EOFError) as error:
            raise NoAnswer(str(error)) from error
        except Exception as error:  # http.client has exceptions of its own for torn answers
            raise NoAnswer(repr(error)) from error

    def tell(self, event, give_up=lambda: False):
        """Sends the event, unchanged, until it is acknowledged. None when given up."""
        pause = 0.1
        while True:
            try:
                return self.post("/api/call-events", {"events": [event]})["results"][0]
            except NoAnswer as error:
                print(f"no answer to {event['type']}: {error}", file=sys.stderr)
            except Refused as error:  # a wrong key, say: no permission, but a result stays true
                if event["type"] == "started":
                    raise
                print(f"{event['type']} refused: {error}", file=sys.stderr)
            if give_up() or self.is_key_refused:  # the journal has what is left to tell
                return None
            time.sleep(pause)
            pause = min(pause * 2, 5.0)

    # ---- a call

    def handle(self, call):
        call_id = call["callId"]
        if call_id in self.journal.dialled:
            return  # it has rung already; its result is reported elsewhere
        self.journal.write("asked", call_id, call)
        started = {"callId": call_id, "type": "started", "claimId": call["claimId"]}
        answer = self.tell(started, self.stopping.is_set)
        status = answer["status"] if answer else None
        if status == "accepted" and not self.stopping.is_set() and in_time(answer["dialBy"]):
            if self.journal.dial_once(call_id):
                self.place(call)
        elif status in ("accepted", "duplicate"):
            # Permitted to us, but too late, or the answer that named dialBy was lost. It did not ring.
            self.release(call, "not dialled in time")
        elif status is None and self.last_claims.get(call_id) == call["claimId"]:
            # Draining without an answer. Should this get none either, the journal asks again.
            released = {"callId": call_id, "type": "released", "claimId": call["claimId"],
                        "reason": "draining"}
            if in_time(call["leaseExpiresAt"]) and self.tell(released, lambda: True):
                self.journal.write("over", call_id)
        elif status is not None:  # stale, refused, unknown, invalid: not ours to dial
            self.journal.write("over", call_id)

    def release(self, call, reason):
        if self.tell({"callId": call["callId"], "type": "released", "claimId": call["claimId"],
                      "reason": reason}):
            self.journal.write("over", call["callId"])

    def place(self, call):
        """Dials, and reports how it went. The journal has the call as dialled."""
        call_id, seq = call["callId"], 0

        def node_executed(node_id):
            nonlocal seq
            seq += 1
            self.tell({"callId": call_id, "type": "node_executed", "nodeId": node_id, "seq": seq})

        if self.ledger:
            with open(self.ledger, "ab") as ledger:
                ledger.write(f"{call_id}\n".encode())
                ledger.flush()
                os.fsync(ledger.fileno())
        try:
            outcome, seconds, detail = self.dial(call, node_executed)
        except Exception as error:  # pylint: disable=broad-except
            outcome, seconds, detail = "error", 0, f"dialler: {error!r}"[:200]
        event = {"callId": call_id, "type": "result", "outcome": outcome, "durationSeconds": seconds}
        self.report({**event, "detail": detail} if detail else event)

    def report(self, event):
        self.journal.write("result", event["callId"], event)
        if self.tell(event):
            self.journal.write("over", event["callId"])

    def recover(self):
        """What the last run left open. Dialled calls are reported, never dialled again."""
        for call_id, steps in list(self.journal.open_calls.items()):
            if "result" in steps:
                self.begin(self.report, steps["result"])
            elif "dialled" in steps:
                self.begin(self.report, {"callId": call_id, "type": "result", "outcome": "error",
                                         "detail": "worker restarted during the call"})
            else:
                self.begin(self.handle, steps["asked"])

    # ---- life

    def begin(self, work, value):
        with self.changed:
            self.active += 1
            if "claimId" in value:
                self.last_claims[value["callId"]] = value["claimId"]
        threading.Thread(target=self._run, args=(work, value)).start()

    def _run(self, work, value):
        try:
            work(value)
        except Refused as error:
            print(f"refused: {error}", file=sys.stderr)
        finally:
            with self.changed:
                self.active -= 1
                if self.last_claims.get(value["callId"]) == value.get("claimId"):
                    self.last_claims.pop(value["callId"], None)
                self.changed.notify_all()

    def run(self):
        """Claims until it is told to stop, or the key is refused."""
        self.recover()
        pause = 0.1
        while not self.stopping.is_set():
            with self.changed:
                self.changed.wait_for(lambda: self.active < self.max, timeout=1)
                room = self.max - self.active
            if room <= 0:
                continue
            try:
                wanted = {"max": room, "waitMs": 1000, "gateway": self.gateway}
                calls = self.post("/api/calls/claim", wanted)["calls"]
            except (NoAnswer, Refused) as error:
                print(f"claim: {error}", file=sys.stderr)
                if isinstance(error, Refused) and error.is_about_key:
                    self.is_key_refused = True
                    self.stopping.set()
                self.stopping.wait(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.1
            for call in calls:
                self.begin(self.handle, call)
        with self.changed:  # draining: calls under way go on to their end
            self.changed.wait_for(lambda: self.active == 0)


def in_time(moment):
    """Both machines keep their clocks in step; a tenth of a second is kept in hand."""
    end = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return datetime.datetime.now(datetime.timezone.utc) < end - datetime.timedelta(seconds=0.1)


def main(dial=pretend, kind=Worker):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--journal", required=True, metavar="DIR")
    parser.add_argument("--ledger", metavar="FILE")
    parser.add_argument("--gateway", default="worker")
    parser.add_argument("--max", type=int, default=20, help="calls at a time")
    parser.add_argument("--dial", metavar="MODULE:FUNCTION")
    options = parser.parse_args()
    if options.dial:
        module, function = options.dial.split(":")
        dial = getattr(importlib.import_module(module), function)
    worker = kind(options, dial)
    signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
    signal.signal(signal.SIGINT, lambda *_: worker.stopping.set())
    worker.run()
    if worker.is_key_refused:
        sys.exit("the engine does not take this key: it must be one of role worker")


if __name__ == "__main__":
    main()
