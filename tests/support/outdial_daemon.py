"""The real daemon under test: started on a free loopback port with a folder of its own, spoken to
over HTTP, stopped, killed and started again on the same data.

    from outdial_daemon import Story, main

    class Launch(Story):
        def test_a_launch_makes_an_execution(self):
            org = self.org()
            program = org.program(contacts=3)
            execution = org.launch(program)
            calls = self.worker().claim_exactly(3)

    if __name__ == "__main__":
        main()

$OUTDIALD names the program, $OUTDIALCTL (optional) the tool whose `check` must call each store clean.
Time passes by the test clock alone (Daemon.advance); whatever happens at once is waited for by
looking at it (wait_until). With OUTDIAL_KEEP=1 the folders stay.

Every response that a Client gets is held against api/openapi.yaml (contract.py); only bytes sent as
they are (Daemon.raw) are not.
"""

import contextlib
import datetime
import gzip
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from typing import NamedTuple

import contract

PATIENCE = 30.0  # seconds of real time until something that should happen at once is missed
MONDAY_NINE = "2026-11-23T09:00:00.000Z"

SANITIZER = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w+Sanitizer"
)
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


# ------------------------------------------------------------------------------------------ time


def parse_time(text):
    """An answer's time as a datetime."""
    if not STAMP.match(text or ""):
        raise AssertionError(f"not a UTC time with milliseconds: {text!r}")
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def format_time(moment):
    """A datetime as the API prints it."""
    moment = moment.astimezone(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def later(text, **delta):
    """The time `text` moved on: later(now, minutes=10)."""
    return format_time(parse_time(text) + datetime.timedelta(**delta))


def wait_until(predicate, what, patience=PATIENCE):
    """Looks at `predicate` until it is true and returns its value."""
    pause = threading.Event()
    end = time.monotonic() + patience
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        pause.wait(0.005)


# ------------------------------------------------------------------------------------------ HTTP

NOTHING = object()


class Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    json: object


class Client:
    """A keep-alive connection to the daemon with one key. Not for several threads: clone() it."""

    def __init__(self, daemon, key=None, headers=None, timeout=PATIENCE + 15):
        self.daemon = daemon
        self.key = key
        self.headers = dict(headers or {})
        self.timeout = timeout
        self._connection = None
        self._generation = None

    def clone(self):
        return Client(self.daemon, self.key, self.headers, self.timeout)

    def for_organisation(self, organisation_id):
        """The same (admin) key, acting on an organisation's data."""
        return Client(
            self.daemon, self.key, {**self.headers, "X-Organization-Id": organisation_id},
            self.timeout)

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self):
        self.close()

    def request(self, method, path, body=NOTHING, headers=None, raw=None):
        """Sends a request; `body` becomes JSON, `raw` is sent as it is. Returns a Response."""
        if self._generation != self.daemon.generation:
            self.close()
            self._generation = self.daemon.generation
        sent = dict(self.headers)
        if self.key is not None:
            sent["Authorization"] = f"Bearer {self.key}"
        data = None
        if raw is not None:
            data = raw
            sent["Content-Type"] = "application/json"
        elif body is not NOTHING:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        reused = self._connection is not None
        try:
            return self._exchange(method, path, data, sent)
        except (http.client.RemoteDisconnected, ConnectionError):
            # A kept connection may have been closed meanwhile; a read can be asked again.
            self.close()
            if not reused or method != "GET":
                raise
            return self._exchange(method, path, data, sent)
        except Exception:
            self.close()
            raise

    def _exchange(self, method, path, data, headers):
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.daemon.port, timeout=self.timeout)
        self._connection.request(method, path, body=data, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.will_close:
            self.close()
        response = Response(answer.status, answer.headers, decode(answer.headers, content))
        contract.check(method, path, response.status, response.headers, response.json)
        return response

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=NOTHING, **options):
        return self.request("POST", path, body, **options)

    def patch(self, path, body=NOTHING, **options):
        return self.request("PATCH", path, body, **options)

    def delete(self, path, body=NOTHING, **options):
        return self.request("DELETE", path, body, **options)

    # Those below expect success and return the body.

    def read(self, path):
        return expect(self.get(path), 200)

    def create(self, path, body, status=201):
        return expect(self.post(path, body), status)

    def change(self, path, body=NOTHING):
        return expect(self.patch(path, body), 200)

    def remove(self, path):
        return expect(self.delete(path), 204)

    def pages(self, path, limit=100):
        """Every row of a list, page by page."""
        rows, cursor = [], None
        while True:
            mark = "&" if "?" in path else "?"
            query = f"{path}{mark}limit={limit}" + (f"&cursor={cursor}" if cursor else "")
            page = self.read(query)
            rows += page["data"]
            cursor = page["nextCursor"]
            if cursor is None:
                return rows


def decode(headers, content):
    if not content:
        return None
    if headers.get("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    if headers.get_content_type() == "application/json":
        return json.loads(content)
    return content.decode("utf-8", "replace")


def expect(response, status):
    if response.status != status:
        raise AssertionError(f"expected {status}, got {response.status}: {response.json}")
    return response.json


# ---------------------------------------------------------------------------------------- daemon


def program_path(variable="OUTDIALD"):
    path = os.environ.get(variable)
    if not path:
        raise unittest.SkipTest(f"${variable} is not set")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """One data folder and, while it runs, the process on it. `config` is the text of a configuration
    file, `test_clock` an instant, True for the daemon's own choice, or None for real time."""

    def __init__(self, test_clock=MONDAY_NINE, config=None, environment=None, arguments=()):
        self.test_clock = test_clock
        self.config = config
        self.environment = dict(environment or {})
        self.arguments = list(arguments)
        self.folder = tempfile.mkdtemp(prefix="outdial-")
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data, 0o700)
        self.log_path = os.path.join(self.folder, "log")
        self.log = ""  # of the whole life, once it is closed
        self.process = None
        self.port = None
        self.generation = 0
        self.admin = Client(self)
        self._phones = itertools.count(1)
        self._names = itertools.count(1)
        self._worker_key = None

    # ---- life

    def command(self, port):
        command = [program_path(), "--listen", f"127.0.0.1:{port}", "--data-dir", self.data]
        if self.test_clock is True:
            command.append("--test-clock")
        elif self.test_clock is not None:
            command.append(f"--test-clock={self.test_clock}")
        if self.config is not None:
            path = os.path.join(self.folder, "outdial.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.config)
            command += ["--config", path]
        return command + self.arguments

    def environ(self):
        environment = dict(os.environ)
        environment.pop("OUTDIAL_ADMIN_KEY", None)
        environment.update(self.environment)
        return environment

    def start(self, patience=60, port=None):
        """Starts it and waits until it is ready; on a port of its own choice if none is given."""
        assert self.process is None
        for attempt in range(5):
            self.port = port or free_port()
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    self.command(self.port), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=self.environ())
            self.generation += 1
            if self._wait_ready(patience):
                break
            # Another process may have taken the port meanwhile.
            code = self.process.wait()
            self.process = None
            if "in use" not in self.log_tail(2000).lower() or attempt == 4:
                raise AssertionError(f"the daemon ended with {code}\n{self.log_tail()}")
        with open(os.path.join(self.data, "admin.key"), encoding="ascii") as file:
            self.admin.key = file.read().strip()
        return self

    def _wait_ready(self, patience):
        pause = threading.Event()
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                with contextlib.closing(connection):
                    connection.request("GET", "/readyz")
                    if connection.getresponse().status == 200:
                        return True
            except (OSError, http.client.HTTPException):
                pass
            pause.wait(0.005)
        self.kill9()
        raise AssertionError(f"not ready within {patience} s\n{self.log_tail()}")

    def stop(self, patience=60):
        """SIGTERM: it drains and exits with 0, and no sanitizer has complained."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not end it in {patience} s\n{self.log_tail()}")
        if code != 0:
            raise AssertionError(f"exit {code} after SIGTERM\n{self.log_tail()}")
        self.check_log()

    def kill9(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def restart(self, kill=False):
        if self.process is not None:
            if kill:
                self.kill9()
            else:
                self.stop()
        return self.start()

    def close(self):
        """Ends it, whatever its state, and checks what it leaves behind."""
        try:
            if self.process is not None:
                code = self.process.poll()
                if code is not None:
                    self.process = None
                    raise AssertionError(f"the daemon ended by itself: {code}\n{self.log_tail()}")
                self.stop()
            self.check_log()
            self.check_store()
        finally:
            self.log = self.log_tail(20000)
            if not os.environ.get("OUTDIAL_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)

    def memory(self):
        """Its anonymous memory in KiB: without what is mapped of the store."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))

    def log_tail(self, size=6000):
        try:
            with open(self.log_path, "rb") as file:
                return file.read()[-size:].decode("utf-8", "replace")
        except OSError:
            return self.log[-size:]

    def check_log(self):
        text = self.log_tail(10_000_000)
        if SANITIZER.search(text):
            raise AssertionError(f"a sanitizer complained:\n{text[-20000:]}")

    def check_store(self):
        """outdialctl check on the store at rest. Nothing is said where there is no such program."""
        tool = os.environ.get("OUTDIALCTL")
        if not tool or not os.path.exists(os.path.join(self.data, "admin.key")):
            return
        environment = dict(os.environ)
        if "ASAN_OPTIONS" in environment:  # the search for leaks is half of such a run; test_outdialctl has it
            environment["ASAN_OPTIONS"] += ":detect_leaks=0"
        done = subprocess.run([tool, "check", "--data-dir", self.data], capture_output=True,
                              text=True, timeout=300, check=False, env=environment)
        if done.returncode != 0:
            raise AssertionError(
                f"outdialctl check: exit {done.returncode}\n{done.stdout}{done.stderr}")

    # ---- talk

    def client(self, key=None, headers=None):
        return Client(self, key, headers)

    def connect(self, timeout=PATIENCE):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def raw(self, data, method="POST"):
        """Sends bytes as they are on a connection of its own; returns the first Response."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused early: the answer is there
            return read_response(connection, method)

    def now(self):
        return self.admin.read("/api/test-clock")["now"]

    def advance(self, seconds):
        """Time passes. Returns the new now."""
        return expect(self.admin.post("/api/test-clock/advance", {"seconds": seconds}), 200)["now"]

    def advance_to(self, moment):
        return expect(self.admin.post("/api/test-clock/advance", {"to": moment}), 200)["now"]

    def metric(self, name):
        for line in self.admin.get("/metrics").json.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(name)

    def settle(self):
        """Comes back when everything that is due by now has happened."""
        return self.advance_to(self.now())

    # ---- fixtures

    def phone(self):
        return f"+3225{next(self._phones):06d}"

    def name(self, noun):
        return f"{noun} {next(self._names)}"

    def worker_key(self):
        if self._worker_key is None:
            self._worker_key = self.admin.create(
                "/api/api-keys", {"name": "worker", "role": "worker"})["key"]
        return self._worker_key


def read_response(connection, method="POST"):
    answer = http.client.HTTPResponse(connection, method=method)
    answer.begin()
    content = answer.read()
    return Response(answer.status, answer.headers, decode(answer.headers, content))


# ------------------------------------------------------------------------------------- fixtures


class Organisation:
    """An organisation with a key of its own (`api`), and short words to fill it."""

    def __init__(self, daemon, **fields):
        self.daemon = daemon
        self.record = daemon.admin.create(
            "/api/organizations", {"name": daemon.name("organisation"), **fields})
        self.id = self.record["id"]
        self.key = daemon.admin.create(
            f"/api/organizations/{self.id}/api-keys", {"name": "test", "role": "org"})["key"]
        self.api = daemon.client(self.key)

    def contact(self, **fields):
        return self.api.create("/api/contacts", {"primaryPhone": self.daemon.phone(), **fields})

    def contacts(self, count, **fields):
        """Many contacts: a list of {id, primaryPhone} in the order in which they were made."""
        made = []
        while len(made) < count:
            part = [{"primaryPhone": self.daemon.phone(), **fields}
                    for _ in range(min(1000, count - len(made)))]
            made += self.api.create("/api/contacts/upsert", {"data": part}, 200)["contacts"]
        return made

    def audience(self, contacts=()):
        """An audience of so many new contacts, or of these."""
        if isinstance(contacts, int):
            contacts = self.contacts(contacts)
        audience = self.api.create("/api/audiences", {"name": self.daemon.name("audience")})
        ids = [contact["id"] for contact in contacts]
        for begin in range(0, len(ids), 1000):
            self.api.create(f"/api/audiences/{audience['id']}/contacts",
                            {"contactIds": ids[begin:begin + 1000]}, 200)
        return audience

    def flow(self, **fields):
        return self.api.create("/api/flows", {"name": self.daemon.name("flow"), **fields})

    def did(self, shared=False, **fields):
        return self.daemon.admin.create("/api/dids", {
            "number": self.daemon.phone(), "organizationId": None if shared else self.id, **fields})

    def program_body(self, contacts=1, **fields):
        """What POST /api/programs wants, with new things where `fields` names none."""
        body = {"name": self.daemon.name("program"), "gateway": "worker"}
        if "flowId" not in fields:
            body["flowId"] = self.flow()["id"]
        if "didPool" not in fields:
            body["didPool"] = [self.did()["id"]]
        if "audienceId" not in fields:
            body["audienceId"] = self.audience(contacts)["id"]
        return {**body, **fields}

    def program(self, contacts=1, **fields):
        return self.api.create("/api/programs", self.program_body(contacts, **fields))

    def launch(self, program):
        """Launches (a new program of so many contacts, if a number is given); the execution's id."""
        if isinstance(program, int):
            program = self.program(program)
        return self.api.create(f"/api/programs/{program['id']}/launch", NOTHING)["executionId"]

    # ---- executions

    def execution(self, execution_id):
        """The execution, its counters checked."""
        return check_counters(self.api.read(f"/api/program-executions/{execution_id}"))

    def entries(self, execution_id, query=""):
        return self.api.pages(f"/api/program-executions/{execution_id}/contacts{query}")

    def entry(self, execution_id, contact):
        found = [row for row in self.entries(execution_id) if row["contactId"] == contact["id"]]
        if len(found) != 1:
            raise AssertionError(f"contact {contact['id']}: {len(found)} entries")
        return found[0]

    def calls(self, execution_id, query=""):
        return self.api.pages(f"/api/program-executions/{execution_id}/calls{query}")

    def call(self, execution_id, call_id):
        found = [row for row in self.calls(execution_id) if row["callId"] == call_id]
        if len(found) != 1:
            raise AssertionError(f"call {call_id}: {len(found)} rows")
        return found[0]

    def wait_status(self, execution_id, status):
        return wait_until(
            lambda: (lambda e: e if e["status"] == status else None)(self.execution(execution_id)),
            f"execution is {status}")

    def wait_counts(self, execution_id, **counts):
        """Waits until the counters have these values: wait_counts(id, pending=2, failed=1)."""
        names = {"total": "totalContacts"}
        wanted = {names.get(key, "contacts" + key[0].upper() + key[1:]): value
                  for key, value in counts.items()}
        seen = {}

        def reached():
            execution = self.execution(execution_id)
            seen.update({key: execution[key] for key in wanted})
            return execution if seen == wanted else None

        try:
            return wait_until(reached, "counters", PATIENCE)
        except AssertionError:
            raise AssertionError(f"counters are {seen}, not {wanted}") from None

    def pause(self, execution_id):
        return check_counters(self.api.change(f"/api/program-executions/{execution_id}/pause"))

    def resume(self, execution_id):
        return check_counters(self.api.change(f"/api/program-executions/{execution_id}/resume"))

    def cancel(self, execution_id):
        self.api.remove(f"/api/program-executions/{execution_id}")


def check_counters(execution):
    """total = completed + failed + pending + in progress + skipped, at every read."""
    parts = [execution["contacts" + part]
             for part in ("Completed", "Failed", "Pending", "InProgress", "Skipped")]
    if execution["totalContacts"] != sum(parts) or min(parts) < 0:
        raise AssertionError(f"counters do not add up: {execution}")
    return execution


class Worker:
    """A worker key and the worker gateway's two requests."""

    def __init__(self, daemon, gateway="worker"):
        self.daemon = daemon
        self.gateway = gateway
        self.api = daemon.client(daemon.worker_key())

    def clone(self):
        return Worker(self.daemon, self.gateway)

    def claim(self, max=100, wait_ms=0):  # pylint: disable=redefined-builtin
        return expect(self.api.post("/api/calls/claim", {
            "max": max, "waitMs": wait_ms, "gateway": self.gateway}), 200)["calls"]

    def claim_exactly(self, count, patience=PATIENCE):
        """Claims until there are `count` calls, and sees that there is no further one."""
        calls = []
        end = time.monotonic() + patience
        while len(calls) < count and time.monotonic() < end:
            calls += self.claim(max=min(1000, count - len(calls)), wait_ms=1000)
        if len(calls) != count:
            raise AssertionError(f"{count} calls wanted, {len(calls)} came")
        self.claim_none()
        return calls

    def claim_one(self):
        return self.claim_exactly(1)[0]

    def claim_none(self):
        """No call is there now, and none comes without a cause."""
        calls = self.claim(wait_ms=60)
        if calls:
            raise AssertionError(f"{len(calls)} calls that should not be there: {calls[:3]}")

    def tell(self, *events):
        """Reports events; their results in order."""
        results = expect(self.api.post("/api/call-events", {"events": list(events)}), 200)["results"]
        if [r["callId"] for r in results] != [e.get("callId") for e in events]:
            raise AssertionError(f"results are not those of the events, in order: {results}")
        return results

    def started(self, call):
        return self.tell(started(call))[0]

    def result(self, call, outcome="answered", **fields):
        return self.tell(result(call, outcome, **fields))[0]

    def start_all(self, calls):
        for answer in self.tell(*[started(call) for call in calls]):
            if answer["status"] != "accepted":
                raise AssertionError(f"started: {answer}")

    def finish(self, call, outcome="answered"):
        """The whole of a call: permitted, dialled, over."""
        statuses = [r["status"] for r in self.tell(started(call), result(call, outcome))]
        if statuses != ["accepted", "accepted"]:
            raise AssertionError(f"started and {outcome}: {statuses}")

    def finish_all(self, calls, outcome="answered"):
        for call in calls:
            self.finish(call, outcome)


def started(call):
    return {"callId": call["callId"], "type": "started", "claimId": call["claimId"]}


def result(call, outcome="answered", **fields):
    return {"callId": call["callId"], "type": "result", "outcome": outcome, **fields}


def node_executed(call, node_id, seq):
    return {"callId": call["callId"], "type": "node_executed", "nodeId": node_id, "seq": seq}


def released(call, **fields):
    return {"callId": call["callId"], "type": "released", "claimId": call["claimId"], **fields}


# ---------------------------------------------------------------------------------------- stories


class Story(unittest.TestCase):
    """A test with a daemon: one for each test, or (share_daemon) one for the class where no test
    claims calls, as all organisations of a daemon share its gateways."""

    share_daemon = False
    test_clock = MONDAY_NINE
    config = None
    maxDiff = None
    daemon = None

    measures_memory = False  # of the daemon (Daemon.memory)

    @classmethod
    def make_daemon(cls):
        environment = {}
        if cls.measures_memory and "ASAN_OPTIONS" in os.environ:
            # The sanitizer holds freed memory back, 256 MiB as a rule.
            environment["ASAN_OPTIONS"] = (os.environ["ASAN_OPTIONS"] + ":quarantine_size_mb=2"
                                           ":thread_local_quarantine_size_kb=64")
        return Daemon(test_clock=cls.test_clock, config=cls.config, environment=environment).start()

    @classmethod
    def setUpClass(cls):
        if cls.share_daemon:
            cls.daemon = cls.make_daemon()

    @classmethod
    def tearDownClass(cls):
        if cls.share_daemon:
            daemon, cls.daemon = cls.daemon, None
            daemon.close()

    def setUp(self):
        if not self.share_daemon:
            self.daemon = self.make_daemon()
            self.addCleanup(self.daemon.close)
        self.admin = self.daemon.admin

    def run(self, result=None):  # pylint: disable=redefined-outer-name
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before and self.daemon is not None:
            print(f"---- {self.id()}: the daemon's log ends with\n{self.daemon.log_tail()}----",
                  file=sys.stderr)
        return result

    def start_daemon(self, **options):
        """A further daemon, closed at the end of the test."""
        daemon = Daemon(**options).start()
        self.addCleanup(daemon.close)
        return daemon

    def org(self, **fields):
        return Organisation(self.daemon, **fields)

    def worker(self):
        return Worker(self.daemon)

    # ---- assertions

    def fails(self, response, status, error, *paths):
        """An error's answer is whole, and its details name at least these paths."""
        body = response.json
        self.assertEqual((response.status, (body or {}).get("error")), (status, error), body)
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8")
        self.assertEqual(body["statusCode"], status)
        self.assertTrue(body["message"])
        self.assertEqual(body["requestId"], response.headers["X-Request-Id"])
        allowed = {"statusCode", "error", "message", "requestId"}
        if error == "ValidationError":
            allowed.add("details")
            self.assertTrue(body["details"])
            for detail in body["details"]:
                self.assertEqual(set(detail), {"path", "message"})
                self.assertTrue(detail["message"])
        self.assertEqual(set(body), allowed)
        named = [detail["path"] for detail in body.get("details", [])]
        for path in paths:
            self.assertIn(path, named, body)
        return body

    def invalid(self, response, *paths):
        return self.fails(response, 400, "ValidationError", *paths)

    def assert_stamp(self, text):
        self.assertRegex(text or "", STAMP)

    def assert_id(self, text):
        self.assertRegex(text or "", UUID)


def unknown_id():
    return str(uuid.uuid4())


def main():
    unittest.main(verbosity=2)
