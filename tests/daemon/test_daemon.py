"""api.md, "Operations": the process, its command line, its clock, and what it keeps."""

import http.client
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import unittest

from outdial_daemon import (
    MONDAY_NINE, PATIENCE, Daemon, Organisation, Story, expect, free_port, later, main,
    program_path, read_response, result, started, wait_until)

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*arguments, config=None, patience=60):
    """The daemon's program with these arguments, to its end. `config` is a file's text; FILE stands
    for its path."""
    with tempfile.TemporaryDirectory(prefix="outdial-") as folder:
        path = os.path.join(folder, "outdial.conf")
        if config is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(config)
        done = subprocess.run(
            [program_path()] + [path if word == "FILE" else word for word in arguments],
            capture_output=True, text=True, timeout=patience, check=False, cwd=folder)
        return done, path


class CommandLine(unittest.TestCase):
    def test_version(self):
        done, _ = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^outdiald \d+\.\d+")

    def test_help(self):
        done, _ = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--config", "--listen", "--data-dir", "--test-clock", "--check-config",
                       "--version"):
            self.assertIn(option, done.stdout)

    def test_what_is_not_understood_exits_2(self):
        for arguments in (["--nonsense"], ["nonsense"], ["--listen"], ["--listen", "nowhere"],
                          ["--test-clock=soon"]):
            with self.subTest(arguments=arguments):
                done, _ = run(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr)


class OptionsAndFile(Story):
    def test_an_option_goes_before_the_file_and_the_file_before_the_default(self):
        ports = [free_port() for _ in range(2)]
        # The daemon is started with --listen and --data-dir: the file's are not looked at.
        daemon = self.start_daemon(config=f"[server]\nlisten = 127.0.0.1:{ports[0]}\n"
                                          "[store]\ndata_dir = elsewhere\n")
        daemon.admin.read("/api/organizations")
        self.assertNotEqual(daemon.port, ports[0])
        with socket.socket() as probe:
            self.assertNotEqual(probe.connect_ex(("127.0.0.1", ports[0])), 0)
        self.assertTrue(os.path.exists(os.path.join(daemon.data, "admin.key")))
        # Without options they are.
        daemon.stop()
        command = daemon.command
        daemon.config = f"[server]\nlisten = 127.0.0.1:{ports[1]}\n" \
                        f"[store]\ndata_dir = {daemon.data}\n"
        daemon.command = lambda port: command(port)[:1] + command(port)[5:]
        daemon.start(port=ports[1])
        daemon.admin.read("/api/organizations")


class Configuration(unittest.TestCase):
    def test_the_shipped_file_is_good(self):
        path = os.path.join(SOURCE, "conf", "outdial.conf")
        done, _ = run("--check-config", "--config", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_none_is_good(self):
        done, _ = run("--check-config")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_bad_one_names_file_line_and_key(self):
        for text, line, key in (
                ("[calls]\nlease_secondz = 5\n", 2, "lease_secondz"),
                ("# a comment\n\n[calls]\nlease_seconds = soon\n", 4, "lease_seconds"),
                ("[calls]\nlease_seconds = 0\n", 2, "lease_seconds"),
                ("[calls]\nlease_seconds = 5\nlease_seconds = 6\n", 3, "lease_seconds"),
                ("[server]\nlisten = nowhere\n", 2, "listen"),
                ("[nonsense]\n", 1, "nonsense"),
                ("[calls]\ndefault_gateway = nowhere\n", 2, "default_gateway")):
            for check in (["--check-config"], []):
                with self.subTest(text=text, check=check):
                    done, path = run(*check, "--config", "FILE", config=text)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(f"{path}:{line}:", done.stderr)
                    self.assertIn(key, done.stderr)

    def test_every_fault_is_listed(self):
        done, path = run("--check-config", "--config", "FILE",
                         config="[calls]\nlease_seconds = x\ncall_timeout_seconds = y\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{path}:2:", done.stderr)
        self.assertIn(f"{path}:3:", done.stderr)

    def test_a_file_that_is_not_there(self):
        done, _ = run("--check-config", "--config", "/nowhere/outdial.conf")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere/outdial.conf", done.stderr)


class Process(Story):
    def test_a_second_daemon_on_the_same_data_refuses(self):
        done, _ = run("--listen", f"127.0.0.1:{free_port()}", "--data-dir", self.daemon.data)
        self.assertNotIn(done.returncode, (0, 2))
        self.assertGreater(done.returncode, 0)  # not by a signal
        self.assertIn(self.daemon.data, done.stderr)
        self.org()  # the first one does not mind

    def test_port_0_takes_a_free_one(self):
        daemon = Daemon()
        daemon._wait_ready = lambda patience: ready_where_it_says(daemon)  # pylint: disable=protected-access
        daemon.start(port="0")
        self.addCleanup(daemon.close)
        self.assertGreater(daemon.port, 0)
        daemon.admin.read("/api/organizations")

    def test_the_data_folder_is_made_when_absent(self):
        daemon = Daemon()
        os.rmdir(daemon.data)
        daemon.start()
        self.addCleanup(daemon.close)
        self.assertTrue(os.path.exists(os.path.join(daemon.data, "admin.key")))

    def test_sigterm_drains_and_exits_0(self):
        org = self.org()
        self.daemon.stop()  # checks the exit status
        self.daemon.start()
        self.assertEqual(org.api.read("/api/organization")["id"], org.id)

    def test_sigint_does_too(self):
        process, self.daemon.process = self.daemon.process, None
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 0)
        self.daemon.start()

    def test_a_waiting_claim_is_answered_when_it_stops(self):
        answers = []
        worker = self.worker()
        # The key is made and the connection open before the claim waits.
        self.assertEqual(worker.claim(), [])
        handled = self.daemon.metric("outdial_messages_total")
        thread = threading.Thread(target=lambda: answers.append(worker.api.post(
            "/api/calls/claim", {"max": 1, "waitMs": 30000, "gateway": "worker"})))
        thread.start()
        wait_until(lambda: self.daemon.metric("outdial_messages_total") > handled, "the claim waits")
        self.daemon.stop(patience=20)
        thread.join(20)
        self.assertFalse(thread.is_alive())
        self.assertEqual(len(answers), 1, "the connection was cut without an answer")
        self.assertIn(answers[0].status, (200, 503))
        if answers[0].status == 200:
            self.assertEqual(answers[0].json["calls"], [])
        self.daemon.start()

    def test_creates_under_way_are_answered_or_not_done_when_it_stops(self):
        """Nothing that was answered is lost by SIGTERM, and nothing is answered twice."""
        org = self.org()
        made, threads = [], []

        def create(client):
            while True:
                phone = self.daemon.phone()
                try:
                    response = client.post("/api/contacts", {"primaryPhone": phone})
                except OSError:
                    return
                except Exception:  # pylint: disable=broad-except
                    return
                if response.status != 201:
                    return
                made.append(response.json["id"])

        for _ in range(4):
            threads.append(threading.Thread(target=create, args=(org.api.clone(),)))
            threads[-1].start()
        pause = threading.Event()
        while len(made) < 50:
            pause.wait(0.005)
        self.daemon.stop()
        for thread in threads:
            thread.join(20)
        self.daemon.start()
        listed = {row["id"] for row in org.api.pages("/api/contacts")}
        self.assertLessEqual(set(made), listed)


class AdminKey(Story):
    def test_it_is_in_a_file_of_mode_0600_and_stays(self):
        path = os.path.join(self.daemon.data, "admin.key")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        key = self.admin.key
        self.assertGreaterEqual(len(key), 32)
        self.admin.read("/api/organizations")
        self.daemon.restart()
        self.assertEqual(self.admin.key, key)
        self.admin.read("/api/organizations")

    def test_what_is_stored_is_for_the_owner_only(self):
        for folder, _, names in os.walk(self.daemon.data):
            for name in names:
                mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                self.assertEqual(mode & 0o077, 0, name)

    def test_one_from_the_environment(self):
        key = "an-admin-key-from-the-environment"
        daemon = self.start_daemon(environment={"OUTDIAL_ADMIN_KEY": key})
        daemon.client(key).read("/api/organizations")
        self.fails(daemon.client(key + "x").get("/api/organizations"), 401, "UnauthorizedError")
        daemon.environment = {}
        daemon.restart()
        self.fails(daemon.client(key).get("/api/organizations"), 401, "UnauthorizedError")


class Restart(Story):
    def everything(self, org):
        """All that can be read of an organisation."""
        seen = {"organization": org.api.read("/api/organization")}
        for path in ("/api/contacts", "/api/audiences", "/api/flows", "/api/custom-attributes",
                     "/api/dids", "/api/programs", "/api/program-executions",
                     "/api/program-executions?status=completed&status=cancelled&status=stopped"):
            seen[path] = org.api.pages(path)
        for audience in seen["/api/audiences"]:
            path = f"/api/audiences/{audience['id']}/contacts"
            seen[path] = org.api.pages(path)
        for path in [path for path in seen if path.startswith("/api/program-executions")]:
            for execution in seen[path]:
                seen[execution["id"]] = (org.entries(execution["id"]), org.calls(execution["id"]))
        seen["keys"] = self.admin.pages(f"/api/organizations/{org.id}/api-keys")
        return seen

    def fill(self):
        org = self.org(timezone="Europe/Paris", maxConcurrentCalls=50)
        org.api.create("/api/custom-attributes", {"name": "score", "type": "number"})
        contact = org.contact(firstName="Zoë", customAttributes={"score": 1.5})
        worker = self.worker()
        retry = {"type": "fixed_delay", "delayMinutes": 5, "maxRetries": 2}
        done = org.launch(org.program(audienceId=org.audience([contact])["id"]))
        worker.finish(worker.claim_one())
        org.wait_status(done, "completed")
        cancelled = org.launch(org.program(5, pacing={"maxConcurrentCalls": 1}))
        org.wait_counts(cancelled, inProgress=1)
        org.cancel(cancelled)
        running = org.launch(org.program(
            30, retryStrategy=retry, pacing={"maxConcurrentCalls": 8, "callsPerSecond": 500},
            pauseWindows={"sunday": [{"startAt": {"hour": 0, "minute": 0},
                                      "endAt": {"hour": 23, "minute": 59}}]},
            stopAt=later(MONDAY_NINE, days=20)))
        org.wait_counts(running, total=30)
        self.daemon.advance(1)
        calls = [call for call in worker.claim(wait_ms=2000) if call["executionId"] == running]
        worker.finish(calls[0], "busy")
        worker.finish(calls[1], "answered")
        worker.started(calls[2])
        self.daemon.advance(1)
        paused = org.launch(org.program(3, pacing={"maxConcurrentCalls": 1}))
        org.wait_counts(paused, inProgress=1)
        org.pause(paused)
        org.launch(org.program(3, startAt=later(MONDAY_NINE, days=2)))
        self.daemon.settle()
        return org, running, calls

    def test_everything_is_kept(self):
        org, running, calls = self.fill()
        before = self.everything(org)
        for kill in (False, True):
            with self.subTest(kill=kill):
                self.daemon.restart(kill=kill)
                self.daemon.settle()
                self.assertEqual(self.everything(org), before)
        worker = self.worker()
        self.assertEqual(worker.started(calls[2])["status"], "duplicate")
        worker.result(calls[2], "answered")
        self.assertEqual(org.execution(running)["contactsCompleted"], 2)

    def test_work_goes_on_to_its_end(self):
        org = self.org()
        worker = self.worker()
        execution = org.launch(org.program(
            40, pacing={"maxConcurrentCalls": 5}, retryStrategy={
                "type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1}))
        dialled, kill = {}, False
        while org.execution(execution)["status"] != "completed":
            for number, call in enumerate(worker.claim(wait_ms=100)):
                answer = worker.started(call)
                if answer["status"] == "accepted":
                    self.assertNotIn(call["callId"], dialled)
                    dialled[call["callId"]] = call
                    worker.result(call, "busy" if number % 3 == 0 else "answered")
            kill = not kill
            self.daemon.restart(kill=kill)
            self.daemon.advance(61)
        done = org.execution(execution)
        self.assertEqual(done["contactsCompleted"] + done["contactsFailed"], 40)
        self.assertEqual({call["callId"] for call in org.calls(execution)}, set(dialled))


class TestClock(Story):
    def test_it_stands_still_until_it_is_moved(self):
        self.assertEqual(self.daemon.now(), MONDAY_NINE)
        contact = self.org().contact()
        self.assertEqual(contact["createdAt"], MONDAY_NINE)
        self.assertEqual(self.daemon.advance(90), later(MONDAY_NINE, seconds=90))
        to = "2026-11-24T10:00:00.500+01:00"
        self.assertEqual(self.daemon.advance_to(to), "2026-11-24T09:00:00.500Z")
        self.assertEqual(self.daemon.now(), "2026-11-24T09:00:00.500Z")

    def test_faults(self):
        path = "/api/test-clock/advance"
        for body in ({}, {"seconds": -1}, {"seconds": "1"}, {"to": "soon"}, {"seconds": 1e300},
                     {"to": later(MONDAY_NINE, seconds=-1)}, {"seconds": 1, "x": 1}, {"to": None},
                     {"seconds": 1, "to": later(MONDAY_NINE, days=1)}):
            with self.subTest(body=body):
                self.invalid(self.admin.post(path, body))
        self.assertEqual(self.daemon.now(), MONDAY_NINE)
        org = self.org()
        self.fails(org.api.post(path, {"seconds": 1}), 403, "ForbiddenError")
        self.fails(org.api.get("/api/test-clock"), 403, "ForbiddenError")
        self.fails(self.worker().api.get("/api/test-clock"), 403, "ForbiddenError")
        self.fails(self.daemon.client().post(path, {"seconds": 1}), 401, "UnauthorizedError")
        self.fails(self.admin.get(path), 405, "MethodNotAllowedError")

    def test_without_it_the_routes_do_not_exist(self):
        daemon = self.start_daemon(test_clock=None)
        self.fails(daemon.admin.get("/api/test-clock"), 404, "RouteNotFoundError")
        self.fails(daemon.admin.post("/api/test-clock/advance", {"seconds": 1}),
                   404, "RouteNotFoundError")

    def test_without_an_instant_it_starts_now(self):
        daemon = self.start_daemon(test_clock=True)
        first = daemon.now()
        self.assert_stamp(first)
        self.assertGreater(first, "2026-01-01")
        self.assertEqual(daemon.now(), first)

    def test_it_goes_on_from_the_later_instant(self):
        org = self.org()
        moment = self.daemon.advance(86400)
        org.contact()
        self.daemon.restart()
        self.assertEqual(self.daemon.now(), moment)
        self.daemon.restart(kill=True)
        self.assertEqual(self.daemon.now(), moment)
        self.daemon.stop()
        self.daemon.test_clock = later(moment, days=3)
        self.daemon.start()
        self.assertEqual(self.daemon.now(), later(moment, days=3))

    def test_everything_due_happens_before_the_answer(self):
        org = self.org()
        execution = org.launch(org.program(
            20, gateway="simulator", startAt=later(MONDAY_NINE, days=1),
            retryStrategy={"type": "fixed_delay", "delayMinutes": 600, "maxRetries": 5}))
        self.daemon.advance(30 * 86400)
        self.assertEqual(org.execution(execution)["status"], "completed")

    def test_everything_due_is_durable_before_the_answer(self):
        org = self.org()
        execution = org.launch(org.program(
            300, gateway="simulator", startAt=later(MONDAY_NINE, hours=1),
            retryStrategy={"type": "fixed_delay", "delayMinutes": 60, "maxRetries": 5}))
        for hours in (2, 1, 48):
            now = self.daemon.advance(hours * 3600)
            self.daemon.kill9()  # at once: nothing is asked in between
            self.daemon.start()
            self.assertEqual(self.daemon.now(), now)
            seen = org.execution(execution)
            calls = org.calls(execution)
            first = [call for call in calls if call["attempt"] == 1 and call["outcome"]]
            self.assertEqual(len(first), 300)
            if hours != 48:
                self.assertEqual((seen["status"], seen["actualStartAt"]),
                                 ("running", later(MONDAY_NINE, hours=1)))
        self.assertEqual(seen["status"], "completed")
        self.assertEqual(seen["contactsCompleted"] + seen["contactsFailed"], 300)

    def test_two_advances_at_once(self):
        answers = []
        threads = [threading.Thread(target=lambda client=self.admin.clone(): answers.append(
            client.post("/api/test-clock/advance", {"seconds": 60}))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = sum(answer.status == 200 for answer in answers)
        self.assertGreaterEqual(done, 1)
        self.assertEqual(self.daemon.now(), later(MONDAY_NINE, seconds=60 * done))


class ManyConnections(Story):
    def test_too_many_are_refused_without_a_spin_and_recovery_needs_no_restart(self):
        org = self.org()
        org.api.read("/api/organization")  # a connection that is there before
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        lines = self.daemon.log_tail(1_000_000).count("\n")
        connections = []
        for _ in range(200):
            connections.append(self.daemon.connect())
        for _ in range(20):
            org.contact()
        self.assertLess(self.daemon.log_tail(1_000_000).count("\n") - lines, 10)
        for connection in connections:
            connection.close()
        expect(self.daemon.client(org.key).get("/api/organization"), 200)


class Defaults(Story):
    """Without --config."""

    def test_a_thousand_connections_from_one_address(self):
        def connect():
            connection = self.daemon.connect()
            self.addCleanup(connection.close)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            return connection

        def is_answered(connection):
            try:
                return connection.recv(12) == b"HTTP/1.1 200"
            except OSError:
                return False

        self.admin.close()
        connections = [connect() for _ in range(990)]
        self.assertTrue(all(is_answered(connection) for connection in connections))
        more = [connect() for _ in range(30)]
        answered = sum(is_answered(connection) for connection in more)
        self.assertIn(answered, range(5, 11))
        for connection in connections + more:
            connection.close()
        wait_until(lambda: is_answered(connect()), "room for a connection")


class UnfinishedBodies(Story):
    def test_what_one_address_holds_does_not_stop_small_requests(self):
        org = self.org()
        size = 8 * 1024 * 1024
        head = f"POST /api/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        connections = []
        # Together 60 bytes less than what all may hold.
        for sent in [size - 4096] * 32 + [32 * 4096 - 60]:
            connection = self.daemon.connect()
            connections.append(connection)
            try:
                connection.sendall(head.encode() + b"x" * sent)
            except OSError:
                pass  # refused before the end
        for _ in range(20):
            expect(self.daemon.client().get("/healthz"), 200)
            org.contact()
        expect(read_response(connections[-2]), 503)
        for connection in connections:
            connection.close()
        for _ in range(3):  # by when the daemon has seen that they are closed
            expect(self.daemon.client().get("/healthz"), 200)
        self.fails(org.api.post("/api/contacts", raw=b"x" * (size - 4096)), 400, "ValidationError")


class RealClock(Story):
    test_clock = None
    config = "[calls]\nlease_seconds = 1\n"

    def test_a_campaign_in_real_time(self):
        org = self.org()
        worker = self.worker()
        execution = org.launch(3)
        calls = worker.claim_exactly(3)
        worker.finish_all(calls[:2])
        # The third one's lease ends by itself.
        (again,) = worker.claim(max=5, wait_ms=15000)
        self.assertEqual((again["callId"], again["redelivered"]), (calls[2]["callId"], True))
        worker.finish(again, "busy")
        done = org.wait_status(execution, "completed")
        self.assertEqual((done["contactsCompleted"], done["contactsFailed"]), (2, 1))
        self.assertLess(done["actualStartAt"], done["actualEndAt"])


class Health(Story):
    def test_no_key_is_needed(self):
        bare = self.daemon.client()
        for path in ("/healthz", "/readyz", "/metrics"):
            with self.subTest(path):
                expect(bare.get(path), 200)

    def test_metrics_are_prometheus_text(self):
        org = self.org()
        org.launch(3)
        self.worker().claim_exactly(3)
        response = self.daemon.client().get("/metrics")
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain"))
        samples = 0
        for line in response.json.splitlines():
            if line.startswith("#"):
                self.assertRegex(line, r"^# (HELP|TYPE) outdial_[a-z0-9_]+ ")
            elif line:
                self.assertRegex(
                    line, r'^outdial_[a-z0-9_]+(\{([a-z_]+="[^"]*",?)+\})? [-+0-9.eEInfNa]+$')
                samples += 1
        self.assertGreater(samples, 5)

    def test_on_a_listener_of_its_own(self):
        port = free_port()
        daemon = Daemon(config=f"[server]\nops_listen = 127.0.0.1:{port}\n")
        daemon._wait_ready = lambda patience: ready_on(daemon, port)  # pylint: disable=protected-access
        daemon.start()
        self.addCleanup(daemon.close)
        for path in ("/healthz", "/readyz", "/metrics"):
            self.fails(daemon.client().get(path), 404, "RouteNotFoundError")
        daemon.admin.read("/api/organizations")
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200),
                             ("/api/organizations", 404)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            self.addCleanup(connection.close)
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().status, status, path)

    def test_a_listener_that_is_taken(self):
        with self.daemon.connect():
            done, _ = run("--listen", f"127.0.0.1:{self.daemon.port}", "--data-dir", "data")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.daemon.port), done.stderr)


def ready_where_it_says(daemon):
    """Takes the port from the log, and waits for /readyz there."""
    pattern = re.compile(r'"listening","for":"requests".*"port":(\d+)')
    said = wait_until(lambda: pattern.search(daemon.log_tail()), "it says where it listens")
    daemon.port = int(said.group(1))
    return Daemon._wait_ready(daemon, 60)  # pylint: disable=protected-access


def ready_on(daemon, port):
    """Waits for /readyz on the operations' port."""
    own, daemon.port = daemon.port, port
    try:
        return Daemon._wait_ready(daemon, 60)  # pylint: disable=protected-access
    finally:
        daemon.port = own


class DiskFull(Story):
    """No more room for the store: the limit of a file's size stands for the disk's end."""

    def fill(self):
        data = os.path.getsize(os.path.join(self.daemon.data, "data.mdb"))
        self.limit(data)
        api = self.org_.api.clone()
        for _ in range(500):
            answer = api.post("/api/contacts/upsert", {"data": [
                {"primaryPhone": self.daemon.phone(), "lastName": "x" * 60} for _ in range(500)]})
            if answer.status != 200:
                break
            self.kept += 500
        self.unavailable(answer)

    def limit(self, size):
        process = self.daemon.process.pid
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def unavailable(self, answer):
        self.fails(answer, 503, "UnavailableError")
        self.assertGreater(int(answer.headers["Retry-After"]), 0)

    def ready(self):
        return self.daemon.client().get("/readyz").status

    def contacts(self):
        return len(self.org_.api.pages("/api/contacts"))

    def test_writes_are_503_until_there_is_room_and_nothing_is_half_done(self):
        self.org_ = org = self.org()
        worker = self.worker()
        execution = org.launch(3)
        self.kept = 3
        first, second, third = worker.claim_exactly(3)
        worker.started(first)
        self.fill()
        events = {"events": [started(second), result(first)]}
        claim = {"max": 1, "waitMs": 0, "gateway": "worker"}
        program = org.execution(execution)["programId"]
        for client, method, path, body in (
                (org.api, "POST", "/api/audiences", {"name": "x"}),
                (org.api, "PATCH", f"/api/programs/{program}", {"name": "x"}),
                (org.api, "PATCH", f"/api/program-executions/{execution}/pause", {}),
                (self.admin, "POST", "/api/organizations", {"name": "x"}),
                (worker.api, "POST", "/api/call-events", events),
                (worker.api, "POST", "/api/calls/claim", claim)):
            with self.subTest(method=method, path=path):
                self.unavailable(client.request(method, path, body))
        self.assertEqual(self.ready(), 503)
        expect(self.daemon.client().get("/healthz"), 200)
        self.assertIn("outdial_read_only 1\n", self.daemon.client().get("/metrics").json)
        self.assertEqual(self.contacts(), self.kept)
        self.assertEqual(org.execution(execution)["contactsInProgress"], 3)
        self.limit(resource.RLIM_INFINITY)
        wait_until(lambda: self.ready() == 200, "it takes work again")
        self.assertEqual(self.contacts(), self.kept)
        self.assertEqual([row["name"] for row in org.api.pages("/api/programs")],
                         [org.api.read(f"/api/programs/{program}")["name"]])
        self.assertNotEqual(org.api.read(f"/api/programs/{program}")["name"], "x")
        # What was refused may be sent again, as if it had never been.
        self.assertEqual([each["status"] for each in worker.tell(
            started(second), result(first), started(third), result(third), result(second))],
            ["accepted"] * 5)
        self.assertEqual(org.wait_status(execution, "completed")["contactsCompleted"], 3)

    def test_a_kill_while_it_is_full_loses_nothing(self):
        self.org_ = self.org()
        self.kept = 0
        self.fill()
        self.daemon.restart(kill=True)
        self.assertEqual(self.contacts(), self.kept)
        self.org_.contact()


class ManyTenants(Story):
    def test_a_restart_with_many_executions(self):
        orgs = [Organisation(self.daemon) for _ in range(10)]
        executions = [(org, org.launch(20)) for org in orgs]
        for org, execution in executions:
            org.wait_counts(execution, total=20, inProgress=20)
        self.daemon.restart(kill=True)
        worker = self.worker()
        for _ in range(10):
            worker.finish_all(worker.claim(max=20, wait_ms=2000))
        for org, execution in executions:
            self.assertEqual(org.wait_status(execution, "completed")["contactsCompleted"], 20)


if __name__ == "__main__":
    main()
