"""api.md, "Conventions" to "An organisation's data": what is said of every list, time and key, held against each of
them."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.parse

import contract
from outdial_daemon import (
    Story, expect, free_port, later, main, program_path, read_response, unknown_id, wait_until)


class Shared(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api


class Cursors(Story):
    """A list of each kind is read in pages while rows come and go between them."""

    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api

    def newest_first(self, client, path, made, key="id"):
        """`made` are the newest rows, the oldest first."""
        rows = client.pages(path, limit=2)
        self.assertEqual([row[key] for row in rows[:len(made)]], made[::-1])

    def survives(self, client, path, made, remove, add):
        """`made` are ids of seven rows in the order of their making; the newest comes first."""
        self.newest_first(client, path, made)
        mark = "&" if "?" in path else "?"

        def page(cursor):
            answer = client.read(f"{path}{mark}limit=2" + (f"&cursor={cursor}" if cursor else ""))
            return [row["id"] for row in answer["data"]], answer["nextCursor"]

        shown, first = page(None)
        self.assertEqual(shown, [made[6], made[5]])
        for gone in (made[5], made[3], made[6]):  # where the cursor stands, one to come, one shown
            remove(gone)
        new = add()
        shown, second = page(first)
        self.assertEqual(shown, [made[4], made[2]])
        remove(made[2])
        shown, _ = page(second)
        self.assertEqual(shown[:2], [made[1], made[0]])
        again, _ = page(first)  # good as often as it is used
        self.assertEqual(again, [made[4], made[1]])
        newest, _ = page(None)
        self.assertEqual(newest, [new, made[4]])

    def test_audiences(self):
        self.survives(self.api, "/api/audiences", [self.one.audience()["id"] for _ in range(7)],
                      lambda gone: self.api.remove(f"/api/audiences/{gone}"),
                      lambda: self.one.audience()["id"])

    def test_flows(self):
        self.survives(self.api, "/api/flows", [self.one.flow()["id"] for _ in range(7)],
                      lambda gone: self.api.remove(f"/api/flows/{gone}"),
                      lambda: self.one.flow()["id"])

    def test_custom_attributes(self):
        def make():
            return self.api.create("/api/custom-attributes", {
                "name": self.daemon.name("a").replace(" ", "_"), "type": "string"})["id"]

        self.survives(self.api, "/api/custom-attributes", [make() for _ in range(7)],
                      lambda gone: self.api.remove(f"/api/custom-attributes/{gone}"), make)

    def test_own_and_shared_dids(self):
        shared = iter([True, False, True, True, False, False, True, False])

        def make():
            return self.one.did(shared=next(shared))["id"]

        self.survives(self.api, "/api/dids", [make() for _ in range(7)],
                      lambda gone: self.admin.remove(f"/api/dids/{gone}"), make)

    def test_api_keys_of_an_organisation_and_of_the_platform(self):
        for path, role in ((f"/api/organizations/{self.one.id}/api-keys", "org"),
                           ("/api/api-keys", "worker")):
            def make(path=path, role=role):
                return self.admin.create(path, {"name": "x", "role": role})["id"]

            with self.subTest(path):
                self.survives(self.admin, path, [make() for _ in range(7)],
                              lambda gone, path=path: self.admin.remove(f"{path}/{gone}"), make)

    def test_programs_all_and_by_status(self):
        body = self.one.program_body()
        for query in ("", "?status=draft", "?mode=batch"):
            def make():
                return self.api.create("/api/programs", body)["id"]

            with self.subTest(query=query):
                self.survives(self.api, f"/api/programs{query}", [make() for _ in range(7)],
                              lambda gone: self.api.remove(f"/api/programs/{gone}"), make)

    def test_organisations(self):
        made = [self.org().id for _ in range(5)]
        self.newest_first(self.admin, "/api/organizations", made)
        first = self.admin.read("/api/organizations?limit=2")
        self.org()
        second = self.admin.read(f"/api/organizations?limit=2&cursor={first['nextCursor']}")
        self.assertEqual([row["id"] for row in second["data"]], [made[2], made[1]])

    def test_contacts_of_an_audience(self):
        """The newest contact first, whenever it joined."""
        contacts = [contact["id"] for contact in self.one.contacts(8)]
        order = contacts[6::-1]
        audience = self.one.audience([{"id": contact} for contact in order[3:] + order[:3]])
        path = f"/api/audiences/{audience['id']}/contacts"
        self.newest_first(self.api, path, contacts[:7])
        first = self.api.read(f"{path}?limit=2")
        # Where the cursor stands and one to come are no members any more, one shown is gone at all.
        expect(self.api.delete(path, {"contactIds": [order[1], order[3]]}), 200)
        self.api.remove(f"/api/contacts/{order[0]}")
        self.api.create(path, {"contactIds": [contacts[7]]}, 200)
        rest = self.api.read(f"{path}?limit=100&cursor={first['nextCursor']}")
        self.assertEqual([row["id"] for row in rest["data"]], [order[2]] + order[4:])
        self.assertEqual([row["id"] for row in self.api.pages(path, limit=2)],
                         [contacts[7], order[2]] + order[4:])

    def test_executions_of_the_organisation_and_of_a_program(self):
        program = self.one.program(startAt=later(self.daemon.now(), days=1))
        def make():
            execution = self.one.launch(program)
            self.one.cancel(execution)
            return execution

        made = [make() for _ in range(6)]
        lists = (f"/api/programs/{program['id']}/executions",
                 "/api/program-executions?status=cancelled")
        firsts = []
        for path in lists:
            self.newest_first(self.api, path, made)
            mark = "&" if "?" in path else "?"
            firsts.append(self.api.read(f"{path}{mark}limit=2"))
        make()
        for path, first in zip(lists, firsts):
            mark = "&" if "?" in path else "?"
            second = self.api.read(f"{path}{mark}limit=2&cursor={first['nextCursor']}")
            self.assertEqual([row["id"] for row in second["data"]], [made[3], made[2]])

    def test_active_executions_of_which_some_end(self):
        def make():
            return self.one.launch(self.one.program(startAt=later(self.daemon.now(), days=1)))

        self.survives(self.api, "/api/program-executions", [make() for _ in range(7)],
                      self.one.cancel, make)


class CursorsOfCalls(Story):
    """Alone with their daemon, as its gateway is everybody's."""

    def setUp(self):
        super().setUp()
        self.one = self.org()

    def test_calls_and_contacts_that_change_their_status(self):
        worker = self.worker()
        execution = self.one.launch(self.one.program(6, retryStrategy={
            "type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1}))
        calls = worker.claim_exactly(6)
        worker.start_all(calls)
        path = f"/api/program-executions/{execution}"
        whole = [row["callId"] for row in self.one.calls(execution)]
        self.assertEqual(len(set(whole)), 6)
        entries = [row["contactId"] for row in self.one.entries(execution)]
        first = self.one.api.read(f"{path}/calls?limit=2")
        self.assertEqual([row["callId"] for row in first["data"]], whole[:2])
        in_call = self.one.api.read(f"{path}/contacts?limit=2&status=in_call")
        self.assertEqual([row["contactId"] for row in in_call["data"]], entries[:2])
        # The one on which the cursor stands and one that is still to come leave the filtered list.
        by_contact = {call["contactId"]: call for call in calls}
        for entry in (entries[1], entries[3]):
            self.assertEqual(worker.result(by_contact[entry], "busy")["status"], "accepted")
        self.daemon.advance(60)
        again = worker.claim_exactly(2)  # rows of the list of calls that are new
        rest = self.one.api.read(f"{path}/calls?limit=100&cursor={first['nextCursor']}")
        shown = [row["callId"] for row in rest["data"]]
        self.assertEqual([row for row in shown if row in whole], whole[2:])
        self.assertLessEqual(set(shown) - set(whole), {call["callId"] for call in again})
        rest = self.one.api.read(
            f"{path}/contacts?limit=100&status=in_call&cursor={in_call['nextCursor']}")
        self.assertEqual([row["contactId"] for row in rest["data"]], [entries[2]] + entries[4:])
        newest = [row["callId"] for row in self.one.calls(execution)]
        self.assertEqual(set(newest[:2]), {call["callId"] for call in again})
        self.assertEqual(newest[2:], whole)


class Times(Shared):
    """Input with any offset, output always UTC with milliseconds, wherever a time is taken."""

    GIVEN = {"2027-03-01T00:30:00+01:00": "2027-02-28T23:30:00.000Z",
             "2027-03-01T00:30:00.25-11:30": "2027-03-01T12:00:00.250Z",
             "2027-03-01T00:30:00Z": "2027-03-01T00:30:00.000Z"}
    BAD = ("2027-03-01T00:30:00", "2027-03-01T00:30:00.000", "2027-03-01 00:30:00")

    def test_of_a_program(self):
        for given, shown in self.GIVEN.items():
            with self.subTest(given=given):
                program = self.one.program(
                    stopAt=given, retryStrategy={"type": "scheduled", "retryDates": [given]},
                    pauseWindows={"advanced": [{"startAt": given,
                                                "endAt": "2027-04-01T00:00:00+02:00"}]})
                program = self.api.read(f"/api/programs/{program['id']}")
                self.assertEqual(program["stopAt"], shown)
                self.assertEqual(program["retryStrategy"]["retryDates"], [shown])
                self.assertEqual(program["pauseWindows"]["advanced"],
                                 [{"startAt": shown, "endAt": "2027-03-31T22:00:00.000Z"}])
                execution = self.one.execution(self.one.launch(program))
                self.assertEqual(execution["scheduledStopAt"], shown)
                self.assertEqual(execution["retryStrategy"]["retryDates"], [shown])
                self.one.cancel(execution["id"])
        for bad in self.BAD:
            with self.subTest(bad=bad):
                self.invalid(self.api.post("/api/programs", self.one.program_body(
                    stopAt=bad, retryStrategy={"type": "scheduled", "retryDates": [bad]},
                    pauseWindows={"advanced": [{"startAt": bad, "endAt": bad}]})),
                    "stopAt", "retryStrategy.retryDates[0]", "pauseWindows.advanced[0].startAt",
                    "pauseWindows.advanced[0].endAt")

    def test_of_a_custom_attribute(self):
        self.api.create("/api/custom-attributes", {"name": "due", "type": "date"})
        for given, shown in self.GIVEN.items():
            with self.subTest(given=given):
                contact = self.one.contact(customAttributes={"due": given})
                self.assertEqual(contact["customAttributes"], {"due": shown})
                self.assertEqual(self.api.read(f"/api/contacts/{contact['id']}"), contact)
        plain = self.one.contact(customAttributes={"due": "2027-03-01"})
        self.assertEqual(plain["customAttributes"], {"due": "2027-03-01"})
        for bad in self.BAD:
            self.invalid(self.api.post("/api/contacts", {
                "primaryPhone": self.daemon.phone(), "customAttributes": {"due": bad}}),
                "customAttributes.due")

    def test_of_the_test_clock(self):
        before = self.daemon.now()
        target = later(before, hours=2)
        local = later(target, hours=5, minutes=45).replace("Z", "+05:45")
        self.assertEqual(self.daemon.advance_to(local), target)
        for bad in self.BAD:
            self.invalid(self.admin.post("/api/test-clock/advance", {"to": bad}), "to")
        self.assertEqual(self.daemon.now(), target)


class Keys(Shared):
    def test_a_revoked_key_stays_revoked_and_others_stay_good_after_a_kill(self):
        path = f"/api/organizations/{self.one.id}/api-keys"
        made = self.admin.create(path, {"name": "x", "role": "org"})
        platform = self.admin.create("/api/api-keys", {"name": "x", "role": "admin"})
        gone = [self.daemon.client(made["key"]), self.daemon.client(platform["key"])]
        gone[0].read("/api/contacts")
        gone[1].read("/api/organizations")
        self.admin.remove(f"{path}/{made['id']}")
        self.admin.remove(f"/api/api-keys/{platform['id']}")
        for _ in range(2):
            self.fails(gone[0].get("/api/contacts"), 401, "UnauthorizedError")
            self.fails(gone[1].get("/api/organizations"), 401, "UnauthorizedError")
            self.api.read("/api/contacts")
            self.daemon.restart(kill=True)

    def test_an_organisations_path_does_not_revoke_a_platform_key(self):
        platform = self.admin.create("/api/api-keys", {"name": "x", "role": "admin"})
        self.fails(self.admin.delete(f"/api/organizations/{self.one.id}/api-keys/{platform['id']}"),
                   404, "ApiKeyNotFoundError")
        own = self.admin.pages(f"/api/organizations/{self.one.id}/api-keys")[0]
        self.fails(self.admin.delete(f"/api/api-keys/{own['id']}"), 404, "ApiKeyNotFoundError")
        self.daemon.client(platform["key"]).read("/api/organizations")
        self.api.read("/api/contacts")

    def test_the_scheme_is_of_either_case(self):
        for scheme in ("bearer", "BEARER", "Bearer"):
            response = self.daemon.client().get(
                "/api/organization", headers={"Authorization": f"{scheme} {self.one.key}"})
            self.assertEqual(expect(response, 200)["id"], self.one.id)


class Unavailable(Story):
    """503 while it starts and while it stops, and when to come back."""

    def request(self, method, path, key, body=b""):
        return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                ).encode() + body

    def unavailable(self, response):
        self.fails(response, 503, "UnavailableError")
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)

    def answer(self, connection, method, path, key, body=b""):
        connection.sendall(self.request(method, path, key, body))
        response = read_response(connection, method)
        contract.check(method, path, response.status, response.headers, response.json)
        return response

    def first_answer(self):
        """The first one that a daemon on an empty folder gives."""
        with tempfile.TemporaryDirectory(prefix="outdial-") as folder:
            port = free_port()
            with subprocess.Popen(
                    [program_path(), "--listen", f"127.0.0.1:{port}", "--data-dir", folder],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    connection = wait_until(lambda: self.connected(port), "a listener")
                    with connection:
                        return self.answer(connection, "GET", "/api/organizations", "nobody")
                finally:
                    process.terminate()
                    process.wait()

    def connected(self, port):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionError:
            return None

    def test_while_its_first_key_is_not_durable(self):
        """It is a matter of milliseconds, so several daemons may be asked until one is early enough."""
        for _ in range(50):
            response = self.first_answer()
            if response.status != 401:
                break
        self.unavailable(response)

    @contextlib.contextmanager
    def a_stop_that_takes_time(self, one, connections):
        """SIGTERM with a client that takes its answer slowly, for which it waits at its end. Yields so many kept
        connections."""
        one.contacts(20000, lastName="x" * 64, fullName="y" * 64,
                     primaryEmail="e" * 240 + "@example.org")
        with contextlib.ExitStack() as stack:
            slow = stack.enter_context(self.daemon.connect())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(f"GET /api/contacts HTTP/1.1\r\nHost: x\r\nX-API-Key: {one.key}\r\n"
                         "Accept: text/csv\r\n\r\n".encode())
            self.assertTrue(slow.recv(100))
            kept = [stack.enter_context(self.daemon.connect()) for _ in range(connections + 1)]
            for connection in kept:
                expect(self.answer(connection, "GET", "/api/organization", one.key), 200)
            self.daemon.process.send_signal(signal.SIGTERM)
            try:
                wait_until(lambda: self.answer(kept[0], "GET", "/readyz", one.key).status == 503, "that it stops")
                yield kept[1:]
            finally:
                slow.close()
                process, self.daemon.process = self.daemon.process, None
                code = process.wait(60)
        self.assertEqual(code, 0)
        self.daemon.check_log()
        self.daemon.start()

    def test_while_it_stops(self):
        one = self.org()
        text = self.request("POST", "/api/audiences", one.key, b'{"name": "half"}')
        with self.a_stop_that_takes_time(one, 3) as kept:
            answer = self.answer(kept[0], "POST", "/api/audiences", one.key, b'{"name": "late"}')
            self.unavailable(answer)
            kept[1].sendall(text[:-5])
            expect(self.answer(kept[2], "GET", "/healthz", one.key), 200)
            kept[1].sendall(text[-5:])
            self.unavailable(read_response(kept[1]))
        self.assertEqual(one.api.pages("/api/audiences"), [])

    def test_a_second_signal_does_not_cut_the_last_answers_off(self):
        one = self.org()
        with self.a_stop_that_takes_time(one, 1) as kept:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                self.daemon.process.send_signal(number)
            expect(self.answer(kept[0], "GET", "/healthz", one.key), 200)


class Defaults(unittest.TestCase):
    def test_it_listens_on_port_3000_of_this_host_alone(self):
        """Seen without a daemon on that port: it is taken, and the refusal names it."""
        with tempfile.TemporaryDirectory(prefix="outdial-") as folder, socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # somebody else has it: as good
                taken.bind(("127.0.0.1", 3000))
                taken.listen()
            done = subprocess.run([program_path(), "--data-dir", folder], capture_output=True,
                                  text=True, timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("127.0.0.1:3000", done.stdout + done.stderr)


class BodyLimit(Story):
    config = "[server]\nbody_limit_bytes = 2KiB\n"

    def test_it_is_the_configured_one(self):
        one = self.org()
        for size, status in ((2048, 201), (2049, 413)):
            body = json.dumps({"primaryPhone": self.daemon.phone()}).encode().ljust(size)
            response = one.api.post("/api/contacts", raw=body)
            if status == 413:
                self.fails(response, 413, "PayloadTooLargeError")
            else:
                expect(response, status)
        self.assertEqual(len(one.api.pages("/api/contacts")), 1)


class Streams(Shared):
    def test_a_stream_of_events_has_the_clients_request_id(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/api/events", headers={
                "X-API-Key": self.one.key, "X-Request-Id": "mine"})
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.headers["X-Request-Id"]), (200, "mine"))


class Nulls(Shared):
    def test_null_clears_what_is_optional_and_brings_back_a_default(self):
        contact = self.one.contact(doNotCall=True)
        flow = self.one.flow(nodes=[{"id": "a", "type": "say"}], startNode="a")
        organisation = f"/api/organizations/{self.one.id}"
        self.admin.change(organisation, {"timezone": "Asia/Tokyo", "credits": 3,
                                         "callsPerSecond": 2, "maxConcurrentCalls": 2})
        for client, path, cleared in (
                (self.api, f"/api/contacts/{contact['id']}", {"doNotCall": False}),
                (self.api, f"/api/flows/{flow['id']}", {"nodes": None, "startNode": None}),
                (self.admin, organisation, {"timezone": "UTC", "credits": None,
                                            "callsPerSecond": None, "maxConcurrentCalls": None})):
            with self.subTest(path):
                before = client.read(path)
                changed = client.change(path, dict.fromkeys(cleared))
                self.assertEqual(changed, {**before, **cleared, "updatedAt": changed["updatedAt"]})
                self.assertEqual(client.read(path), changed)

    def test_null_does_not_clear_what_is_required(self):
        did = self.one.did()
        for client, path, name in (
                (self.api, f"/api/contacts/{self.one.contact()['id']}", "primaryPhone"),
                (self.api, f"/api/audiences/{self.one.audience()['id']}", "name"),
                (self.api, f"/api/flows/{self.one.flow()['id']}", "name"),
                (self.admin, f"/api/organizations/{self.one.id}", "name"),
                (self.admin, f"/api/dids/{did['id']}", "status")):
            with self.subTest(path):
                before = client.read(path)
                self.invalid(client.patch(path, {name: None}), name)
                self.assertEqual(client.read(path), before)


class Platform(Shared):
    def test_organisations_are_listed_as_they_are_read(self):
        changed = self.admin.change(f"/api/organizations/{self.one.id}",
                                    {"name": "Ajax", "credits": 7, "timezone": "Asia/Tokyo"})
        self.assertEqual(self.admin.pages("/api/organizations")[0], changed)
        self.assertEqual(self.admin.read(f"/api/organizations/{self.one.id}"), changed)
        self.assertEqual(self.api.read("/api/organization"), changed)

    def test_a_refused_change_of_an_organisation_changes_nothing(self):
        path = f"/api/organizations/{self.one.id}"
        before = self.admin.read(path)
        self.invalid(self.admin.patch(path, {"name": "Ajax", "timezone": "Mars", "id": "x",
                                             "credits": -1, "callsPerSecond": 0}),
                     "timezone", "id", "credits", "callsPerSecond")
        self.assertEqual(self.admin.read(path), before)

    def test_null_is_the_default_of_what_is_optional(self):
        made = self.admin.create("/api/organizations", {
            "name": "x", "timezone": None, "credits": None, "maxConcurrentCalls": None,
            "callsPerSecond": None})
        self.assertEqual([made[key] for key in ("timezone", "credits", "maxConcurrentCalls",
                                                "callsPerSecond")], ["UTC", None, None, None])

    def test_a_number_is_a_dids_for_good(self):
        did = self.one.did()
        path = f"/api/dids/{did['id']}"
        self.invalid(self.admin.patch(path, {"number": self.daemon.phone(), "id": unknown_id()}),
                     "number", "id")
        self.assertEqual(self.api.read(path), did)


class DidsOfAnOrganisation(Shared):
    def listed(self, one):
        return {row["id"]: row for row in one.api.pages("/api/dids")}

    def test_inactive_ones_are_still_its_own_and_so_are_shared_ones(self):
        other = self.org()
        own, shared = self.one.did(status="inactive"), self.one.did(shared=True, status="inactive")
        self.assertEqual(self.listed(self.one)[own["id"]], own)
        self.assertNotIn(own["id"], self.listed(other))
        for one in (self.one, other):
            self.assertEqual(self.listed(one)[shared["id"]], shared)
            self.assertEqual(one.api.read(f"/api/dids/{shared['id']}"), shared)

    def test_a_shared_one_that_changes_or_goes_does_so_for_everybody(self):
        other = self.org()
        shared = self.one.did(shared=True)
        path = f"/api/dids/{shared['id']}"
        self.admin.change(path, {"status": "inactive"})
        for one in (self.one, other):
            self.assertEqual(self.listed(one)[shared["id"]]["status"], "inactive")
        self.admin.remove(path)
        for one in (self.one, other):
            self.assertNotIn(shared["id"], self.listed(one))
            self.fails(one.api.get(path), 404, "DidNotFoundError")

    def test_both_organisations_dial_from_a_shared_one(self):
        shared = self.one.did(shared=True)
        for one in (self.one, self.org()):
            program = one.program(didPool=[shared["id"]])
            self.assertEqual(program["didPool"], [{"id": shared["id"], "number": shared["number"],
                                                   "status": "active"}])


class InUse(Shared):
    """409 while a program that is not deleted uses it: also while it is archived, draft or live."""

    def test_an_audience_and_a_flow_of_an_archived_program(self):
        program = self.one.program()
        self.api.change(f"/api/programs/{program['id']}", {"status": "archived"})
        paths = [f"/api/audiences/{program['audienceId']}", f"/api/flows/{program['flowId']}"]
        for path in paths:
            self.fails(self.api.delete(path), 409, "ConflictError")
            self.api.read(path)
        self.api.remove(f"/api/programs/{program['id']}")
        for path in paths:
            self.api.remove(path)

    def test_two_programs_of_one_audience_and_flow(self):
        first = self.one.program()
        second = self.one.program(audienceId=first["audienceId"], flowId=first["flowId"])
        paths = [f"/api/audiences/{first['audienceId']}", f"/api/flows/{first['flowId']}"]
        self.api.remove(f"/api/programs/{first['id']}")
        for path in paths:
            self.fails(self.api.delete(path), 409, "ConflictError")
        self.api.remove(f"/api/programs/{second['id']}")
        for path in paths:
            self.api.remove(path)

    def test_the_audience_and_the_attribute_of_a_live_program(self):
        attribute = self.api.create("/api/custom-attributes", {"name": "due", "type": "date"})
        body = self.one.program_body(mode="live", triggerCondition={"attributeName": "due"})
        del body["audienceId"]
        program = self.api.create("/api/programs", body)
        self.api.change(f"/api/programs/{program['id']}", {"status": "archived"})
        paths = [f"/api/audiences/{program['audienceId']}",
                 f"/api/custom-attributes/{attribute['id']}"]
        for path in paths:
            self.fails(self.api.delete(path), 409, "ConflictError")
        self.api.remove(f"/api/programs/{program['id']}")
        for path in paths:
            self.api.remove(path)

    def test_an_attribute_that_is_only_contacts_may_go(self):
        attribute = self.api.create("/api/custom-attributes", {"name": "note", "type": "string"})
        contact = self.one.contact(customAttributes={"note": "x"})
        self.api.remove(f"/api/custom-attributes/{attribute['id']}")
        path = f"/api/contacts/{contact['id']}"
        self.api.read(path)
        self.api.change(path, {"firstName": "Ada"})
        self.invalid(self.api.patch(path, {"customAttributes": {"note": "y"}}),
                     "customAttributes.note")


class Contacts(Shared):
    def test_a_number_is_found_however_it_is_written(self):
        contact = self.one.contact()
        phone = contact["primaryPhone"]
        for written in (phone, f"{phone[:3]} ({phone[3:5]}) {phone[5:8]}-{phone[8:]}"):
            page = self.api.read("/api/contacts?primaryPhone=" + urllib.parse.quote(written))
            self.assertEqual(page, {"data": [contact], "nextCursor": None}, written)

    def test_a_number_that_is_none_is_a_fault_of_the_query(self):
        for bad in ("nonsense", "%2B12", ""):
            self.invalid(self.api.get(f"/api/contacts?primaryPhone={bad}"), "primaryPhone")

    def test_a_full_name_is_at_most_64_characters(self):
        self.one.contact(fullName="é" * 64)
        self.invalid(self.api.post("/api/contacts", {"primaryPhone": self.daemon.phone(),
                                                     "fullName": "é" * 65}), "fullName")

    def test_a_contact_is_in_the_list_as_it_is_read(self):
        contact = self.one.contact(firstName="Ada", timezone="Europe/London")
        self.assertEqual(self.api.pages("/api/contacts"), [contact])

    def test_each_type_of_attribute_is_checked_by_patch_and_upsert_too(self):
        wrong = {"string": 3, "number": "3", "boolean": 1, "date": "soon"}
        for kind in wrong:
            self.api.create("/api/custom-attributes", {"name": f"a_{kind}", "type": kind})
        contact = self.one.contact()
        values = {f"a_{kind}": value for kind, value in wrong.items()}
        paths = [f"customAttributes.{name}" for name in values]
        self.invalid(self.api.patch(f"/api/contacts/{contact['id']}",
                                    {"customAttributes": values}), *paths)
        self.invalid(self.api.post("/api/contacts/upsert", {"data": [
            {"primaryPhone": contact["primaryPhone"], "customAttributes": values}]}),
            *[f"data[0].{path}" for path in paths])
        self.assertEqual(self.api.read(f"/api/contacts/{contact['id']}"), contact)


class Upsert(Shared):
    def upsert(self, *contacts):
        return self.api.post("/api/contacts/upsert", {"data": list(contacts)})

    def test_a_fault_that_only_stored_rows_tell_keeps_all_of_it_out(self):
        known = self.one.contact(firstName="Ada")
        fresh = self.daemon.phone()
        self.invalid(self.upsert(
            {"primaryPhone": known["primaryPhone"], "firstName": "Eve"}, {"primaryPhone": fresh},
            {"primaryPhone": self.daemon.phone(), "customAttributes": {"shoe": 44}}),
            "data[2].customAttributes.shoe")
        self.assertEqual(self.api.pages("/api/contacts"), [known])

    def test_it_is_matched_by_the_normalised_number(self):
        known = self.one.contact(firstName="Ada")
        phone = known["primaryPhone"]
        answer = expect(self.upsert({"primaryPhone": f"{phone[:4]} {phone[4:6]}-{phone[6:]}",
                                     "lastName": "King"}), 200)
        self.assertEqual(answer, {"created": 0, "updated": 1, "contacts": [
            {"id": known["id"], "primaryPhone": phone}]})
        changed = self.api.read(f"/api/contacts/{known['id']}")
        self.assertEqual((changed["firstName"], changed["lastName"]), ("Ada", "King"))

    def test_attributes_that_it_does_not_name_stay(self):
        for name in ("a", "b"):
            self.api.create("/api/custom-attributes", {"name": name, "type": "number"})
        known = self.one.contact(customAttributes={"a": 1, "b": 2})
        expect(self.upsert({"primaryPhone": known["primaryPhone"],
                            "customAttributes": {"b": 3}}), 200)
        changed = self.api.read(f"/api/contacts/{known['id']}")
        self.assertEqual(changed["customAttributes"], {"a": 1, "b": 3})

    def test_the_same_number_of_another_organisation_is_not_touched(self):
        foreign = self.org()
        contact = foreign.contact(firstName="Ada")
        answer = expect(self.upsert({"primaryPhone": contact["primaryPhone"],
                                     "firstName": "Eve"}), 200)
        self.assertEqual((answer["created"], answer["updated"]), (1, 0))
        self.assertEqual(foreign.api.pages("/api/contacts"), [contact])

    def test_one_number_twice_in_a_body_is_one_contact(self):
        phone = self.daemon.phone()
        answer = expect(self.upsert({"primaryPhone": phone, "firstName": "Ada"},
                                    {"primaryPhone": phone, "lastName": "King"}), 200)
        rows = self.api.pages("/api/contacts")
        self.assertEqual([(row["firstName"], row["lastName"]) for row in rows], [("Ada", "King")])
        self.assertEqual(answer, {"created": 1, "updated": 1, "contacts": [
            {"id": rows[0]["id"], "primaryPhone": phone}] * 2})


class Membership(Shared):
    """contactCount is how many contacts the list has, whatever brought them in or took them away."""

    def setUp(self):
        super().setUp()
        self.audience = self.one.audience()
        self.path = f"/api/audiences/{self.audience['id']}"

    def count(self, expected):
        self.assertEqual(self.api.read(self.path)["contactCount"], expected)
        listed = [row for row in self.api.pages("/api/audiences") if row["id"] == self.audience["id"]]
        self.assertEqual(listed[0]["contactCount"], expected)
        self.assertEqual(len(self.api.pages(self.path + "/contacts", limit=2)), expected)

    def test_through_all_ways_in_and_out(self):
        contacts = [row["id"] for row in self.one.contacts(4)]
        members = self.path + "/contacts"
        self.api.create(members, {"contactIds": contacts}, 200)
        self.count(4)
        for _ in range(2):  # taken away a second time, it is no member
            answer = expect(self.api.delete(members, {"contactIds": contacts[:1]}), 200)
        self.assertEqual(answer, {"removed": 0})
        self.count(3)
        self.api.remove(f"/api/contacts/{contacts[1]}")
        self.count(2)
        self.assertEqual(self.api.create(members, {"contactIds": contacts[:1]}, 200),
                         {"added": 1, "alreadyPresent": 0})
        self.count(3)
        row = json.dumps({"primaryPhone": self.daemon.phone()}).encode()
        response = self.api.post(f"/api/contacts/import?audienceId={self.audience['id']}", raw=row,
                                 headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual(expect(response, 200)["created"], 1)
        self.count(4)
        self.api.change(self.path, {"name": "Leads"})
        self.count(4)
        self.daemon.restart(kill=True)
        self.count(4)

    def test_taking_away_leaves_other_audiences_and_the_contact(self):
        contact = self.one.contact()
        other = self.one.audience([contact])
        self.api.create(self.path + "/contacts", {"contactIds": [contact["id"]]}, 200)
        expect(self.api.delete(self.path + "/contacts", {"contactIds": [contact["id"]]}), 200)
        self.count(0)
        self.assertEqual(self.api.read(f"/api/audiences/{other['id']}")["contactCount"], 1)
        self.assertEqual(self.api.read(f"/api/contacts/{contact['id']}"), contact)

    def test_a_foreign_or_unknown_contact_is_no_member_to_remove(self):
        own = self.one.contact()["id"]
        self.api.create(self.path + "/contacts", {"contactIds": [own]}, 200)
        for other in (unknown_id(), self.org().contact()["id"]):
            answer = self.api.delete(self.path + "/contacts", {"contactIds": [other]})
            self.assertEqual(expect(answer, 200), {"removed": 0})
        self.count(1)


if __name__ == "__main__":
    main()
