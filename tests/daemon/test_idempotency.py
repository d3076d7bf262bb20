"""api.md, "Idempotency": the same POST under the same key is done once, and answered the same each
time."""

import contextlib
import http.client
import json
import os
import socket
import threading

from outdial_daemon import (
    Story, expect, later, main, read_response, result, started, unknown_id, wait_until)


class Keys(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api

    def send(self, key, path, body=None, client=None, **headers):
        client = client or self.api
        options = {"headers": {"Idempotency-Key": key, **headers}}
        return client.post(path, body, **options) if body is not None else client.post(
            path, **options)

    def assert_replay(self, first, second, of=None):
        """`second` is `first` again; of what it says, nothing has happened twice."""
        self.assertEqual(second.status, first.status, second.json)
        self.assertEqual(second.json, first.json)
        self.assertEqual(second.headers["Location"], first.headers["Location"])
        self.assertEqual(second.headers["Content-Type"], first.headers["Content-Type"])
        self.assertIsNone(first.headers["Idempotent-Replayed"])
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        if of is not None:
            self.assertEqual(len(self.api.pages(of)), 1)

    def assert_new(self, response, status=201):
        self.assertEqual(response.status, status, response.json)
        self.assertIsNone(response.headers["Idempotent-Replayed"])


class TheSameRequest(Keys):
    def test_makes_one_contact(self):
        body = {"primaryPhone": "+212600000001"}
        first = self.send("a", "/api/contacts", body)
        self.assert_new(first)
        for _ in range(3):
            self.assert_replay(first, self.send("a", "/api/contacts", body), "/api/contacts")

    def test_on_every_route_that_makes_something(self):
        contacts = [self.one.contact()["id"] for _ in range(2)]
        audience = self.one.audience(1)
        program = self.one.program(contacts=2)
        flow = self.one.flow()["id"]
        did = self.one.did()["id"]
        for client, path, body in (
                (self.admin, "/api/organizations", {"name": "Atlas"}),
                (self.admin, "/api/dids", {"number": "+212500009999"}),
                (self.api, "/api/custom-attributes", {"name": "age", "type": "number"}),
                (self.api, "/api/contacts", {"primaryPhone": "+212600000002"}),
                (self.api, "/api/contacts/upsert", {"data": [{"primaryPhone": "+212600000003"}]}),
                (self.api, "/api/audiences", {"name": "x"}),
                (self.api, f"/api/audiences/{audience['id']}/contacts", {"contactIds": contacts}),
                (self.api, "/api/flows", {"name": "x"}),
                (self.api, "/api/programs", {"name": "x", "flowId": flow, "didPool": [did],
                                             "audienceId": audience["id"]}),
                (self.api, f"/api/programs/{program['id']}/launch", None)):
            with self.subTest(path=path):
                first = self.send("k" + path, path, body, client)
                self.assertIn(first.status, (200, 201), first.json)
                self.assert_replay(first, self.send("k" + path, path, body, client))
        # `added: 2` again, where a second adding would have said `alreadyPresent: 2`.
        self.assertEqual(first.status, 201)

    def test_launches_once(self):
        program = self.one.program(contacts=2)
        path = f"/api/programs/{program['id']}/launch"
        first = self.send("launch", path)
        self.one.wait_counts(first.json["executionId"], total=2)
        self.assert_replay(first, self.send("launch", path))
        self.assertEqual(len(self.api.pages(f"/api/programs/{program['id']}/executions")), 1)
        # Without the key it is done anew, and refused.
        self.fails(self.api.post(path), 400, "ExecutionAlreadyRunningError")

    def test_a_refusal_is_an_answer_too(self):
        contact = {"primaryPhone": "+212600000001"}
        made = self.api.create("/api/contacts", contact)
        first = self.send("a", "/api/contacts", contact)
        self.fails(first, 409, "ConflictError")
        self.api.remove(f"/api/contacts/{made['id']}")
        second = self.send("a", "/api/contacts", contact)
        self.assert_replay(first, second)
        self.fails(second, 409, "ConflictError")  # with X-Request-Id as in its body
        missing = f"/api/programs/{unknown_id()}/launch"
        first = self.send("b", missing)
        self.fails(first, 404, "ProgramNotFoundError")
        self.assert_replay(first, self.send("b", missing))

    def test_a_fault_of_the_request_itself_is_not_kept(self):
        self.invalid(self.send("a", "/api/contacts", {"primaryPhone": "1"}), "primaryPhone")
        self.assert_new(self.send("a", "/api/contacts", {"primaryPhone": "+212600000001"}))
        path = f"/api/organizations/{unknown_id()}/api-keys"
        self.fails(self.send("b", path, {"name": "x", "role": "org"}, self.admin), 404,
                   "OrganizationNotFoundError")
        self.assert_new(self.send("b", "/api/organizations", {"name": "x"}, self.admin))

    def test_nor_a_refusal_at_the_door(self):
        stranger = self.daemon.client("nonsense")
        self.fails(self.send("a", "/api/audiences", {"name": "x"}, stranger), 401,
                   "UnauthorizedError")
        self.fails(self.send("a", "/api/organizations", {"name": "x"}), 403, "ForbiddenError")
        self.fails(self.send("a", "/api/audiences", {"name": "x"}, **{"Content-Type": "text/csv"}),
                   415, "UnsupportedMediaTypeError")
        self.assert_new(self.send("a", "/api/audiences", {"name": "x"}))

    def test_request_ids(self):
        first = self.send("a", "/api/audiences", {"name": "x"}, **{"X-Request-Id": "one"})
        again = self.send("a", "/api/audiences", {"name": "x"}, **{"X-Request-Id": "two"})
        self.assertEqual((first.headers["X-Request-Id"], again.headers["X-Request-Id"]),
                         ("one", "two"))
        self.assertEqual(
            self.send("a", "/api/audiences", {"name": "x"}).headers["X-Request-Id"], "one")

    def test_only_a_post_has_a_key(self):
        contact = self.one.contact()
        path = f"/api/contacts/{contact['id']}"
        for name in ("Nour", "Sara"):
            changed = self.api.patch(path, {"firstName": name},
                                     headers={"Idempotency-Key": "a"})
            self.assertEqual((changed.status, changed.json["firstName"]), (200, name))
        self.assertEqual(self.api.get(path, headers={"Idempotency-Key": "é"}).status, 200)


class AnotherRequest(Keys):
    def refused(self, response):
        self.fails(response, 422, "IdempotencyKeyReusedError")

    def test_under_the_same_key_is_refused(self):
        self.assert_new(self.send("a", "/api/audiences", {"name": "x"}))
        self.refused(self.send("a", "/api/audiences", {"name": "y"}))
        self.refused(self.send("a", "/api/flows", {"name": "x"}))
        self.refused(self.send("a", "/api/audiences?x=1", {"name": "x"}))
        self.refused(self.send("a", "/api/audiences"))
        self.assertEqual(len(self.api.pages("/api/audiences")), 1)
        self.assertEqual(self.api.pages("/api/flows"), [])

    def test_another_key_makes_another(self):
        for key in ("a", "A", "b", "a" * 255, "!~"):
            self.assert_new(self.send(key, "/api/audiences", {"name": "x"}))
        self.assertEqual(len(self.api.pages("/api/audiences")), 5)

    def test_keys_are_an_organisations_own(self):
        other = self.org()
        self.assert_new(self.send("a", "/api/audiences", {"name": "x"}))
        self.assert_new(self.send("a", "/api/audiences", {"name": "y"}, other.api))
        self.assert_new(self.send("a", "/api/organizations", {"name": "z"}, self.admin))
        # An admin who acts for an organisation uses its keys; so does its other API key.
        self.refused(self.send("a", "/api/audiences", {"name": "z"},
                               self.admin.for_organisation(self.one.id)))
        key = self.admin.create(f"/api/organizations/{self.one.id}/api-keys",
                                {"name": "second", "role": "org"})["key"]
        again = self.send("a", "/api/audiences", {"name": "x"}, self.daemon.client(key))
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")

    def test_an_admins_and_a_workers_are_apart(self):
        worker = self.daemon.client(self.daemon.worker_key())
        self.assert_new(self.send("a", "/api/organizations", {"name": "z"}, self.admin))
        self.assert_new(self.send("a", "/api/calls/claim", {"max": 1}, worker), 200)

    def test_a_bad_key_is_a_fault_beside_others(self):
        for key in ("", " ", "a b", "a" * 256, "caf\u00e9", "a\tb"):
            with self.subTest(key=key):
                body = self.invalid(
                    self.send(key, "/api/audiences?x=1", {"name": 1}), "Idempotency-Key")
                self.assertEqual(sorted(detail["path"] for detail in body["details"]),
                                 ["Idempotency-Key", "name", "x"])
        program = self.one.program(contacts=1)
        self.invalid(self.send("a b", f"/api/programs/{program['id']}/launch"), "Idempotency-Key")
        self.assertEqual(self.api.pages("/api/program-executions"), [])


class Time(Keys):
    def test_a_key_is_good_for_24_hours(self):
        first = self.send("a", "/api/audiences", {"name": "x"})
        self.daemon.advance(24 * 3600 - 1)
        self.assert_replay(first, self.send("a", "/api/audiences", {"name": "x"}))
        self.daemon.advance(1)
        second = self.send("a", "/api/audiences", {"name": "y"})
        self.assert_new(second)
        self.assert_replay(second, self.send("a", "/api/audiences", {"name": "y"}))
        self.assertEqual(len(self.api.pages("/api/audiences")), 2)

    def test_over_a_restart_and_a_kill(self):
        first = self.send("a", "/api/audiences", {"name": "x"})
        self.daemon.restart()
        self.assert_replay(first, self.send("a", "/api/audiences", {"name": "x"}))
        second = self.send("b", "/api/flows", {"name": "x"})
        self.daemon.restart(kill=True)
        self.assert_replay(second, self.send("b", "/api/flows", {"name": "x"}), "/api/flows")


class FullStore(Keys):
    config = "[store]\nmap_size_bytes = 2MiB\n"

    def test_what_could_not_be_stored_is_done_when_it_is_asked_again(self):
        answers, data, key = [], [], ""
        for number in range(100):
            key = f"key {number}".replace(" ", "-")
            data = [{"primaryPhone": self.daemon.phone(), "firstName": "x" * 60}
                    for _ in range(300)]
            # The commit that fails has two to answer: the request, and its twin that waits.
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(self.send(
                key, "/api/contacts/upsert", {"data": data}, self.api.clone()))) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            statuses = {answer.status for answer in answers}
            self.assertIn(statuses, ({200}, {503}))
            if statuses == {503}:
                break
        for answer in answers:
            self.fails(answer, 503, "UnavailableError")
            self.assertIsNone(answer.headers["Idempotent-Replayed"])
        before = len(self.api.pages("/api/contacts"))
        self.fails(self.send(key, "/api/contacts/upsert", {"data": data}), 503, "UnavailableError")
        self.daemon.stop()
        self.daemon.config = "[store]\nmap_size_bytes = 64MiB\n"
        self.daemon.start()
        done = self.send(key, "/api/contacts/upsert", {"data": data})
        self.assert_new(done, 200)
        self.assertEqual((done.json["created"], done.json["updated"]), (300, 0))
        self.assert_replay(done, self.send(key, "/api/contacts/upsert", {"data": data}))
        self.assertEqual(len(self.api.pages("/api/contacts")), before + 300)


class Secrets(Keys):
    def test_a_new_api_key_is_shown_again_and_lies_nowhere_in_the_store(self):
        path = f"/api/organizations/{self.one.id}/api-keys"
        text = "an-idempotency-key-nobody-guesses"
        first = self.send(text, path, {"name": "x", "role": "org"}, self.admin)
        self.assert_new(first)
        self.assert_replay(first, self.send(text, path, {"name": "x", "role": "org"}, self.admin))
        self.assertEqual(self.daemon.client(first.json["key"]).get("/api/organization").status, 200)
        self.daemon.restart()
        for name in os.listdir(self.daemon.data):
            with open(os.path.join(self.daemon.data, name), "rb") as file:
                content = file.read()
            self.assertNotIn(first.json["key"].encode(), content, name)
            self.assertNotIn(text.encode(), content, name)
        self.assert_replay(first, self.send(text, path, {"name": "x", "role": "org"}, self.admin))


class AtTheSameTime(Keys):
    def raw_post(self, key, path, body, client=None):
        text = json.dumps(body).encode()
        api_key = (client or self.api).key
        return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\n"
                f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\n\r\n").encode() + text

    def test_many_twins_make_one(self):
        answers = []

        def send():
            client = self.api.clone()
            for step in range(10):
                answers.append((step, self.send(f"k{step}", "/api/audiences",
                                                {"name": f"n{step}"}, client)))

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 80)
        self.assertEqual(len(self.api.pages("/api/audiences")), 10)
        for step in range(10):
            bodies = [answer for at, answer in answers if at == step]
            self.assertEqual({answer.status for answer in bodies}, {201})
            self.assertEqual(len({answer.json["id"] for answer in bodies}), 1)
            self.assertEqual(
                sum(answer.headers["Idempotent-Replayed"] is None for answer in bodies), 1)

    def reset(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    def test_what_a_client_left_under_way_is_waited_for(self):
        # A day of retries: the clock is seen to move long before it is there.
        self.one.launch(self.one.program(
            contacts=200, gateway="simulator", retryStrategy={
                "type": "fixed_delay", "delayMinutes": 60, "maxRetries": 10}))
        before = self.daemon.now()
        path, body = "/api/test-clock/advance", {"seconds": 24 * 3600}
        connection = self.daemon.connect()
        connection.sendall(self.raw_post("day", path, body, self.admin))
        wait_until(lambda: self.daemon.now() != before, "the clock moves")
        self.reset(connection)
        answer = self.send("day", path, body, self.admin.clone())
        self.assertEqual(answer.status, 200, answer.json)
        self.assertEqual(answer.headers["Idempotent-Replayed"], "true")
        self.assertEqual(answer.json["now"], later(before, seconds=body["seconds"]))
        self.assertEqual(self.daemon.now(), answer.json["now"])

    def test_a_client_that_goes_before_its_answer_finds_it_later(self):
        for index in range(20):
            body = {"name": f"gone {index}"}
            connection = self.daemon.connect()
            connection.sendall(self.raw_post(f"gone{index}", "/api/audiences", body))
            self.reset(connection)  # as soon as the bytes have left
            answer = self.send(f"gone{index}", "/api/audiences", body)
            self.assertEqual(answer.status, 201, answer.json)
        self.assertEqual(len(self.api.pages("/api/audiences")), 20)

    def test_a_claim_under_way_is_waited_for(self):
        worker = self.daemon.client(self.daemon.worker_key())
        body = {"max": 5, "waitMs": 30000, "gateway": "worker"}
        answers = []
        threads = [threading.Thread(
            target=lambda: answers.append(self.send("c", "/api/calls/claim", body, worker.clone())))
            for _ in range(2)]
        for thread in threads:
            thread.start()
        self.one.launch(self.one.program(contacts=1, gateway="worker"))
        for thread in threads:
            thread.join()
        self.assertEqual([answer.status for answer in answers], [200, 200])
        self.assertEqual(answers[0].json, answers[1].json)
        self.assertEqual(len(answers[0].json["calls"]), 1)
        self.fails(self.send("c", "/api/calls/claim", {"max": 6}, worker), 422,
                   "IdempotencyKeyReusedError")


class AnswersOfManyParts(Keys):
    def setUp(self):
        super().setUp()
        self.worker_client = self.daemon.client(self.daemon.worker_key())

    def post(self, key, path, body):
        return self.send(key, path, body, self.worker_client.clone())

    def claim(self, key):
        return self.post(key, "/api/calls/claim", {"max": 1, "waitMs": 20000, "gateway": "worker"})

    def test_a_claim_and_its_events(self):
        self.one.launch(self.one.program(contacts=2, gateway="worker"))
        first = self.claim("c1")
        self.assertEqual(len(first.json["calls"]), 1, first.json)
        self.assert_replay(first, self.claim("c1"))
        call = first.json["calls"][0]
        events = {"events": [started(call), {"callId": "x"}, result(call, "answered")]}
        done = self.post("e1", "/api/call-events", events)
        self.assertEqual([part["status"] for part in done.json["results"]],
                         ["accepted", "invalid", "accepted"])
        self.assert_replay(done, self.post("e1", "/api/call-events", events))
        self.daemon.restart(kill=True)
        self.assert_replay(done, self.post("e1", "/api/call-events", events))
        plain = expect(self.worker_client.post("/api/call-events", events), 200)
        self.assertNotEqual(plain["results"][0]["status"], "accepted")

    def test_an_answer_that_needed_no_actor(self):
        events = {"events": [{"callId": "x"}]}
        first = self.post("e", "/api/call-events", events)
        self.assertEqual(first.json["results"][0]["status"], "invalid")
        self.assert_replay(first, self.post("e", "/api/call-events", events))
        self.invalid(self.post("f", "/api/call-events", {"events": []}), "events")
        self.assert_new(self.post("f", "/api/call-events", events), 200)

    def test_the_test_clock_moves_once(self):
        before = self.daemon.now()
        path = "/api/test-clock/advance"
        first = self.send("t", path, {"seconds": 60}, self.admin)
        self.assertNotEqual(first.json["now"], before)
        self.assert_replay(first, self.send("t", path, {"seconds": 60}, self.admin))
        self.assertEqual(self.daemon.now(), first.json["now"])

    def test_what_a_drain_answers_is_kept_too(self):
        """Answers of several parts, sent while the daemon stops: asked again, they come again."""
        worker = self.worker()
        self.one.launch(self.one.program(180))
        calls = worker.claim_exactly(180)
        for begin in range(0, len(calls), 60):
            events = [{"events": [started(call)]} for call in calls[begin:begin + 60]]
            answers = self.drain_amid(worker, events)
            self.daemon.start()
            for body, answer in zip(events, answers):
                if answer is not None and answer.status == 200:
                    self.assert_replay(answer, self.send(
                        body["events"][0]["callId"], "/api/call-events", body, worker.api))

    def drain_amid(self, worker, bodies):
        """Stops the daemon when the first of these requests is answered; the answers."""
        with contextlib.ExitStack() as stack:
            connections = []
            for body in bodies:
                text = json.dumps(body)
                connection = stack.enter_context(self.daemon.connect())
                connection.sendall((
                    "POST /api/call-events HTTP/1.1\r\nHost: x\r\n"
                    f"X-API-Key: {worker.api.key}\r\n"
                    f"Idempotency-Key: {body['events'][0]['callId']}\r\n"
                    "Content-Type: application/json\r\n"
                    f"Content-Length: {len(text)}\r\n\r\n{text}").encode())
                connections.append(connection)
            self.assertEqual(connections[0].recv(1, socket.MSG_PEEK), b"H")
            self.daemon.stop()
            return [self.answer_of(connection) for connection in connections]

    def answer_of(self, connection):
        try:
            return read_response(connection)
        except (ConnectionError, http.client.HTTPException):
            return None  # it had not been read yet

    def test_a_claim_that_waits_ends_with_the_drain(self):
        text = json.dumps({"max": 1, "waitMs": 20000, "gateway": "worker"})
        with self.daemon.connect() as connection:
            # In one piece: nothing is left to send when the daemon may have gone already.
            connection.sendall((
                "POST /api/calls/claim HTTP/1.1\r\nHost: x\r\n"
                f"X-API-Key: {self.worker_client.key}\r\nIdempotency-Key: drain\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}")
                .encode())
            # Another request under its key is 422 from the moment on at which it is under way.
            wait_until(lambda: self.post("drain", "/api/calls/claim?x=1", {}).status == 422,
                       "a claim")
            self.daemon.stop()
            answer = read_response(connection)
        self.assertEqual((answer.status, answer.json), (200, {"calls": []}))
        self.daemon.start()


if __name__ == "__main__":
    main()
