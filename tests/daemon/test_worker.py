"""api.md, "Worker gateway": claims, leases, the permission to dial, and what workers report."""

import json
import socket
import struct
import threading
import time

from outdial_daemon import (
    MONDAY_NINE, Story, Worker, expect, later, main, node_executed, read_response, released,
    result, started, unknown_id, wait_until)


class Case(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api
        self.workers = self.worker()

    def launch(self, contacts=1, **fields):
        self.execution = self.one.launch(self.one.program(contacts, **fields))
        self.one.wait_counts(self.execution, total=contacts)
        return self.execution

    def status(self, *events):
        return [answer["status"] for answer in self.workers.tell(*events)]

    def ended(self, call):
        return self.one.call(self.execution, call["callId"])


class Claims(Case):
    def test_what_a_call_says(self):
        contact = self.one.contact(firstName="Ada", timezone="Europe/London")
        did = self.one.did()
        program = self.one.program(audienceId=self.one.audience([contact])["id"],
                                   didPool=[did["id"]])
        execution = self.one.launch(program)
        call = self.workers.claim_one()
        self.assert_id(call["callId"])
        self.assert_id(call["claimId"])
        self.assertEqual(
            {key: call[key] for key in (
                "executionId", "programId", "organizationId", "contactId", "attempt", "to", "from",
                "didId", "flowId", "redelivered", "leaseExpiresAt")},
            {"executionId": execution, "programId": program["id"], "organizationId": self.one.id,
             "contactId": contact["id"], "attempt": 1, "to": contact["primaryPhone"],
             "from": did["number"], "didId": did["id"], "flowId": program["flowId"],
             "redelivered": False, "leaseExpiresAt": later(MONDAY_NINE, seconds=60)})
        self.assertEqual(call["contact"]["firstName"], "Ada")
        self.assertEqual(call["contact"]["customAttributes"], {})

    def test_custom_attributes_go_with_it(self):
        for name, kind in (("score", "number"), ("vip", "boolean"), ("due", "date")):
            self.api.create("/api/custom-attributes", {"name": name, "type": kind})
        values = {"score": 2.5, "vip": False, "due": "2027-01-31"}
        contact = self.one.contact(customAttributes=values)
        self.one.launch(self.one.program(audienceId=self.one.audience([contact])["id"]))
        self.assertEqual(self.workers.claim_one()["contact"]["customAttributes"], values)

    def test_max(self):
        self.launch(7)
        self.one.wait_counts(self.execution, inProgress=7)
        self.daemon.settle()
        self.assertEqual(len(self.workers.claim(max=3)), 3)
        self.assertEqual(len(self.workers.claim(max=3)), 3)
        self.assertEqual(len(self.workers.claim(max=3)), 1)
        self.assertEqual(self.workers.claim(max=3), [])

    def test_each_call_is_given_once(self):
        self.launch(200)
        calls = []
        lock = threading.Lock()

        def claim(worker):
            while True:
                got = worker.claim(max=7, wait_ms=100)
                if not got:
                    return
                with lock:
                    calls.extend(got)

        threads = [threading.Thread(target=claim, args=(self.workers.clone(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(calls), 200)
        self.assertEqual(len({call["callId"] for call in calls}), 200)
        self.assertEqual(len({call["claimId"] for call in calls}), 200)
        self.assertEqual(len({call["contactId"] for call in calls}), 200)

    def test_faults(self):
        for body, paths in (
                ({"max": 0, "waitMs": 0, "gateway": "worker"}, ["max"]),
                ({"max": 1001, "waitMs": 0, "gateway": "worker"}, ["max"]),
                ({"max": 1.5, "waitMs": -1, "gateway": "worker"}, ["max", "waitMs"]),
                ({"max": 1, "waitMs": 30001, "gateway": "worker"}, ["waitMs"]),
                ({"max": 1, "waitMs": 0, "gateway": "nowhere"}, ["gateway"]),
                ({"max": 1, "waitMs": 0, "gateway": 3, "x": 1}, ["gateway", "x"])):
            with self.subTest(body=body):
                self.invalid(self.workers.api.post("/api/calls/claim", body), *paths)

    def test_a_claim_waits_for_the_first_call(self):
        got = []
        thread = threading.Thread(
            target=lambda: got.extend(self.workers.clone().claim(max=10, wait_ms=20000)))
        thread.start()
        execution = self.one.launch(1)
        thread.join(15)
        self.assertFalse(thread.is_alive())
        self.assertEqual([call["executionId"] for call in got], [execution])

    def test_without_a_call_it_answers_when_the_time_is_over(self):
        self.assertEqual(self.workers.claim(wait_ms=50), [])
        self.assertEqual(self.workers.claim(wait_ms=0), [])

    def test_it_waits_as_long_as_it_was_told(self):
        begin = time.monotonic()
        self.assertEqual(self.workers.claim(wait_ms=700), [])
        self.assertGreaterEqual(time.monotonic() - begin, 0.69)

    def test_waiting_is_real_time_whatever_the_test_clock_says(self):
        got = []
        thread = threading.Thread(
            target=lambda: got.append(self.workers.clone().claim(max=10, wait_ms=20000)))
        thread.start()
        self.daemon.advance(3600)
        self.assertTrue(thread.is_alive())
        self.launch(1)
        thread.join(15)
        self.assertEqual(len(got[0]), 1)

    def test_two_that_wait_get_different_calls(self):
        got = []
        lock = threading.Lock()

        def claim(worker):
            calls = worker.claim(max=1, wait_ms=20000)
            with lock:
                got.append(calls)

        threads = [threading.Thread(target=claim, args=(self.workers.clone(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        self.launch(2)
        for thread in threads:
            thread.join(15)
        self.assertEqual([len(calls) for calls in got], [1, 1])
        self.assertNotEqual(got[0][0]["callId"], got[1][0]["callId"])

    def waiting_claim(self, more="", key=None):
        """A connection whose claim waits in the daemon; `more` is sent right behind it."""
        body = json.dumps({"max": 10, "waitMs": 25000, "gateway": "worker"})
        connection = self.daemon.connect()
        connection.sendall((
            "POST /api/calls/claim HTTP/1.1\r\nHost: x\r\n"
            f"X-API-Key: {key or self.daemon.worker_key()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}{more}"
        ).encode())
        # The daemon has read it once it answers what was sent later.
        for _ in range(3):
            expect(self.daemon.client().get("/healthz"), 200)
        return connection

    def test_a_client_that_has_gone_is_given_none(self):
        for how in ("closes", "resets", "half-closes and goes"):
            with self.subTest(how):
                connection = self.waiting_claim()
                if how == "resets":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
                if how.startswith("half"):
                    connection.shutdown(socket.SHUT_WR)
                connection.close()
                self.launch(2)
                # Nobody holds the calls: the next claim gets both, at once and as new.
                calls = self.workers.claim_exactly(2)
                self.assertEqual({call["redelivered"] for call in calls}, {False})
                self.workers.finish_all(calls)

    def test_one_whose_key_is_revoked_is_given_none(self):
        made = self.admin.create("/api/api-keys", {"name": "for a while", "role": "worker"})
        connection = self.waiting_claim(key=made["key"])
        self.admin.remove(f"/api/api-keys/{made['id']}")
        self.launch(2)
        self.fails(read_response(connection), 401, "UnauthorizedError")
        self.workers.claim_exactly(2)
        connection.close()

    def test_one_of_two_that_wait_goes(self):
        gone = self.waiting_claim()
        stays = self.waiting_claim()
        gone.close()
        execution = self.one.launch(1)
        answer = expect(read_response(stays), 200)
        self.assertEqual([call["executionId"] for call in answer["calls"]], [execution])
        stays.close()


    def test_what_is_sent_behind_a_waiting_claim_is_answered_after_it(self):
        more = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        connection = self.waiting_claim(more * 3)
        execution = self.one.launch(1)
        answer = expect(read_response(connection), 200)
        self.assertEqual([call["executionId"] for call in answer["calls"]], [execution])
        connection.close()
        for garbage in ("\0\1\2 nonsense\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            connection = self.waiting_claim(garbage)
            connection.close()
        expect(self.daemon.client().get("/healthz"), 200)

    def test_one_that_goes_with_requests_behind_its_claim_is_given_none(self):
        connection = self.waiting_claim("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        connection.close()
        self.launch(1)
        self.assertFalse(self.workers.claim_one()["redelivered"])


class Gateways(Case):
    config = "[gateway worker]\nkind = worker\n[gateway other]\nkind = worker\n[calls]\n" \
             "default_gateway = worker\n"

    def test_a_claim_has_the_calls_of_its_gateway(self):
        other = Worker(self.daemon, "other")
        first = self.launch(2)
        second = self.launch(3, gateway="other")
        mine, others = self.workers.claim_exactly(2), other.claim_exactly(3)
        self.assertEqual({call["executionId"] for call in mine}, {first})
        self.assertEqual({call["executionId"] for call in others}, {second})
        # What one gives back does not go to the other, and holds up that gateway alone.
        other.tell(released(others[0], retryAfterSeconds=60))
        self.workers.claim_none()
        third = self.launch(1)
        self.assertEqual(self.workers.claim_one()["executionId"], third)
        other.claim_none()


class Leases(Case):
    def test_a_lease_that_ends_puts_the_call_back(self):
        self.launch(1)
        first = self.workers.claim_one()
        self.daemon.advance_to(later(first["leaseExpiresAt"], seconds=-0.001))
        self.workers.claim_none()
        self.daemon.advance_to(first["leaseExpiresAt"])
        second = self.workers.claim_one()
        changing = {"claimId", "redelivered", "leaseExpiresAt"}
        self.assertEqual({k: v for k, v in second.items() if k not in changing},
                         {k: v for k, v in first.items() if k not in changing})
        self.assertNotEqual(second["claimId"], first["claimId"])
        self.assertTrue(second["redelivered"])
        self.assertEqual(second["leaseExpiresAt"], later(MONDAY_NINE, seconds=120))
        self.assertEqual(self.status(started(first)), ["stale"])
        self.assertEqual(self.status(started(second)), ["accepted"])
        self.one.wait_counts(self.execution, inProgress=1)

    def test_a_waiting_worker_gets_it_at_once(self):
        self.launch(1)
        first = self.workers.claim_one()
        got = []
        thread = threading.Thread(
            target=lambda: got.extend(self.workers.clone().claim(max=1, wait_ms=20000)))
        thread.start()
        self.daemon.advance(60)
        thread.join(15)
        self.assertEqual([call["callId"] for call in got], [first["callId"]])

    def test_a_started_call_has_no_lease(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.started(call)
        self.daemon.advance(600)
        self.workers.claim_none()
        self.workers.result(call)
        self.one.wait_status(self.execution, "completed")

    def test_after_five_leases_the_call_is_undeliverable(self):
        self.launch(1)
        first = self.workers.claim_one()
        for _ in range(4):
            self.daemon.advance(60)
            self.assertEqual(self.workers.claim_one()["callId"], first["callId"])
        self.one.wait_counts(self.execution, inProgress=1)
        self.daemon.advance(60)
        self.workers.claim_none()
        done = self.one.wait_status(self.execution, "completed")
        self.assertEqual(done["contactsFailed"], 1)
        call = self.ended(first)
        self.assertEqual((call["outcome"], call["detail"]), ("error", "undeliverable"))
        self.assertEqual(self.status(started(first)), ["stale"])

    def test_an_undeliverable_attempt_is_retried_as_a_new_one(self):
        self.launch(1, retryStrategy={"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1})
        first = self.workers.claim_one()
        for _ in range(4):
            self.daemon.advance(60)
            self.workers.claim_one()
        self.daemon.advance(60)
        self.one.wait_counts(self.execution, pending=1)
        self.daemon.advance(60)
        second = self.workers.claim_one()
        self.assertEqual((second["attempt"], second["redelivered"]), (2, False))
        self.assertNotEqual(second["callId"], first["callId"])

    def test_a_call_that_nobody_claims_waits(self):
        self.launch(1)
        self.one.wait_counts(self.execution, inProgress=1)
        self.daemon.advance(7 * 86400)
        self.one.wait_counts(self.execution, inProgress=1, failed=0)
        self.assertFalse(self.workers.claim_one()["redelivered"])


class Permission(Case):
    def test_accepted_once_with_five_seconds_to_dial(self):
        self.launch(1)
        call = self.workers.claim_one()
        answer = self.workers.started(call)
        self.assertEqual(answer["status"], "accepted")
        self.assertEqual(answer["dialBy"], later(MONDAY_NINE, seconds=5))
        for _ in range(3):
            self.assertEqual(self.status(started(call)), ["duplicate"])
        self.daemon.advance(60)
        self.assertEqual(self.status(started(call)), ["duplicate"])

    def test_accepted_once_under_a_race(self):
        for _ in range(5):
            self.launch(1)
            call = self.workers.claim_one()
            answers = []
            threads = [threading.Thread(target=lambda worker=self.workers.clone(): answers.extend(
                worker.tell(started(call)))) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answer["status"] for answer in answers),
                             ["accepted"] + ["duplicate"] * 5)
            self.workers.result(call)

    def test_twice_in_one_request(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.assertEqual(self.status(started(call), started(call)), ["accepted", "duplicate"])

    def test_stale_under_a_claim_that_was_lost(self):
        self.launch(1)
        lost = self.workers.claim_one()
        self.daemon.advance(60)
        kept = self.workers.claim_one()
        self.assertEqual(self.status(started(lost), started(kept), started(lost)),
                         ["stale", "accepted", "stale"])

    def test_stale_under_a_claim_that_never_was(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.assertEqual(self.status({**started(call), "claimId": unknown_id()}), ["stale"])
        self.assertEqual(self.status(started(call)), ["accepted"])

    def test_stale_when_the_call_has_ended(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.finish(call)
        self.assertEqual(self.status(started(call)), ["stale"])

    def test_stale_after_the_lease_though_nobody_has_claimed_it_since(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.daemon.advance(60)
        answer = self.status(started(call))
        self.assertEqual(answer, ["stale"])
        self.workers.finish(self.workers.claim_one())

    def test_paused_and_cancelled_executions_let_queued_calls_go_on(self):
        for verb in (self.one.pause, self.one.cancel):
            self.launch(2)
            calls = self.workers.claim_exactly(2)
            verb(self.execution)
            for call in calls:
                self.workers.finish(call)
            self.one.wait_counts(self.execution, completed=2)

    def test_a_stopped_execution_lets_queued_calls_go_on(self):
        self.launch(1, stopAt=later(MONDAY_NINE, seconds=30))
        call = self.workers.claim_one()
        self.daemon.advance(30)
        self.assertEqual(self.one.execution(self.execution)["status"], "stopped")
        self.workers.finish(call)
        self.one.wait_counts(self.execution, completed=1)


class Results(Case):
    def test_the_first_wins(self):
        self.launch(1)
        call = self.workers.claim_one()
        event = result(call, "busy", durationSeconds=0, detail="486")
        self.assertEqual(self.status(started(call), event, event), ["accepted", "accepted",
                                                                    "duplicate"])
        self.assertEqual(self.status(event), ["duplicate"])
        done = self.one.wait_status(self.execution, "completed")
        self.assertEqual(self.status(result(call, "answered")), ["stale"])
        self.assertEqual(self.status(event), ["duplicate"])
        after = self.one.execution(self.execution)
        self.assertEqual({**after, "updatedAt": 0}, {**done, "updatedAt": 0})
        row = self.ended(call)
        self.assertEqual((row["outcome"], row["detail"], row["lateOutcome"]),
                         ("busy", "486", "answered"))

    def test_without_started_it_is_accepted_from_a_claimed_call(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.assertEqual(self.status(result(call, "answered")), ["accepted"])
        done = self.one.wait_status(self.execution, "completed")
        self.assertEqual(done["contactsCompleted"], 1)
        self.assertEqual(self.status(started(call)), ["stale"])

    def test_each_outcome(self):
        outcomes = ("answered", "voicemail", "busy", "no_answer", "rejected", "error", "timeout")
        self.launch(len(outcomes))
        calls = self.workers.claim_exactly(len(outcomes))
        for call, outcome in zip(calls, outcomes):
            self.workers.finish(call, outcome)
            self.assertEqual(self.ended(call)["outcome"], outcome)

    def test_the_first_result_of_two_holders_wins(self):
        self.launch(1)
        lost = self.workers.claim_one()
        self.workers.started(lost)
        self.workers.tell(released(lost))
        kept = self.workers.claim_one()
        self.assertEqual(self.status(result(kept, "busy")), ["accepted"])
        self.assertEqual(self.status(started(kept), result(kept, "busy"), result(lost, "answered")),
                         ["stale", "duplicate", "stale"])
        done = self.one.wait_status(self.execution, "completed")
        self.assertEqual((done["contactsFailed"], done["contactsCompleted"]), (1, 0))
        row = self.ended(lost)
        self.assertEqual((row["outcome"], row["lateOutcome"]), ("busy", "answered"))

    def test_a_silent_call_ends_as_timeout_in_doubt(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.started(call)
        self.daemon.advance(3600 - 1)
        self.one.wait_counts(self.execution, inProgress=1)
        self.daemon.advance(1)
        done = self.one.wait_status(self.execution, "completed")
        self.assertEqual(done["contactsFailed"], 1)
        row = self.ended(call)
        self.assertEqual((row["outcome"], row["inDoubt"]), ("timeout", True))
        self.assertEqual(self.status(result(call, "answered")), ["stale"])
        self.assertEqual(self.ended(call)["lateOutcome"], "answered")

    def test_any_event_renews_a_started_call(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.started(call)
        for event in (node_executed(call, "hello", 1), node_executed(call, "ask", 2)):
            self.daemon.advance(3000)
            self.workers.tell(event)
        self.daemon.advance(3000)
        self.one.wait_counts(self.execution, inProgress=1)
        self.daemon.advance(600)
        self.one.wait_counts(self.execution, inProgress=0, failed=1)

    def test_a_repeated_event_is_a_sign_of_life_too(self):
        for event in (lambda call: node_executed(call, "hello", 1), started):
            with self.subTest(event.__name__):
                self.launch(1)
                call = self.workers.claim_one()
                self.workers.tell(started(call), node_executed(call, "hello", 1))
                self.daemon.advance(3000)
                self.assertEqual(self.status(event(call)), ["duplicate"])
                self.daemon.advance(3000)
                self.one.wait_counts(self.execution, inProgress=1)
                self.workers.result(call)

    def test_a_timeout_is_followed_by_a_new_attempt_only(self):
        self.launch(1, retryStrategy={"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1})
        call = self.workers.claim_one()
        self.workers.started(call)
        self.daemon.advance(3600)
        self.workers.claim_none()
        self.daemon.advance(60)
        again = self.workers.claim_one()
        self.assertEqual(again["attempt"], 2)
        self.assertNotEqual(again["callId"], call["callId"])


class Nodes(Case):
    def test_seq_grows(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.assertEqual(
            self.status(started(call), node_executed(call, "hello", 1),
                        node_executed(call, "ask", 2), node_executed(call, "ask", 5)),
            ["accepted"] * 4)
        self.assertEqual(self.status(node_executed(call, "ask", 5)), ["duplicate"])
        (answer,) = self.status(node_executed(call, "hello", 3))
        self.assertIn(answer, ("duplicate", "stale"))
        self.assertEqual(self.status(node_executed(call, "bye", 6), result(call)),
                         ["accepted", "accepted"])
        self.assertEqual(self.status(node_executed(call, "bye", 7)), ["stale"])

    def test_malformed(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.started(call)
        for event in (node_executed(call, "", 1), node_executed(call, 3, 1),
                      node_executed(call, "a", "1"), node_executed(call, "a", -1),
                      node_executed(call, "a", 1.5), node_executed(call, None, 1)):
            with self.subTest(event=event):
                (answer,) = self.workers.tell(event)
                self.assertEqual(answer["status"], "invalid")
                self.assertTrue(answer["message"])


class Released(Case):
    def test_it_comes_again_under_its_id(self):
        self.launch(1)
        first = self.workers.claim_one()
        self.assertEqual(self.status(released(first, reason="draining")), ["accepted"])
        second = self.workers.claim_one()
        self.assertEqual((second["callId"], second["attempt"]), (first["callId"], 1))
        self.assertNotEqual(second["claimId"], first["claimId"])
        self.assertEqual(self.status(started(first), started(second)), ["stale", "accepted"])

    def test_a_permitted_call_may_be_given_back(self):
        self.launch(1)
        first = self.workers.claim_one()
        self.assertEqual(self.status(started(first), released(first)), ["accepted", "accepted"])
        second = self.workers.claim_one()
        self.assertEqual(second["callId"], first["callId"])
        self.assertEqual(self.status(started(first)), ["stale"])
        self.workers.finish(second)
        self.assertEqual(self.one.entries(self.execution)[0]["attempts"], 1)

    def test_many_times(self):
        self.launch(1)
        first = self.workers.claim_one()
        self.workers.tell(released(first))
        for _ in range(12):  # leases that end by `released` are no reason to give up
            call = self.workers.claim_one()
            self.assertEqual(call["callId"], first["callId"])
            self.workers.tell(started(call), released(call))
        self.workers.finish(self.workers.claim_one())
        self.one.wait_status(self.execution, "completed")

    def test_a_repeated_one_does_not_take_the_call_from_another_worker(self):
        """The answer to `released` was lost, so it is sent again, unchanged; meanwhile the call has
        been permitted to another worker. Nobody may be permitted to dial it a second time."""
        self.launch(1)
        first = self.workers.claim_one()
        self.assertEqual(self.status(released(first)), ["accepted"])
        second = self.workers.claim_one()
        self.assertEqual(self.status(started(second)), ["accepted"])
        self.workers.tell(released(first))
        for call in self.workers.claim(wait_ms=60):
            self.assertNotEqual(self.workers.started(call)["status"], "accepted", "permitted twice")
        self.assertEqual(self.status(result(second, "answered")), ["accepted"])

    def test_one_of_a_lost_claim_does_not_take_the_call_from_another_worker(self):
        self.launch(1)
        lost = self.workers.claim_one()
        self.daemon.advance(60)
        kept = self.workers.claim_one()
        self.assertEqual(self.status(started(kept)), ["accepted"])
        self.workers.tell(released(lost))
        for call in self.workers.claim(wait_ms=60):
            self.assertNotEqual(self.workers.started(call)["status"], "accepted", "permitted twice")

    def test_the_gateway_backs_off(self):
        self.launch(3)
        call = self.workers.claim(max=1, wait_ms=5000)[0]
        self.assertEqual(self.status(released(call, reason="503", retryAfterSeconds=30)),
                         ["accepted"])
        self.workers.claim_none()
        self.daemon.advance(29)
        self.workers.claim_none()
        self.daemon.advance(1)
        calls = self.workers.claim_exactly(3)
        self.assertIn(call["callId"], {c["callId"] for c in calls})

    def test_the_gateway_backs_off_for_every_organisation(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.tell(released(call, retryAfterSeconds=30))
        other = self.org()
        execution = other.launch(1)
        simulated = other.launch(other.program(1, gateway="simulator"))
        self.daemon.advance(29)
        self.workers.claim_none()
        self.daemon.advance(1)
        calls = self.workers.claim_exactly(2)
        self.assertEqual({c["executionId"] for c in calls}, {self.execution, execution})
        self.workers.finish_all(calls)
        first = other.calls(simulated)[0]  # another gateway has not waited
        self.assertEqual(first["queuedAt"], MONDAY_NINE)
        self.assertEqual(first["startedAt"], MONDAY_NINE)

    def test_the_gateway_backs_off_for_an_hour_at_most(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.tell(released(call, retryAfterSeconds=86400))
        self.daemon.advance(3599)
        self.workers.claim_none()
        self.daemon.advance(1)
        self.assertEqual(self.workers.claim_one()["callId"], call["callId"])

    def test_a_result_after_it_is_stale(self):
        """It was given back, so nobody has it: the attempt goes on with the next claim."""
        self.launch(1)
        call = self.workers.claim_one()
        self.assertEqual(self.status(released(call), result(call, "answered")),
                         ["accepted", "stale"])
        again = self.workers.claim_one()
        self.assertEqual(self.status(started(again), released(again), result(again, "error")),
                         ["accepted", "accepted", "stale"])
        last = self.workers.claim_one()
        self.assertEqual((last["callId"], last["attempt"]), (call["callId"], 1))
        self.workers.finish(last, "busy")
        (row,) = self.one.calls(self.execution)
        self.assertEqual((row["outcome"], row["lateOutcome"]), ("busy", None))

    def test_of_a_call_that_has_ended(self):
        self.launch(1)
        call = self.workers.claim_one()
        self.workers.finish(call)
        self.assertEqual(self.status(released(call)), ["stale"])
        self.workers.claim_none()

    def test_malformed(self):
        self.launch(1)
        call = self.workers.claim_one()
        for event in (released(call, retryAfterSeconds=-1), released(call, retryAfterSeconds="1"),
                      released(call, reason=3), released(call, x=1)):
            with self.subTest(event=event):
                self.assertEqual(self.status(event), ["invalid"])


class Events(Case):
    def test_unknown_calls(self):
        self.assertEqual(
            self.status({"callId": unknown_id(), "type": "started", "claimId": unknown_id()},
                        {"callId": unknown_id(), "type": "result", "outcome": "busy"},
                        {"callId": unknown_id(), "type": "node_executed", "nodeId": "a", "seq": 1},
                        {"callId": unknown_id(), "type": "released"}),
            ["unknown"] * 4)

    def test_a_call_id_that_was_not_made_by_this_engine(self):
        self.launch(1)
        call = self.workers.claim_one()
        for position in range(len(call["callId"])):
            digit = call["callId"][position]
            if digit == "-":
                continue
            other = call["callId"][:position] + ("1" if digit != "1" else "2") \
                + call["callId"][position + 1:]
            (answer,) = self.status({"callId": other, "type": "result", "outcome": "busy"})
            self.assertIn(answer, ("unknown", "stale", "invalid"), other)
        self.one.wait_counts(self.execution, inProgress=1)

    def test_malformed_ones(self):
        self.launch(1)
        call = self.workers.claim_one()
        for event in (
                {"callId": call["callId"]},
                {"callId": call["callId"], "type": "ringing"},
                {"callId": call["callId"], "type": 3},
                {"callId": call["callId"], "type": "started"},
                {"callId": call["callId"], "type": "started", "claimId": 3},
                {**started(call), "when": "now"},
                {"callId": call["callId"], "type": "result"},
                result(call, "bored"), result(call, None), result(call, "answered", x=1),
                result(call, "answered", durationSeconds=-1),
                result(call, "answered", durationSeconds="long"),
                result(call, "answered", detail=3)):
            with self.subTest(event=event):
                (answer,) = self.workers.tell(event)
                self.assertEqual(answer["status"], "invalid")
                self.assertTrue(answer["message"])
        self.assertEqual(self.status(started(call)), ["accepted"])

    def test_how_long_and_how_much_may_be_said(self):
        self.launch(1)
        call = self.workers.claim_one()
        for event in (released(call, retryAfterSeconds=86401), released(call, reason="x" * 256),
                      node_executed(call, "x" * 256, 1), node_executed(call, "a", 0),
                      result(call, "busy", detail="x" * 256),
                      result(call, "busy", durationSeconds=604801)):
            with self.subTest(event=event):
                self.assertEqual(self.status(event), ["invalid"])
        self.assertEqual(
            self.status(started(call), node_executed(call, "é" * 255, 1),
                        result(call, "busy", detail="é" * 255, durationSeconds=604800)),
            ["accepted"] * 3)
        row = self.ended(call)
        self.assertEqual((row["detail"], row["durationSeconds"]), ("é" * 255, 604800))

    def test_call_ids_that_are_none(self):
        for call_id in ("nonsense", "", 3, None):
            with self.subTest(callId=call_id):
                answer = expect(self.workers.api.post("/api/call-events", {"events": [
                    {"callId": call_id, "type": "result", "outcome": "busy"}]}), 200)["results"]
                self.assertIn(answer[0]["status"], ("unknown", "invalid"))

    def test_an_event_that_is_no_object(self):
        self.launch(1)
        call = self.workers.claim_one()
        for event in (3, None, [], "x"):
            response = self.workers.api.post("/api/call-events", {"events": [event, started(call)]})
            if response.status == 200:
                self.assertEqual(response.json["results"][0]["status"], "invalid")
            else:
                self.invalid(response, "events[0]")

    def test_one_bad_event_does_not_harm_the_others(self):
        self.launch(3)
        calls = self.workers.claim_exactly(3)
        self.assertEqual(
            self.status(started(calls[0]), {"callId": calls[1]["callId"], "type": "ringing"},
                        started(calls[1]), {"callId": unknown_id(), "type": "released"},
                        result(calls[0], "busy"), result(calls[1], "bored"), started(calls[2]),
                        result(calls[2], "answered"), result(calls[1], "answered"),
                        started(calls[0])),
            ["accepted", "invalid", "accepted", "unknown", "accepted", "invalid", "accepted",
             "accepted", "accepted", "stale"])
        done = self.one.wait_status(self.execution, "completed")
        self.assertEqual((done["contactsCompleted"], done["contactsFailed"]), (2, 1))

    def test_1_to_1000(self):
        self.invalid(self.workers.api.post("/api/call-events", {"events": []}), "events")
        event = {"callId": unknown_id(), "type": "released"}
        self.invalid(self.workers.api.post("/api/call-events", {"events": [event] * 1001}),
                     "events")
        self.assertEqual(self.status(*[event] * 1000), ["unknown"] * 1000)
        self.invalid(self.workers.api.post("/api/call-events", {}), "events")
        self.invalid(self.workers.api.post("/api/call-events", {"events": {}, "x": 1}),
                     "events", "x")

    def test_a_thousand_calls_in_a_request(self):
        self.launch(1000)
        self.one.wait_counts(self.execution, inProgress=1000)
        calls = self.workers.claim_exactly(1000)
        self.assertEqual(set(self.status(*[started(call) for call in calls])), {"accepted"})
        self.assertEqual(set(self.status(*[result(call) for call in calls])), {"accepted"})
        self.assertEqual(self.one.wait_status(self.execution, "completed")["contactsCompleted"],
                         1000)

    def test_what_was_answered_survives_a_kill(self):
        self.launch(4, retryStrategy={"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1})
        calls = self.workers.claim_exactly(4)
        self.workers.start_all(calls[:3])
        self.workers.result(calls[0], "answered")
        self.workers.result(calls[1], "busy")
        self.daemon.restart(kill=True)
        self.one.wait_counts(self.execution, completed=1, pending=1, inProgress=2)
        self.assertEqual(self.status(started(calls[2]), result(calls[0], "answered")),
                         ["duplicate", "duplicate"])
        # The claim of the fourth is still good, or has been lost: never both.
        (answer,) = self.status(started(calls[3]))
        self.assertIn(answer, ("accepted", "stale"))
        if answer == "stale":
            self.daemon.advance(60)
            self.workers.finish(self.workers.claim_one())
        else:
            self.workers.result(calls[3])
        self.workers.result(calls[2])
        self.daemon.advance(60)
        wait_until(lambda: self.one.execution(self.execution)["contactsPending"] == 0, "retry")
        again = self.workers.claim_one()
        self.assertEqual((again["contactId"], again["attempt"]), (calls[1]["contactId"], 2))


if __name__ == "__main__":
    main()
