"""api.md, "Executions": the calls of an execution, newest first, and its report."""

from outdial_daemon import Story, later, main, parse_time, unknown_id

REASONS = ("answered", "voicemail", "busy", "no_answer", "rejected", "error")


class Case(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.workers = self.worker()

    def path(self, execution, suffix=""):
        return f"/api/program-executions/{execution}{suffix}"

    def report(self, execution, query=""):
        return self.one.api.read(self.path(execution, "/report" + query))


def retries(count, minutes=10):
    return {"type": "fixed_delay", "delayMinutes": minutes, "maxRetries": count}


class NewestFirst(Case):
    def retried(self, contacts):
        """All contacts are called; the first and the last of them are called again, later."""
        execution = self.one.launch(self.one.program(contacts, retryStrategy=retries(1)))
        calls = self.workers.claim_exactly(contacts)
        for call in calls:
            self.daemon.advance(1)
            self.workers.finish(call, "busy" if call in (calls[0], calls[-1]) else "answered")
        self.daemon.advance(610)
        again = self.workers.claim_exactly(2)
        return execution, calls, again

    def test_a_retry_is_newer_than_the_first_attempt_of_a_later_contact(self):
        execution, calls, again = self.retried(4)
        listed = self.one.calls(execution)
        self.assertEqual([row["callId"] for row in listed],
                         [call["callId"] for call in reversed(calls + again)])
        queued = [parse_time(row["queuedAt"]) for row in listed]
        self.assertEqual(queued, sorted(queued, reverse=True))
        self.assertEqual([row["status"] for row in listed], ["claimed"] * 2 + ["ended"] * 4)

    def test_page_by_page_is_the_same(self):
        execution, calls, again = self.retried(5)
        wanted = [call["callId"] for call in reversed(calls + again)]
        for limit in (1, 2, 3, 7, 100):
            rows = self.one.api.pages(self.path(execution, "/calls"), limit=limit)
            self.assertEqual([row["callId"] for row in rows], wanted, limit)

    def test_a_cursor_stays_valid_while_calls_come_and_end(self):
        execution = self.one.launch(self.one.program(6, pacing={"maxConcurrentCalls": 3}))
        calls = self.workers.claim_exactly(3)
        page = self.one.api.read(self.path(execution, "/calls?limit=1"))
        self.assertEqual(page["data"][0]["callId"], calls[2]["callId"])
        self.workers.finish_all(calls)
        self.workers.finish_all(self.workers.claim_exactly(3))
        rest = self.one.api.read(self.path(execution, f"/calls?limit=5&cursor={page['nextCursor']}"))
        self.assertEqual([row["callId"] for row in rest["data"]],
                         [calls[1]["callId"], calls[0]["callId"]])
        self.assertIsNone(rest["nextCursor"])

    def test_filters_keep_the_order(self):
        execution, calls, again = self.retried(4)
        busy = [row["callId"] for row in self.one.calls(execution, "?outcome=busy")]
        self.assertEqual(busy, [calls[3]["callId"], calls[0]["callId"]])
        both = self.one.calls(execution, "?outcome=busy&outcome=answered")
        self.assertEqual([row["callId"] for row in both],
                         [call["callId"] for call in reversed(calls)])
        mine = self.one.calls(execution, f"?contactId={calls[0]['contactId']}")
        self.assertEqual([row["attempt"] for row in mine], [2, 1])
        self.assertEqual(mine[0]["callId"], again[0]["callId"])
        self.assertEqual(self.one.calls(execution, f"?contactId={unknown_id()}"), [])
        self.invalid(self.one.api.get(self.path(execution, "/calls?contactId=x")), "contactId")

    def test_a_cursor_of_another_list_is_refused(self):
        execution, _, again = self.retried(3)
        self.workers.finish_all(again)
        other, _, _ = self.retried(3)
        cursor = self.one.api.read(self.path(execution, "/calls?limit=1"))["nextCursor"]
        self.invalid(self.one.api.get(self.path(other, f"/calls?cursor={cursor}")), "cursor")
        contact = self.one.calls(execution)[0]["contactId"]
        self.invalid(self.one.api.get(
            self.path(execution, f"/calls?contactId={contact}&cursor={cursor}")), "cursor")

    def test_a_call_that_was_skipped_before_its_permission_is_no_call(self):
        execution = self.one.launch(3)
        calls = self.workers.claim_exactly(3)
        self.one.api.change(f"/api/contacts/{calls[1]['contactId']}", {"doNotCall": True})
        self.assertEqual(self.workers.started(calls[1])["status"], "refused")
        self.assertEqual([row["callId"] for row in self.one.calls(execution)],
                         [calls[2]["callId"], calls[0]["callId"]])
        self.assertEqual(self.report(execution)["totals"]["calls"], 2)

    def test_more_calls_than_a_row_of_the_log_has(self):
        execution = self.one.launch(self.one.program(900, gateway="simulator"))
        self.one.wait_counts(execution, pending=0)
        rows = self.one.calls(execution)
        self.assertEqual(len({row["callId"] for row in rows}), 900)
        queued = [parse_time(row["queuedAt"]) for row in rows]
        self.assertEqual(queued, sorted(queued, reverse=True))

    def test_a_crash_and_a_restart_change_nothing(self):
        execution, calls, again = self.retried(4)
        before = self.one.calls(execution)
        report = self.report(execution)
        self.daemon.restart(kill=True)
        self.assertEqual(self.one.calls(execution), before)
        after = self.report(execution)
        self.assertEqual({**after, "generatedAt": 0}, {**report, "generatedAt": 0})
        self.workers.finish_all(again, "answered")
        self.assertEqual(len(self.one.calls(execution)), len(calls + again))
        self.assertEqual(self.report(execution)["outcomes"]["answered"], 4)


class Report(Case):
    def test_before_the_first_call(self):
        start = later(self.daemon.now(), hours=1)
        execution = self.one.launch(self.one.program(3, startAt=start))
        self.assertEqual(self.report(execution), {
            "executionId": execution, "generatedAt": self.daemon.now(),
            "totals": {"contacts": 3, "completed": 0, "failed": 0, "pending": 3, "inProgress": 0,
                       "skipped": 0, "calls": 0},
            "outcomes": {name: 0 for name in REASONS + ("timeout",)},
            "answerRate": None,
            "attemptsPerContact": {"average": None, "max": None, "distribution": []},
            "firstCallAt": None, "lastCallAt": None,
            "talkSeconds": {"total": 0, "average": None}, "callsPerMinute": []})

    def test_everything_is_counted(self):
        begin = self.daemon.now()
        execution = self.one.launch(self.one.program(6, retryStrategy=retries(1)))
        calls = self.workers.claim_exactly(6)
        self.daemon.advance(30)  # 09:00:30
        self.workers.start_all(calls)
        self.daemon.advance(10)
        self.workers.result(calls[0], "answered", durationSeconds=61)
        self.workers.result(calls[1], "answered", durationSeconds=10)
        self.workers.result(calls[2], "answered")
        self.workers.result(calls[3], "voicemail", durationSeconds=99)
        self.daemon.advance(50)  # 09:01:30
        self.workers.result(calls[4], "busy")
        self.daemon.advance(510)  # 09:10:00: nothing is due again yet
        report = self.report(execution)
        self.assertEqual(report["totals"], {
            "contacts": 6, "completed": 3, "failed": 0, "pending": 2, "inProgress": 1,
            "skipped": 0, "calls": 6})
        self.assertEqual(report["outcomes"], {
            "answered": 3, "voicemail": 1, "busy": 1, "no_answer": 0, "rejected": 0, "error": 0,
            "timeout": 0})
        self.assertEqual(report["answerRate"], 0.6)
        self.assertEqual(report["attemptsPerContact"], {
            "average": 1, "max": 1, "distribution": [{"attempts": 1, "contacts": 3}]})
        self.assertEqual(report["firstCallAt"], later(begin, seconds=30))
        self.assertEqual(report["talkSeconds"], {"total": 71, "average": 35.5})
        self.assertEqual(report["callsPerMinute"], [
            {"minute": begin, "calls": 4, "answered": 3},
            {"minute": later(begin, minutes=1), "calls": 1, "answered": 0}])

        self.daemon.advance(120)  # both are due again
        again = self.workers.claim_exactly(2)
        self.workers.finish(again[0], "answered")
        self.workers.finish(again[1], "rejected")
        now = self.daemon.now()
        report = self.report(execution)
        self.assertEqual(report["totals"]["failed"], 1)
        self.assertEqual(report["totals"]["calls"], 8)
        self.assertEqual(report["answerRate"], 0.5714)
        self.assertEqual(report["attemptsPerContact"], {
            "average": 1.4, "max": 2, "distribution": [{"attempts": 1, "contacts": 3},
                                                       {"attempts": 2, "contacts": 2}]})
        self.assertEqual(report["lastCallAt"], now)
        self.assertEqual(sum(row["calls"] for row in report["callsPerMinute"]), 7)
        self.assertEqual(sum(row["answered"] for row in report["callsPerMinute"]), 4)

    def test_a_time_out_and_what_comes_late(self):
        execution = self.one.launch(1)
        call = self.workers.claim_one()
        self.workers.started(call)
        self.daemon.advance(3601)
        report = self.report(execution)
        self.assertEqual(report["outcomes"]["timeout"], 1)
        self.assertEqual(self.workers.result(call, "answered")["status"], "stale")
        after = self.report(execution)
        self.assertEqual({**after, "generatedAt": 0}, {**report, "generatedAt": 0})

    def test_from_and_to_choose_minutes(self):
        begin = self.daemon.now()
        execution = self.one.launch(self.one.program(4, pacing={"maxConcurrentCalls": 1}))
        for _ in range(4):
            self.workers.finish(self.workers.claim_one())
            self.daemon.advance(60)

        def minutes(query):
            series = self.report(execution, query)["callsPerMinute"]
            return [int((parse_time(row["minute"]) - parse_time(begin)).total_seconds() / 60)
                    for row in series]

        self.assertEqual(minutes(""), [0, 1, 2, 3])
        self.assertEqual(minutes(f"?from={later(begin, minutes=1)}"), [1, 2, 3])
        self.assertEqual(minutes(f"?from={later(begin, seconds=90)}"), [1, 2, 3])
        self.assertEqual(minutes(f"?to={later(begin, minutes=2)}"), [0, 1])
        self.assertEqual(minutes(f"?from={later(begin, minutes=1)}&to={later(begin, minutes=3)}"),
                         [1, 2])
        self.assertEqual(minutes(f"?from={later(begin, hours=1)}"), [])
        path = self.path(execution, "/report")
        self.invalid(self.one.api.get(path + "?from=yesterday&to=2026"), "from", "to")
        self.invalid(self.one.api.get(path + "?from=2026-11-23T09:00:00"), "from")
        self.invalid(self.one.api.get(f"{path}?from={begin}&to={begin}"), "to")
        self.invalid(self.one.api.get(path + "?limit=5"), "limit")

    def test_the_end_of_an_execution_leaves_its_report(self):
        execution = self.one.launch(5)
        calls = self.workers.claim_exactly(5)
        self.workers.finish_all(calls[:2])
        self.one.cancel(execution)
        self.workers.finish_all(calls[2:], "busy")
        report = self.report(execution)
        self.assertEqual(report["totals"], {
            "contacts": 5, "completed": 2, "failed": 3, "pending": 0, "inProgress": 0,
            "skipped": 0, "calls": 5})
        self.daemon.restart()
        self.assertEqual(self.report(execution)["totals"], report["totals"])

    def test_a_campaign_of_the_simulator_adds_up(self):
        execution = self.one.launch(self.one.program(
            300, gateway="simulator", retryStrategy=retries(3, 60)))
        self.daemon.advance(86400)
        self.one.wait_status(execution, "completed")
        report = self.report(execution)
        rows = self.one.calls(execution)
        for outcome in report["outcomes"]:
            self.assertEqual(report["outcomes"][outcome],
                             len([row for row in rows if row["outcome"] == outcome]), outcome)
        self.assertEqual(report["totals"]["calls"], len(rows))
        self.assertEqual(report["firstCallAt"], min(row["startedAt"] for row in rows))
        self.assertEqual(report["lastCallAt"], max(row["startedAt"] for row in rows))
        self.assertEqual(sum(row["calls"] for row in report["callsPerMinute"]), len(rows))
        attempts = [row["attempts"] for row in self.one.entries(execution)]
        self.assertEqual(report["attemptsPerContact"]["max"], max(attempts))
        self.assertEqual(
            {row["attempts"]: row["contacts"]
             for row in report["attemptsPerContact"]["distribution"]},
            {count: attempts.count(count) for count in set(attempts)})

    def test_it_is_nobody_elses(self):
        execution = self.one.launch(1)
        for suffix in ("/report", "/calls"):
            self.fails(self.org().api.get(self.path(execution, suffix)), 404,
                       "ExecutionNotFoundError")
            self.fails(self.one.api.get(self.path(unknown_id(), suffix)), 404,
                       "ExecutionNotFoundError")


if __name__ == "__main__":
    main()
