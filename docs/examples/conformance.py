#!/usr/bin/env python3
"""Checks that a worker keeps outdial's gateway contract (docs/worker-contract.md).

    conformance.py [--only TEXT] [--jobs N] [--list] -- COMMAND...

COMMAND starts the worker, with these words replaced in it:

    {url}      where the engine is: a small stand-in that this program runs
    {key}      the worker's API key
    {journal}  a folder of the worker's own, kept over its restarts
    {ledger}   a file to which the worker must append "callId\\n" each time that it dials, and have on
               disk (fsync) before the phone could ring. This is how dials are counted

for instance:

    conformance.py -- python3 worker.py --url {url} --key {key} --journal {journal} --ledger {ledger}

A call should be over within a few seconds: dial something that only pretends. Each scenario starts the
worker anew, with an empty journal. Exit status: 0 when every scenario passed, 1 when one failed, 2 for a
wrong command line.
"""

import argparse
import collections
import concurrent.futures
import datetime
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

KEY = "conformance-key"
DROP = "drop"  # an answer that is none: the connection is closed
OUTCOMES = {"answered", "voicemail", "busy", "no_answer", "rejected", "error", "timeout"}
PROPERTIES = {  # of each event: required, optional
    "started": ({"claimId"}, set()),
    "node_executed": ({"nodeId", "seq"}, set()),
    "result": ({"outcome"}, {"durationSeconds", "detail"}),
    "released": (set(), {"claimId", "reason", "retryAfterSeconds"}),
}


def stamp(seconds):
    """The time so many seconds from now."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def accepted(seconds=5.0):
    return {"status": "accepted", "dialBy": stamp(seconds)}


class Failed(Exception):
    """A scenario's expectation did not come true."""


class Bench:
    """A stand-in for the engine, one worker process, and what both did."""

    def __init__(self, command, patience):
        self.command, self.patience = command, patience
        self.folder = tempfile.mkdtemp(prefix="conformance-")
        self.ledger_path = os.path.join(self.folder, "ledger")
        self.log_path = os.path.join(self.folder, "log")
        self.changed = threading.Condition()
        self.offers = collections.deque()
        self.claim_ids = {}  # callId -> the claimIds under which it was offered
        self.permitted = set()
        self.events = []  # (type, event) as they came
        self.violations = []
        self.claims = 0
        self.claims_fail = 0  # so many claims get a 503
        self.may_report_undialled = set()
        self.restarted = False
        # What the engine answers to the nth event of a type for a call: a dict, DROP, or an HTTP status.
        self.on = {
            "started": lambda call_id, nth: accepted(),
            "node_executed": lambda call_id, nth: {"status": "accepted"},
            "result": lambda call_id, nth: {"status": "accepted"},
            "released": lambda call_id, nth: {"status": "accepted"},
        }
        self.process = None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    # ---- the engine's side

    def offer(self, call_id=None):
        """Puts a call on offer; again, if callId is given."""
        redelivered = call_id is not None
        call_id = call_id or str(uuid.uuid4())
        call = {
            "callId": call_id, "claimId": str(uuid.uuid4()), "executionId": str(uuid.uuid4()),
            "programId": str(uuid.uuid4()), "organizationId": str(uuid.uuid4()),
            "contactId": str(uuid.uuid4()), "attempt": 1, "to": "+212612345678",
            "from": "+212500000001", "didId": str(uuid.uuid4()), "flowId": str(uuid.uuid4()),
            "contact": {"firstName": "Ada", "customAttributes": {}}, "redelivered": redelivered}
        with self.changed:
            self.claim_ids.setdefault(call_id, []).append(call["claimId"])
            self.offers.append(call)
            self.changed.notify_all()
        return call_id

    def violate(self, text):
        if text not in self.violations:
            self.violations.append(text)

    def claim(self, body, is_gone):
        with self.changed:
            self.claims += 1
            self.changed.notify_all()
            if not (isinstance(body.get("max"), int) and 1 <= body["max"] <= 1000
                    and isinstance(body.get("waitMs"), int) and 0 <= body["waitMs"] <= 30000):
                self.violate(f"a claim with max or waitMs out of range: {body}")
                return 400
            if self.claims_fail > 0:
                self.claims_fail -= 1
                return 503
            self.changed.wait_for(lambda: self.offers, min(body["waitMs"], 300) / 1000)
            calls = []
            while self.offers and len(calls) < body["max"] and not is_gone():
                calls.append({**self.offers.popleft(), "leaseExpiresAt": stamp(60)})
            return {"calls": calls}

    def call_events(self, body):
        answers = [self.event(event) for event in body["events"]]
        for answer in answers:
            if not isinstance(answer, dict):
                return answer  # the whole request goes without an answer
        return {"results": [{"callId": event["callId"], **answer}
                            for event, answer in zip(body["events"], answers)]}

    def event(self, event):
        call_id, kind = event.get("callId"), event.get("type")
        with self.changed:
            if call_id not in self.claim_ids:
                self.violate(f"an event of a call that was never offered: {event}")
                return {"status": "unknown"}
            required, optional = PROPERTIES.get(kind, (None, None))
            if required is None or not required <= set(event) - {"callId", "type"} <= required | optional:
                self.violate(f"a malformed event: {event}")
                return {"status": "invalid", "message": "malformed"}
            earlier = self.of(call_id, kind)
            getattr(self, "check_" + kind)(call_id, event, earlier)
            self.events.append((kind, event))
            answer = self.on[kind](call_id, len(earlier) + 1)
            if kind == "started" and isinstance(answer, dict) and answer["status"] == "accepted":
                self.permitted.add(call_id)
            self.changed.notify_all()
            return answer

    def of(self, call_id, kind):
        return [event for k, event in self.events if k == kind and event["callId"] == call_id]

    def check_started(self, call_id, event, _earlier):
        if event["claimId"] not in self.claim_ids[call_id]:
            self.violate("`started` under a claimId that was not given")
        if call_id not in self.permitted and self.dials(call_id):
            self.violate("dialled before `accepted`")

    def check_node_executed(self, _call_id, event, earlier):
        if earlier and event != earlier[-1] and event["seq"] <= earlier[-1]["seq"]:
            self.violate("`seq` does not grow")

    def check_result(self, call_id, event, earlier):
        if event["outcome"] not in OUTCOMES:
            self.violate(f"an unknown outcome: {event['outcome']}")
        if earlier and event != earlier[-1] and not self.restarted:
            self.violate("a result was repeated, but changed")
        if self.dials(call_id) and call_id not in self.permitted:
            self.violate("dialled before `accepted`")
        if not self.dials(call_id) and call_id not in self.may_report_undialled:
            self.violate("a result of a call that was not dialled")

    def check_released(self, call_id, _event, _earlier):
        if self.dials(call_id):
            self.violate("`released` a call that was dialled")

    # ---- the worker's side

    def start(self):
        words = {"{url}": self.url, "{key}": KEY, "{ledger}": self.ledger_path,
                 "{journal}": os.path.join(self.folder, "journal")}
        command = []
        for word in self.command:
            for name, value in words.items():
                word = word.replace(name, value)
            command.append(word)
        os.makedirs(words["{journal}"], exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()
        self.restarted = True

    def terminate(self):
        """SIGTERM; the exit status, None when it does not end."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(self.patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def dials(self, call_id):
        try:
            with open(self.ledger_path, "rb") as ledger:
                return ledger.read().split().count(call_id.encode())
        except FileNotFoundError:
            return 0

    def wait(self, predicate, what):
        end = time.monotonic() + self.patience
        with self.changed:
            while not predicate():
                if self.process is not None and self.process.poll() is not None:
                    raise Failed(f"the worker ended by itself with {self.process.returncode}")
                if time.monotonic() > end:
                    raise Failed(f"not within {self.patience:.0f} s: {what}")
                self.changed.wait(0.02)

    def wait_event(self, call_id, kind, count=1):
        self.wait(lambda: len(self.of(call_id, kind)) >= count,
                  f"`{kind}`" + (f" for the {count}th time" if count > 1 else ""))

    def wait_dial(self, call_id):
        self.wait(lambda: self.dials(call_id), "the call is dialled")

    def settle(self):
        """Lets the worker go on for a while: two more claims, and a moment."""
        goal, end = self.claims + 2, time.monotonic() + 3
        with self.changed:
            self.changed.wait_for(lambda: self.claims >= goal, end - time.monotonic())
        time.sleep(0.4)

    def expect_dials(self, call_id, count):
        dials = self.dials(call_id)
        if dials != count:
            raise Failed(f"dialled {dials} times, not {count}")

    def close(self):
        if self.process is not None:
            self.terminate()
        for call_id in self.claim_ids:
            if self.dials(call_id) > (call_id in self.permitted):
                self.violate("dialled without permission, or more than once")
        self.server.shutdown()
        self.server.server_close()

    def log_tail(self):
        with open(self.log_path, "rb") as log:
            return log.read()[-1500:].decode("utf-8", "replace")


def handler_of(bench):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def is_gone(self):
            """A killed worker's claim may still wait here: it gets no call."""
            try:
                return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            key = self.headers.get("X-API-Key") or self.headers.get("Authorization", "")[7:]
            if key != KEY:
                bench.violate("a request without the worker's key")
                answer = 401
            elif self.path == "/api/calls/claim":
                answer = bench.claim(body, self.is_gone)
            elif self.path == "/api/call-events":
                answer = bench.call_events(body)
            else:
                answer = 404
            if answer == DROP:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status = 200
            if isinstance(answer, int):
                status, answer = answer, {"statusCode": answer, "error": "Error", "message": "no",
                                          "requestId": "1"}
            content = json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the worker was killed meanwhile

    return Handler


# ------------------------------------------------------------------------------------ scenarios

SCENARIOS = []


def scenario(text):
    def register(function):
        SCENARIOS.append((text, function))
        return function
    return register


@scenario("accepted: dials once and reports the result")
def scenario_accepted(bench):
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "result")
    bench.settle()
    bench.expect_dials(call_id, 1)


def not_permitted(status, may_report=False):
    def play(bench):
        bench.on["started"] = lambda call_id, nth: {"status": status, "message": "pause_window"}
        call_id = bench.offer()
        if may_report:
            bench.may_report_undialled.add(call_id)
        bench.start()
        bench.wait_event(call_id, "started")
        bench.settle()
        bench.terminate()
        bench.expect_dials(call_id, 0)
    return play


for word in ("refused", "stale", "unknown", "invalid"):
    scenario(f"{word}: does not dial")(not_permitted(word))
scenario("duplicate, without having seen the first answer: does not dial")(
    not_permitted("duplicate", may_report=True))


@scenario("400 to `started`: does not dial")
def scenario_bad_request(bench):
    bench.on["started"] = lambda call_id, nth: 400
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "started")
    bench.settle()
    bench.kill()
    bench.expect_dials(call_id, 0)


@scenario("several calls in a claim: dials those that were accepted, and no other")
def scenario_mixed(bench):
    calls = [bench.offer() for _ in range(6)]
    good = set(calls[::2])
    bench.on["started"] = lambda call_id, nth: accepted() if call_id in good else {"status": "stale"}
    bench.start()
    for call_id in calls:
        bench.wait_event(call_id, "started")
    for call_id in good:
        bench.wait_event(call_id, "result")
    bench.settle()
    for call_id in calls:
        bench.expect_dials(call_id, 1 if call_id in good else 0)


@scenario("no answer to `started`: sends the same again, dials once when accepted")
def scenario_no_answer(bench):
    bench.on["started"] = lambda call_id, nth: {1: DROP, 2: 503}.get(nth) or accepted()
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "started", 3)
    bench.wait_event(call_id, "result")
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("the answer `accepted` is lost, then duplicate: does not dial")
def scenario_lost_answer(bench):
    # The engine has permitted the call, but dialBy is unknown to the worker.
    bench.on["started"] = lambda call_id, nth: DROP if nth == 1 else {"status": "duplicate"}
    call_id = bench.offer()
    bench.may_report_undialled.add(call_id)
    bench.start()
    bench.wait_event(call_id, "started", 2)
    bench.settle()
    bench.terminate()
    bench.expect_dials(call_id, 0)


@scenario("accepted, but dialBy has passed: does not dial")
def scenario_late(bench):
    bench.on["started"] = lambda call_id, nth: accepted(-2.0)
    call_id = bench.offer()
    bench.may_report_undialled.add(call_id)
    bench.start()
    bench.wait_event(call_id, "started")
    bench.settle()
    bench.terminate()
    bench.expect_dials(call_id, 0)


@scenario("no answer to a result: repeats it unchanged until it is acknowledged")
def scenario_result_repeated(bench):
    bench.on["result"] = lambda call_id, nth: {1: DROP, 2: 503, 3: DROP}.get(nth) or {
        "status": "duplicate"}
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "result", 4)
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("acknowledged results are not sent for ever")
def scenario_result_once(bench):
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "result")
    bench.settle()
    if len(bench.of(call_id, "result")) > 1:
        raise Failed("repeats a result that was acknowledged")


@scenario("killed during a call: after the restart reports it, and does not dial again")
def scenario_killed(bench):
    bench.on["result"] = lambda call_id, nth: 503  # until the restart
    call_id = bench.offer()
    bench.start()
    bench.wait_dial(call_id)
    bench.kill()
    before = len(bench.of(call_id, "result"))
    bench.on["result"] = lambda call_id, nth: {"status": "accepted"}
    bench.start()
    bench.wait_event(call_id, "result", before + 1)
    if before == 0 and bench.of(call_id, "result")[-1]["outcome"] != "error":
        raise Failed("a call cut short by the crash must end with the outcome `error`")
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("killed after a dial, and the call comes again: does not dial again")
def scenario_killed_redelivered(bench):
    bench.on["result"] = lambda call_id, nth: 503
    call_id = bench.offer()
    bench.start()
    bench.wait_dial(call_id)
    bench.kill()
    bench.on["result"] = lambda call_id, nth: {"status": "accepted"}
    bench.start()
    bench.wait_event(call_id, "result")
    bench.offer(call_id)  # as an engine restored from a backup might
    bench.wait(lambda: not bench.offers, "the call is claimed again")
    bench.settle()
    bench.terminate()
    bench.expect_dials(call_id, 1)


@scenario("killed before the answer to `started`: at most one dial, after a new permission")
def scenario_killed_undecided(bench):
    bench.on["started"] = lambda call_id, nth: 503
    call_id = bench.offer()
    bench.may_report_undialled.add(call_id)
    bench.start()
    bench.wait_event(call_id, "started")
    bench.kill()
    bench.expect_dials(call_id, 0)
    first = bench.claim_ids[call_id][0]

    def answer(_call_id, _nth):
        last = [event for kind, event in bench.events if kind == "started"][-1]
        return {"status": "stale"} if last["claimId"] == first else accepted()

    bench.on["started"] = answer
    bench.start()
    bench.settle()  # a worker that asks again under the old claim is told that it is stale
    bench.expect_dials(call_id, 0)
    bench.offer(call_id)  # the lease has ended
    bench.wait_event(call_id, "result")
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("redelivered under a new claimId: asks under the new one, dials once")
def scenario_redelivered(bench):
    call_id = bench.offer()
    first = bench.claim_ids[call_id][0]

    def answer(_call_id, _nth):
        last = [event for kind, event in bench.events if kind == "started"][-1]
        if last["claimId"] != first:
            return accepted()
        return 503 if len(bench.claim_ids[call_id]) == 1 else {"status": "stale"}

    bench.on["started"] = answer
    bench.start()
    bench.wait_event(call_id, "started")
    bench.offer(call_id)
    bench.wait_event(call_id, "result")
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("refused, and offered again later: dials once, when accepted")
def scenario_refused_then_accepted(bench):
    bench.on["started"] = lambda call_id, nth: accepted() if nth > 1 else {
        "status": "refused", "message": "pause_window"}
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "started")
    bench.settle()
    bench.expect_dials(call_id, 0)
    bench.offer(call_id)
    bench.wait_event(call_id, "result")
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("the engine is away at first: goes on claiming")
def scenario_engine_away(bench):
    bench.claims_fail = 3
    call_id = bench.offer()
    bench.start()
    bench.wait_event(call_id, "result")
    bench.settle()
    bench.expect_dials(call_id, 1)


@scenario("SIGTERM: reports calls under way, gives back the others, ends with 0")
def scenario_drain(bench):
    dialled, waiting = bench.offer(), bench.offer()
    bench.on["started"] = lambda call_id, nth: accepted() if call_id == dialled else 503
    bench.start()
    bench.wait_dial(dialled)
    bench.wait_event(waiting, "started")
    if bench.terminate() != 0:
        raise Failed("did not end with 0 after SIGTERM")
    if not bench.of(dialled, "result"):
        raise Failed("ended without the result of a call under way")
    if not bench.of(waiting, "released"):
        raise Failed("ended without giving back (`released`) a call that it had not dialled")
    bench.expect_dials(dialled, 1)
    bench.expect_dials(waiting, 0)


# ------------------------------------------------------------------------------------------ main


def run(text, play, command, patience):
    """Plays a scenario: (text, failures, the worker's log)."""
    bench = Bench(command, patience)
    failures = []
    try:
        play(bench)
    except Failed as failure:
        failures.append(str(failure))
    finally:
        bench.close()
    failures = bench.violations + failures
    log = bench.log_tail() if failures and os.path.exists(bench.log_path) else ""
    shutil.rmtree(bench.folder, ignore_errors=True)
    return text, failures, log


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios whose name has TEXT")
    parser.add_argument("--jobs", type=int, default=4, help="scenarios at a time")
    parser.add_argument("--patience", type=float, default=20.0, metavar="SECONDS",
                        help="how long to wait for what the worker should do")
    parser.add_argument("--list", action="store_true", help="only list the scenarios")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    chosen = [(text, play) for text, play in SCENARIOS if options.only in text]
    if options.list:
        print("\n".join(text for text, _ in chosen))
        return 0
    if not options.command or not chosen:
        parser.error("no command after --" if chosen else f"no scenario has {options.only!r}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(run, text, play, options.command, options.patience)
                for text, play in chosen]
        for job in jobs:
            text, failures, log = job.result()
            failed += bool(failures)
            print(f"{'FAILED' if failures else 'passed'}  {text}", flush=True)
            for failure in failures:
                print(f"        {failure}")
            if log:
                print("".join(f"        | {line}\n" for line in log.splitlines()), end="")
    print(f"{len(chosen) - failed} of {len(chosen)} scenarios passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
