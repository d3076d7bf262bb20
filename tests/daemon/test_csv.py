"""Lists as CSV (Accept: text/csv): whole, streamed, RFC 4180, and harmless in a spreadsheet."""

import contextlib
import csv
import http.client
import io
import socket
import threading

from outdial_daemon import Story, main, unknown_id, wait_until

CSV = {"Accept": "text/csv"}
CALL = ["callId", "executionId", "contactId", "attempt", "status", "from", "didId", "to", "outcome",
        "detail", "durationSeconds", "inDoubt", "lateOutcome", "queuedAt", "startedAt", "endedAt"]
ENTRY = ["contactId", "primaryPhone", "status", "attempts", "lastOutcome", "nextAttemptAt",
         "completedAt"]
CONTACT = ["id", "primaryPhone", "firstName", "lastName", "fullName", "primaryEmail", "timezone",
           "doNotCall", "createdAt", "updatedAt"]


def cell(value):
    """What a JSON value is in a cell, where it is no formula."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Case(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.workers = self.worker()

    def fetch(self, path, **headers):
        response = self.one.api.get(path, headers={**CSV, **headers})
        self.assertEqual(response.status, 200, response.json)
        self.assertEqual(response.headers["Content-Type"], "text/csv; charset=utf-8; header=present")
        return response

    def table(self, path):
        """The header and the rows."""
        text = self.fetch(path).json
        self.assertTrue(text.endswith("\r\n"))
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        return rows[0], rows[1:]

    def path(self, execution, suffix):
        return f"/api/program-executions/{execution}/{suffix}"


class Lists(Case):
    def test_calls_are_those_of_the_list(self):
        execution = self.one.launch(self.one.program(
            30, retryStrategy={"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1}))
        calls = self.workers.claim_exactly(30)
        for call in calls[:20]:
            self.workers.finish(call, "busy")
        self.workers.result(calls[20], "answered", durationSeconds=7, detail='a "b", c')
        self.daemon.advance(61)
        header, rows = self.table(self.path(execution, "calls"))
        self.assertEqual(header, CALL)
        listed = self.one.calls(execution)
        self.assertEqual(rows, [[cell(call[name]) for name in CALL] for call in listed])
        self.assertEqual(len(rows), 50)
        _, rows = self.table(self.path(execution, "calls?outcome=answered"))
        self.assertEqual([row[CALL.index("detail")] for row in rows], ['a "b", c'])
        contact = calls[0]["contactId"]
        _, rows = self.table(self.path(execution, f"calls?contactId={contact}"))
        self.assertEqual([row[CALL.index("attempt")] for row in rows], ["2", "1"])
        self.assertEqual(self.table(self.path(execution, f"calls?contactId={unknown_id()}"))[1], [])

    def test_contacts_of_an_execution_are_those_of_the_list(self):
        execution = self.one.launch(self.one.program(250, pacing={"maxConcurrentCalls": 10}))
        self.workers.finish_all(self.workers.claim_exactly(10))
        self.workers.claim_exactly(10)
        header, rows = self.table(self.path(execution, "contacts"))
        self.assertEqual(header, ENTRY)
        self.assertEqual(rows, [[cell(row[name]) for name in ENTRY]
                                for row in self.one.entries(execution)])
        self.assertTrue(all(row[1].startswith("+") for row in rows))
        _, rows = self.table(self.path(execution, "contacts?status=completed&status=queued"))
        self.assertEqual(len(rows), 20)

    def test_contacts_with_their_attributes(self):
        for name, kind in (("plan", "string"), ("score", "number"), ("vip", "boolean"),
                           ("born", "date"), ("firstName", "string")):
            self.one.api.create("/api/custom-attributes", {"name": name, "type": kind})
        self.one.contact()
        self.one.contact(firstName="Zoë", lastName="van der Ü", customAttributes={
            "plan": "gold", "score": -2.5, "vip": True, "born": "2000-02-29", "firstName": "Z"})
        header, rows = self.table("/api/contacts")
        self.assertEqual(header[:10], CONTACT)
        self.assertEqual(sorted(header[10:]),
                         ["born", "customAttributes.firstName", "plan", "score", "vip"])
        first = dict(zip(header, rows[0]))
        self.assertEqual(
            {name: first[name] for name in ("firstName", "lastName", "plan", "score", "vip", "born",
                                            "customAttributes.firstName", "doNotCall")},
            {"firstName": "Zoë", "lastName": "van der Ü", "plan": "gold", "score": "-2.5",
             "vip": "true", "born": "2000-02-29", "customAttributes.firstName": "Z",
             "doNotCall": "false"})
        self.assertEqual(len(rows), 2)
        self.assertEqual(set(rows[1][10:]), {""})

    def test_one_contact_by_its_number(self):
        contacts = self.one.contacts(3)
        phone = contacts[1]["primaryPhone"]
        _, rows = self.table("/api/contacts?primaryPhone=%2B" + phone[1:])
        self.assertEqual([row[:2] for row in rows], [[contacts[1]["id"], phone]])
        self.assertEqual(self.table("/api/contacts?primaryPhone=%2B99999999")[1], [])

    def test_all_rows_whatever_the_page(self):
        contacts = self.one.contacts(2500)
        _, rows = self.table("/api/contacts?limit=1")
        self.assertEqual([row[0] for row in rows],
                         [contact["id"] for contact in reversed(contacts)])
        self.assertEqual(self.org().api.get("/api/contacts", headers=CSV).json,
                         ",".join(CONTACT) + "\r\n")

    def test_the_name_of_the_file(self):
        execution = self.one.launch(1)
        for path, name in ((self.path(execution, "calls"), f"calls-{execution}.csv"),
                           (self.path(execution, "contacts"), f"contacts-{execution}.csv"),
                           ("/api/contacts", "contacts.csv")):
            response = self.fetch(path, **{"X-Request-Id": "mine"})
            self.assertEqual(response.headers["Content-Disposition"],
                             f'attachment; filename="{name}"')
            self.assertEqual(response.headers["X-Request-Id"], "mine")
            self.assertEqual(response.headers["Transfer-Encoding"], "chunked")

    def test_faults_are_json(self):
        execution = self.one.launch(1)
        self.invalid(self.one.api.get(self.path(execution, "calls?outcome=x"), headers=CSV),
                     "outcome")
        self.invalid(self.one.api.get(self.path(execution, "contacts?status=x"), headers=CSV),
                     "status")
        self.invalid(self.one.api.get("/api/contacts?primaryPhone=x", headers=CSV), "primaryPhone")
        for suffix in ("calls", "contacts"):
            self.fails(self.org().api.get(self.path(execution, suffix), headers=CSV), 404,
                       "ExecutionNotFoundError")

    def test_accept(self):
        for accept, is_csv in (
                ("text/csv", True), ("TEXT/CSV; q=0.5", True), ("text/csv, */*;q=0.1", True),
                ("application/json;q=0.5, text/csv;q=0.9", True), ("*/*", False),
                ("application/json", False), ("text/csv;q=0", False), ("text/*", False),
                ("application/json, text/csv;q=0.9", False), ("", False)):
            response = self.one.api.get("/api/contacts", headers={"Accept": accept})
            self.assertEqual(response.status, 200)
            self.assertEqual(response.headers.get_content_type(),
                             "text/csv" if is_csv else "application/json", accept)


class Formulas(Case):
    def test_a_cell_is_never_a_formula(self):
        dangerous = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")',
                     "+", "\n=1"]
        harmless = ["a=b", "'quoted", "+32475123456", "1-1", "", " =1", 'say "hi"', "a,b", "a\r\nb"]
        self.one.api.create("/api/custom-attributes", {"name": "note", "type": "string"})
        for text in dangerous + harmless:
            self.one.contact(customAttributes={"note": text})
        text = self.fetch("/api/contacts").json
        header, rows = self.table("/api/contacts")
        notes = [row[header.index("note")] for row in reversed(rows)]
        self.assertEqual(notes, ["'" + text for text in dangerous] + harmless)
        for line in text.split("\r\n"):
            for piece in line.split(","):
                self.assertNotIn(piece[:1], ("=", "-", "@", "\t"))
                self.assertNotIn(piece[:2], ('"=', '"+', '"-', '"@'))

    def test_what_a_worker_says(self):
        execution = self.one.launch(1)
        call = self.workers.claim_one()
        self.workers.started(call)
        self.workers.result(call, "error", detail="=cmd|' /C calc'!A0")
        header, rows = self.table(self.path(execution, "calls"))
        self.assertEqual(rows[0][header.index("detail")], "'=cmd|' /C calc'!A0")
        self.assertTrue(rows[0][header.index("to")].startswith("+"))


class Streams(Case):
    """20,000 contacts of some 500 bytes: more than sockets hold."""

    COUNT = 20000
    measures_memory = True

    def setUp(self):
        super().setUp()
        self.one.contacts(self.COUNT, lastName="x" * 64, fullName="y" * 64,
                          primaryEmail="e" * 240 + "@example.org")

    def request_head(self, version="HTTP/1.1"):
        return (f"GET /api/contacts {version}\r\nHost: x\r\nAuthorization: Bearer {self.one.key}\r\n"
                "Accept: text/csv\r\n\r\n").encode()


    def test_a_client_that_does_not_read_holds_little_and_nobody_up(self):
        before = self.daemon.memory()
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                connection = stack.enter_context(self.daemon.connect())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(self.request_head())
            for _ in range(200):
                self.one.api.read("/api/organization")
            self.assertLess(self.daemon.memory() - before, 32 * 1024)  # KiB; all eight would be 80 MiB
        self.assertEqual(len(self.fetch("/api/contacts").json.split("\r\n")), self.COUNT + 2)

    def test_a_client_that_goes_away_leaves_nothing(self):
        before = self.connections()
        for size in (1, 100, 100000):
            with self.daemon.connect() as connection:
                connection.sendall(self.request_head())
                self.assertTrue(connection.recv(size))
        wait_until(lambda: self.connections() <= before, "the connections are closed")
        self.assertEqual(len(self.fetch("/api/contacts").json.split("\r\n")), self.COUNT + 2)

    def connections(self):
        text = self.one.api.get("/metrics").json
        return int(next(line.split()[1] for line in text.splitlines()
                        if line.startswith("outdial_http_connections")))

    def test_the_connection_goes_on_to_serve(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        with contextlib.closing(connection):
            for _ in range(2):
                connection.request("GET", "/api/contacts", headers={
                    "Authorization": f"Bearer {self.one.key}", **CSV})
                content = connection.getresponse().read()
                self.assertEqual(content.count(b"\r\n"), self.COUNT + 1)
            connection.request("GET", "/api/organization",
                               headers={"Authorization": f"Bearer {self.one.key}"})
            self.assertEqual(connection.getresponse().status, 200)

    def test_requests_behind_it_are_answered_in_their_turn(self):
        second = self.request_head().replace(b"/api/contacts", b"/api/organization").replace(
            b"Accept: text/csv\r\n", b"Connection: close\r\n")
        with self.daemon.connect(timeout=60) as connection:
            connection.sendall(self.request_head() + second)
            content = b""
            while True:
                piece = connection.recv(1 << 20)
                if not piece:
                    break
                content += piece
        self.assertEqual(content.count(b"HTTP/1.1 200 OK"), 2)
        self.assertIn(self.one.id.encode(), content[-2000:])

    def test_http_1_0_ends_with_the_connection(self):
        with self.daemon.connect(timeout=60) as connection:
            connection.sendall(self.request_head("HTTP/1.0"))
            content = b""
            while True:
                piece = connection.recv(1 << 20)
                if not piece:
                    break
                content += piece
        head, body = content.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"chunked", head)
        self.assertEqual(body.count(b"\r\n"), self.COUNT + 1)

    def test_changes_meanwhile_do_no_harm(self):
        done = threading.Event()
        failures = []

        def change():
            api = self.one.api.clone()
            while not done.is_set():
                made = api.post("/api/contacts", {"primaryPhone": self.daemon.phone()})
                if made.status != 201 or api.delete(
                        f"/api/contacts/{made.json['id']}").status != 204:
                    failures.append(made)
                    return

        thread = threading.Thread(target=change)
        thread.start()
        try:
            rows = self.fetch("/api/contacts").json.split("\r\n")
        finally:
            done.set()
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreaterEqual(len(rows), self.COUNT + 2)

    def test_a_drain_ends_although_a_client_does_not_read(self):
        with self.daemon.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(self.request_head())
            self.assertTrue(connection.recv(100))
            self.daemon.stop()
        self.daemon.start()

    def test_a_drain_lets_an_answer_end(self):
        with self.daemon.connect(timeout=60) as connection:
            connection.sendall(self.request_head())
            content = connection.recv(1000)
            stopping = threading.Thread(target=self.daemon.stop)
            stopping.start()
            while not content.endswith(b"\r\n0\r\n\r\n"):
                piece = connection.recv(1 << 20)
                self.assertTrue(piece, "cut short")
                content += piece
            stopping.join()
        self.daemon.start()


if __name__ == "__main__":
    main()
