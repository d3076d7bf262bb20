"""api.md, "Events": server-sent events of an execution and of an organisation."""

import contextlib
import http.client
import json
import socket
import time

from outdial_daemon import PATIENCE, Story, expect, main, unknown_id, wait_until

COUNTS = ("totalContacts", "contactsCompleted", "contactsFailed", "contactsPending",
          "contactsInProgress", "contactsSkipped")


class Event:
    def __init__(self, fields, comments):
        self.id = fields.get("id")
        self.type = fields.get("event", "message")
        self.retry = fields.get("retry")
        self.text = fields.get("data")
        self.data = json.loads(self.text) if self.text is not None else None
        self.comments = comments

    @property
    def status(self):
        return self.data["status"]

    def __repr__(self):
        return f"<{self.type} {self.id} {self.text}>"


class Stream:
    """A connection of its own on a path of events, read as a browser's EventSource reads it."""

    def __init__(self, daemon, key, path="/api/events", last_id=None, receive_bytes=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE)
        self.connection.sock = socket.socket()
        if receive_bytes is not None:
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.connection.sock.settimeout(PATIENCE)
        self.connection.sock.connect(("127.0.0.1", daemon.port))
        headers = {"Authorization": f"Bearer {key}"}
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        self.connection.request("GET", path, headers=headers)
        self.last_id = last_id
        self.answer = None

    def open(self):
        self.answer = self.connection.getresponse()
        return self

    def close(self):
        self.connection.close()
        if self.answer is not None:
            self.answer.close()

    def block(self):
        """The next block, whatever is in it; None at the end of the stream."""
        fields, comments = {}, []
        while True:
            line = self.answer.readline()
            if not line.endswith(b"\n"):
                return None
            line = line[:-1].decode()
            if not line:
                event = Event(fields, comments)
                self.last_id = event.id or self.last_id
                return event
            name, _, value = line.partition(":")
            if not name:
                comments.append(value)
            else:
                fields[name] = value.removeprefix(" ")

    def next(self, *types):
        """The next event of these types (of any that has data); None at the end."""
        end = time.monotonic() + PATIENCE
        while True:
            event = self.block()
            if time.monotonic() > end:
                raise AssertionError(f"no {types or 'event'} within {PATIENCE:.0f} s")
            if event is None or (event.data is not None and (not types or event.type in types)):
                return event

    def statuses(self, count):
        return [self.next("status").status for _ in range(count)]

    def until(self, predicate):
        """Reads on to the first event for which it is true."""
        while True:
            event = self.next()
            if event is None:
                raise AssertionError("the stream ended")
            if predicate(event):
                return event

    def rest(self):
        """All that has data, to the end of the stream."""
        events = []
        while (event := self.next()) is not None:
            events.append(event)
        return events


class Events(Story):
    config = "[events]\nheartbeat_seconds = 1\nslow_client_seconds = 1\nmax_streams = 6\n" \
             "max_streams_per_organization = 4\n[gateway worker]\nkind = worker\n[calls]\n" \
             "default_gateway = worker\n"

    def setUp(self):
        super().setUp()
        self.organisation = self.org()

    def stream(self, path="/api/events", last_id=None, org=None, **options):
        org = org or self.organisation
        stream = Stream(self.daemon, org.key, path, last_id, **options).open()
        self.addCleanup(stream.close)
        self.assertEqual(stream.answer.status, 200)
        return stream

    def of_execution(self, execution_id, **options):
        return self.stream(f"/api/program-executions/{execution_id}/events", **options)

    def waiting(self, contacts=1, org=None):
        """An execution that runs, and whose contacts wait for a window to end: none is queued."""
        org = org or self.organisation
        return org.launch(org.program(contacts, pauseWindows={"advanced": [
            {"startAt": "2026-11-01T00:00:00Z", "endAt": "2027-11-01T00:00:00Z"}]}))


class WhatIsTold(Events):
    def test_headers_and_the_first_block(self):
        stream = self.stream()
        headers = stream.answer.headers
        self.assertEqual(headers["Content-Type"], "text/event-stream")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertTrue(headers["X-Request-Id"])
        first = stream.block()
        self.assertTrue(int(first.retry) > 0)
        self.assertEqual((first.id, first.data), ("0", None))

    def test_a_life_in_its_order(self):
        org, stream, worker = self.organisation, self.stream(), self.worker()
        execution = org.launch(2)
        self.assertEqual(stream.statuses(2), ["scheduled", "running"])
        org.pause(execution)
        paused = stream.next("status")
        self.assertEqual(paused.status, "paused")
        org.resume(execution)
        self.assertEqual(stream.statuses(1), ["running"])
        worker.finish_all(worker.claim_exactly(2))
        last = stream.next("status")
        self.assertEqual(last.status, "completed")
        shown = org.execution(execution)
        self.assertEqual({name: last.data[name] for name in COUNTS},
                         {name: shown[name] for name in COUNTS})
        self.assertEqual(set(last.data), {"executionId", "programId", "status", "statusReason",
                                          "at", *COUNTS})
        self.assertEqual((last.data["executionId"], last.data["programId"]),
                         (execution, shown["programId"]))
        self.assertEqual(last.data["at"], shown["actualEndAt"])
        self.assertIsNone(last.data["statusReason"])
        self.assertEqual(int(last.id), int(paused.id) + 2)

    def test_cancel_tells_the_pending_as_skipped(self):
        execution = self.waiting(3)
        stream = self.stream()
        self.organisation.cancel(execution)
        event = stream.next("status")
        self.assertEqual((event.status, event.data["contactsSkipped"]), ("cancelled", 3))

    def test_a_reason_is_told(self):
        org = self.organisation
        did = org.did()
        program = org.program(didPool=[did["id"]], retryStrategy={
            "type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1})
        stream, worker = self.stream(), self.worker()
        org.launch(program)
        call = worker.claim_one()
        expect(self.admin.patch(f"/api/dids/{did['id']}", {"status": "inactive"}), 200)
        worker.finish(call, "busy")
        event = stream.until(lambda event: event.status == "paused")
        self.assertEqual(event.data["statusReason"], "empty_did_pool")

    def test_progress_is_told_as_it_becomes_durable(self):
        execution = self.organisation.launch(3)
        stream, worker = self.of_execution(execution), self.worker()
        first = stream.next()
        self.assertEqual((first.type, first.id, first.data["totalContacts"]),
                         ("progress", None, 3))
        calls = worker.claim_exactly(3)
        worker.finish(calls[0])
        event = stream.until(lambda event: event.data["contactsCompleted"] == 1)
        self.assertEqual((event.type, event.data["contactsInProgress"]), ("progress", 2))
        worker.finish(calls[1])
        stream.until(lambda event: event.data["contactsCompleted"] == 2)

    def test_what_does_not_change_is_not_told_again(self):
        execution = self.organisation.launch(1)
        stream = self.of_execution(execution)
        self.assertEqual(stream.next().type, "progress")
        self.assertEqual(stream.block().comments, [" heartbeat"])
        self.assertEqual(stream.block().comments, [" heartbeat"])

    def test_the_organisation_begins_with_all_that_is_active(self):
        executions = {self.organisation.launch(1) for _ in range(70)}  # more than one look
        stream = self.stream()
        told = [stream.next() for _ in range(70)]
        self.assertEqual({event.data["executionId"] for event in told}, executions)
        self.assertEqual({event.type for event in told}, {"progress"})

    def test_the_last_counts_after_a_cancel_are_told(self):
        org, worker = self.organisation, self.worker()
        execution = org.launch(1)
        call = worker.claim_one()
        whole, one = self.stream(), self.of_execution(execution)
        org.cancel(execution)
        worker.finish(call)
        for stream in (whole, one):
            event = stream.until(lambda event: event.data["contactsCompleted"] == 1)
            self.assertEqual((event.type, event.status), ("progress", "cancelled"))

    def test_events_of_an_execution_are_its_own(self):
        org = self.organisation
        one, other = org.launch(1), org.launch(1)
        stream = self.of_execution(one)
        org.pause(other)
        org.pause(one)
        event = stream.next("status")
        self.assertEqual((event.data["executionId"], event.status), (one, "paused"))


class TheEnd(Events):
    def test_the_stream_of_an_execution_ends_with_it(self):
        org, worker = self.organisation, self.worker()
        execution = org.launch(1)
        stream = self.of_execution(execution)
        call = worker.claim_one()
        org.cancel(execution)
        self.assertEqual(stream.statuses(1), ["cancelled"])
        worker.finish(call)  # the call under way is still counted
        rest = stream.rest()
        self.assertEqual(rest[-1].data["contactsCompleted"], 1)
        wait_until(lambda: self.daemon.metric("outdial_event_streams") == 0, "the stream is forgotten")

    def test_the_connection_serves_on(self):
        org = self.organisation
        execution = self.waiting()
        stream = self.of_execution(execution)
        org.cancel(execution)
        stream.rest()
        stream.connection.request("GET", "/api/organization",
                                  headers={"Authorization": f"Bearer {org.key}"})
        self.assertEqual(stream.connection.getresponse().status, 200)

    def test_one_that_has_ended_is_shown_once(self):
        org = self.organisation
        execution = self.waiting()
        org.cancel(execution)
        path = f"/api/program-executions/{execution}/events"
        stream = self.of_execution(execution)
        self.assertEqual([(e.type, e.status) for e in stream.rest()], [("progress", "cancelled")])
        # A browser comes back with the last id: 204 tells it to stop.
        self.assertEqual(org.api.get(path, headers={"Last-Event-ID": stream.last_id}).status, 204)
        again = self.of_execution(execution, last_id=int(stream.last_id) - 1)
        self.assertEqual(again.rest()[0].status, "cancelled")

    def test_the_organisations_does_not_end(self):
        org = self.organisation
        stream = self.stream()
        for _ in range(2):
            org.cancel(self.waiting())
        self.assertEqual(stream.statuses(6), ["scheduled", "running", "cancelled"] * 2)

    def test_a_drain_ends_streams_cleanly(self):
        stream = self.stream()
        stream.block()
        self.daemon.stop()
        self.assertEqual(stream.rest(), [])  # IncompleteRead, were the last chunk not there
        self.daemon.start()

    def test_a_revoked_key_ends_its_streams(self):
        org = self.organisation
        key = self.admin.create(f"/api/organizations/{org.id}/api-keys",
                                {"name": "second", "role": "org"})
        stream = Stream(self.daemon, key["key"]).open()
        self.addCleanup(stream.close)
        other = self.stream()
        stream.block()
        self.admin.remove(f"/api/organizations/{org.id}/api-keys/{key['id']}")
        self.assertEqual(stream.rest(), [])
        org.launch(1)
        self.assertEqual(other.statuses(1), ["scheduled"])

    def test_a_client_that_has_gone_is_forgotten(self):
        for _ in range(2):
            self.stream().close()
        wait_until(lambda: self.daemon.metric("outdial_event_streams") == 0, "both are forgotten")


class Resuming(Events):
    def test_what_was_missed_comes_first_and_the_state_after_it(self):
        org = self.organisation
        stream = self.stream()
        execution = self.waiting(2)
        self.assertEqual(stream.statuses(2), ["scheduled", "running"])
        stream.close()
        org.pause(execution)
        org.resume(execution)
        self.daemon.restart()
        org.pause(execution)
        again = self.stream(last_id=stream.last_id)
        self.assertEqual(again.statuses(3), ["paused", "running", "paused"])
        org.cancel(execution)
        self.assertEqual(again.statuses(1), ["cancelled"])
        one = self.of_execution(execution, last_id=stream.last_id)
        self.assertEqual([e.status for e in one.rest() if e.type == "status"],
                         ["paused", "running", "paused", "cancelled"])

    def test_progress_after_the_missed_events(self):
        org, worker = self.organisation, self.worker()
        execution = org.launch(2)
        org.pause(execution)
        org.resume(execution)
        call = worker.claim_exactly(2)[0]
        worker.finish(call)
        stream = self.of_execution(execution, last_id=2)
        events = [stream.next() for _ in range(3)]
        self.assertEqual([event.type for event in events], ["status", "status", "progress"])
        self.assertEqual(events[2].data["contactsCompleted"], 1)

    def test_what_was_seen_is_there_after_a_kill(self):
        """Durable before visible: whatever moment the process dies at, no event that a client has
        seen is gone, and the numbers go on behind it."""
        org = self.organisation
        execution = org.launch(1)
        for round_number in range(6):
            if org.execution(execution)["status"] == "paused":
                org.resume(execution)
            stream = self.stream()
            for _ in range(round_number):
                org.pause(execution)
                org.resume(execution)
            # One more, whose answer nobody waits for.
            control = self.daemon.connect()
            control.sendall((f"PATCH /api/program-executions/{execution}/pause HTTP/1.1\r\n"
                             f"Host: x\r\nAuthorization: Bearer {org.key}\r\n\r\n").encode())
            seen = [stream.next("status") for _ in range(2 * round_number + 1)]
            self.daemon.kill9()
            control.close()
            self.daemon.start()
            shown = org.execution(execution)
            self.assertEqual(shown["status"], seen[-1].status)
            again = self.stream(last_id=int(seen[0].id) - 1)
            told = [again.next("status") for _ in seen]
            self.assertEqual([(e.id, e.text) for e in told], [(e.id, e.text) for e in seen])
            again.close()
            stream.close()

    def test_an_id_that_is_none(self):
        for text in ("x", "-1", "1.5", "99999999999999999999", "1 2"):
            with self.subTest(text=text):
                self.invalid(self.organisation.api.get(
                    "/api/events", headers={"Last-Event-ID": text}), "Last-Event-ID")

    def test_an_id_that_was_never_given_resets(self):
        org = self.organisation
        org.launch(1)
        stream = self.stream(last_id=1000)
        event = stream.next("reset", "status")
        self.assertEqual((event.type, event.id, event.data), ("reset", "2", {"lastEventId": "1000"}))

    def test_events_are_kept_for_a_while(self):
        org = self.organisation
        execution = org.launch(1)
        org.pause(execution)
        self.daemon.advance(7 * 86400 - 1)
        self.assertEqual(self.stream(last_id=0).statuses(3), ["scheduled", "running", "paused"])
        org.resume(execution)
        self.daemon.advance(2)
        stream = self.stream(last_id=0)
        event = stream.next("reset", "status")
        self.assertEqual((event.type, event.id), ("reset", "3"))
        event = stream.next("status")
        self.assertEqual((event.status, event.id), ("running", "4"))
        self.daemon.advance(8 * 86400)
        org.pause(execution)  # the numbers go on
        self.assertEqual(self.stream(last_id=4).next("status").id, "5")

    def test_a_long_replay(self):
        org = self.organisation
        execution = org.launch(1)
        for _ in range(300):
            org.pause(execution)
            org.resume(execution)
        stream = self.stream(last_id=2)
        self.assertEqual(stream.statuses(600), ["paused", "running"] * 300)
        self.assertEqual(stream.last_id, "602")


class Refused(Events):
    def test_another_organisation_sees_nothing(self):
        other = self.org()
        execution = self.organisation.launch(1)
        self.fails(other.api.get(f"/api/program-executions/{execution}/events"), 404,
                   "ExecutionNotFoundError")
        foreign, own = self.stream(org=other, last_id=0), self.stream()
        self.organisation.pause(execution)
        self.assertEqual(own.statuses(1), ["paused"])
        other.launch(1)
        event = foreign.next()
        self.assertEqual((event.id, event.status), ("1", "scheduled"))
        self.assertNotEqual(event.data["executionId"], execution)

    def test_unknown_executions(self):
        for name in (unknown_id(), "nonsense"):
            self.fails(self.organisation.api.get(f"/api/program-executions/{name}/events"), 404,
                       "ExecutionNotFoundError")

    def test_roles(self):
        execution = self.organisation.launch(1)
        for path in ("/api/events", f"/api/program-executions/{execution}/events"):
            with self.subTest(path=path):
                self.fails(self.daemon.client().get(path), 401, "UnauthorizedError")
                self.fails(self.worker().api.get(path), 403, "ForbiddenError")
                self.invalid(self.admin.get(path), "X-Organization-Id")
        stream = Stream(self.daemon, self.admin.key)
        stream.close()
        admin = self.admin.for_organisation(self.organisation.id)
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=PATIENCE)
        connection.request("GET", "/api/events", headers={
            "Authorization": f"Bearer {admin.key}", **admin.headers})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.readline().startswith(b"retry:"))
        connection.close()
        answer.close()

    def test_other_methods(self):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = self.organisation.api.request(method, "/api/events")
            self.fails(answer, 405, "MethodNotAllowedError")
            self.assertEqual(answer.headers["Allow"], "GET")
        self.assertEqual(self.organisation.api.request("HEAD", "/api/events").status, 405)

    def test_unknown_parameters(self):
        self.invalid(self.organisation.api.get("/api/events?since=1"), "since")

    def test_too_many_streams(self):
        other = self.org()
        own = [self.stream() for _ in range(4)]
        answer = self.organisation.api.get("/api/events")
        self.fails(answer, 503, "UnavailableError")
        self.assertTrue(answer.headers["Retry-After"])
        for _ in range(2):
            self.stream(org=other)
        self.fails(other.api.get("/api/events"), 503, "UnavailableError")
        own[0].close()
        wait_until(lambda: self.daemon.metric("outdial_event_streams") == 5, "one has gone")
        self.stream(org=other)


class SlowClients(Events):
    def test_one_that_does_not_read_is_dropped_and_others_go_on(self):
        org = self.organisation
        execution = org.launch(1)
        slow = self.stream(receive_bytes=4096)
        good = self.stream()
        seen = 0
        for _ in range(100):
            for _ in range(10):
                org.pause(execution)
                org.resume(execution)
            self.assertEqual(good.statuses(20), ["paused", "running"] * 10)
            seen += 20
            if self.daemon.metric("outdial_event_streams_dropped_total") == 1:
                break
        wait_until(lambda: self.daemon.metric("outdial_event_streams_dropped_total") == 1, "it is dropped")
        self.assertEqual(self.daemon.metric("outdial_event_streams"), 1)
        org.pause(execution)
        self.assertEqual(good.statuses(1), ["paused"])
        # It had a part of it, finds the connection broken, and comes back for the rest.
        had = []
        with contextlib.suppress(OSError, http.client.HTTPException):
            while (event := slow.next("status")) is not None:
                had.append(int(event.id))
        self.assertEqual(had, list(range(3, 3 + len(had))))
        self.assertLess(len(had), seen)
        again = self.stream(last_id=had[-1] if had else 2)
        self.assertEqual(int(again.next("status").id), 3 + len(had))

    def test_one_that_reads_late_but_reads_is_not_dropped(self):
        org = self.organisation
        execution = org.launch(1)
        stream = self.stream(receive_bytes=4096)
        for _ in range(20):
            org.pause(execution)
            org.resume(execution)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 3, "three seconds are over")
        self.assertEqual(stream.statuses(40), ["paused", "running"] * 20)

    def test_heartbeats(self):
        began = time.monotonic()
        stream = self.stream()
        stream.block()
        for _ in range(2):
            self.assertEqual(stream.block().comments, [" heartbeat"])
        self.assertGreater(time.monotonic() - began, 1)


if __name__ == "__main__":
    main()
