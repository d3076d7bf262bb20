"""api.md, "Pause windows": no call is started in one, and dialling resumes the moment the last one ends.

Each test walks the test clock along a list of moments and asks at each whether the execution is in a
window and whether a call comes."""

from outdial_daemon import Story, later, main, released

NEW_YORK = "America/New_York"


def clock(text):
    hour, minute = text.split(":")
    return {"hour": int(hour), "minute": int(minute)}


def weekly(day, *spans):
    return {day: [{"startAt": clock(start), "endAt": clock(end)} for start, end in spans]}


def advanced(*spans):
    return {"advanced": [{"startAt": start, "endAt": end} for start, end in spans]}


class Case(Story):
    timezone = "UTC"

    def begin(self, start, windows, contacts=40, **fields):
        """An execution of many contacts, one call at a time, at the moment `start`."""
        self.daemon.advance_to(start)
        self.one = self.org(timezone=self.timezone)
        self.execution = self.one.launch(self.one.program(
            contacts, pauseWindows=windows, pacing={"maxConcurrentCalls": 1}, **fields))
        self.one.wait_counts(self.execution, total=contacts)
        self.workers = self.worker()

    def walk(self, *moments):
        """At each (moment, "open" or "closed"): a call comes, and is over at once, or none comes.
        The call that is queued at the begin of a window is not permitted in it."""
        for moment, state in moments:
            with self.subTest(moment, state=state):
                self.daemon.advance_to(moment)
                seen = self.one.execution(self.execution)
                self.assertEqual(seen["status"], "running")
                self.assertEqual(seen["inPauseWindow"], state == "closed")
                for call in self.workers.claim(max=10, wait_ms=2000 if state == "open" else 60):
                    answer = self.workers.started(call)
                    if state == "closed":
                        self.assertEqual((answer["status"], answer.get("message")),
                                         ("refused", "pause_window"))
                    else:
                        self.assertEqual(answer["status"], "accepted")
                        self.workers.result(call)
                        break
                else:
                    self.assertEqual(state, "closed")
        self.one.execution(self.execution)  # the counters hold


class Weekly(Case):
    test_clock = "2026-11-23T00:00:00Z"  # a Monday

    def test_from_start_up_to_but_not_including_end(self):
        self.begin("2026-11-23T11:59:00.000Z", weekly("monday", ("12:00", "14:00")))
        self.walk(("2026-11-23T11:59:59.999Z", "open"), ("2026-11-23T12:00:00.000Z", "closed"),
                  ("2026-11-23T13:59:59.999Z", "closed"), ("2026-11-23T14:00:00.000Z", "open"),
                  ("2026-11-24T12:30:00.000Z", "open"), ("2026-11-30T12:30:00.000Z", "closed"))

    def test_each_day_of_the_week(self):
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        for number, day in enumerate(days):
            start = f"2026-11-{23 + number:02d}T08:00:00.000Z"
            self.begin(start, weekly(day, ("09:00", "10:00")))
            self.walk((later(start, minutes=30), "open"), (later(start, minutes=90), "closed"),
                      (later(start, minutes=120), "open"))
            self.one.cancel(self.execution)
            for call in self.workers.claim(wait_ms=60):
                self.workers.finish(call)

    def test_2359_means_the_end_of_the_day(self):
        self.begin("2026-11-23T21:00:00.000Z", weekly("monday", ("22:00", "23:59")))
        self.walk(("2026-11-23T22:00:00.000Z", "closed"), ("2026-11-23T23:59:00.000Z", "closed"),
                  ("2026-11-23T23:59:59.999Z", "closed"), ("2026-11-24T00:00:00.000Z", "open"))

    def test_an_end_before_its_start_runs_into_the_next_day(self):
        self.begin("2026-11-23T21:00:00.000Z", weekly("monday", ("22:00", "06:00")))
        self.walk(("2026-11-23T22:00:00.000Z", "closed"), ("2026-11-24T05:59:59.999Z", "closed"),
                  ("2026-11-24T06:00:00.000Z", "open"), ("2026-11-24T23:00:00.000Z", "open"),
                  ("2026-11-30T23:00:00.000Z", "closed"))

    def test_last_nights_window_holds_at_the_begin_of_the_week(self):
        self.begin("2026-11-28T21:00:00.000Z", weekly("saturday", ("22:00", "06:00")))
        self.walk(("2026-11-28T23:00:00.000Z", "closed"), ("2026-11-29T05:00:00.000Z", "closed"),
                  ("2026-11-29T06:00:00.000Z", "open"))

    def test_equal_times_are_a_full_day(self):
        self.begin("2026-11-23T11:00:00.000Z", weekly("monday", ("12:00", "12:00")))
        self.walk(("2026-11-23T11:30:00.000Z", "open"), ("2026-11-23T12:00:00.000Z", "closed"),
                  ("2026-11-24T11:59:59.999Z", "closed"), ("2026-11-24T12:00:00.000Z", "open"))

    def test_windows_may_overlap_and_touch(self):
        windows = {**weekly("monday", ("12:00", "14:00"), ("13:00", "15:00"), ("15:00", "16:00")),
                   **advanced(("2026-11-23T15:30:00Z", "2026-11-23T17:00:00Z"))}
        self.begin("2026-11-23T11:00:00.000Z", windows)
        self.walk(("2026-11-23T11:30:00.000Z", "open"), ("2026-11-23T14:00:00.000Z", "closed"),
                  ("2026-11-23T15:00:00.000Z", "closed"), ("2026-11-23T16:00:00.000Z", "closed"),
                  ("2026-11-23T16:59:59.999Z", "closed"), ("2026-11-23T17:00:00.000Z", "open"))

    def test_advanced_windows_are_instants(self):
        self.begin("2026-12-24T10:00:00.000Z", advanced(
            ("2026-12-24T12:00:00+01:00", "2026-12-24T12:30:00Z"),
            ("2026-12-25T00:00:00Z", "2026-12-25T00:00:01Z")))
        self.walk(("2026-12-24T10:59:59.999Z", "open"), ("2026-12-24T11:00:00.000Z", "closed"),
                  ("2026-12-24T12:29:59.999Z", "closed"), ("2026-12-24T12:30:00.000Z", "open"),
                  ("2026-12-25T00:00:00.500Z", "closed"), ("2026-12-25T00:00:01.000Z", "open"))


class WhatHappensInOne(Case):
    test_clock = "2026-11-23T00:00:00Z"
    windows = weekly("monday", ("12:00", "14:00"))

    def test_launched_inside_it_waits_for_the_end(self):
        self.begin("2026-11-23T13:00:00.000Z", self.windows, contacts=3)
        seen = self.one.wait_counts(self.execution, pending=3, inProgress=0)
        self.assertEqual((seen["status"], seen["inPauseWindow"], seen["nextDialAt"]),
                         ("running", True, "2026-11-23T14:00:00.000Z"))
        self.workers.claim_none()
        self.daemon.advance_to("2026-11-23T14:00:00.000Z")
        seen = self.one.execution(self.execution)
        self.assertFalse(seen["inPauseWindow"])
        self.workers.claim_one()

    def test_a_call_under_way_goes_on(self):
        self.begin("2026-11-23T11:59:59.000Z", self.windows)
        call = self.workers.claim_one()
        self.assertEqual(self.workers.started(call)["status"], "accepted")
        self.daemon.advance_to("2026-11-23T12:30:00.000Z")
        self.assertEqual(self.workers.result(call)["status"], "accepted")
        self.one.wait_counts(self.execution, completed=1, inProgress=0, skipped=0)
        self.workers.claim_none()

    def test_a_call_queued_before_is_refused_and_comes_again_under_its_id(self):
        self.begin("2026-11-23T11:59:59.000Z", self.windows)
        call = self.workers.claim_one()
        self.daemon.advance_to("2026-11-23T12:00:00.000Z")
        answer = self.workers.started(call)
        self.assertEqual((answer["status"], answer.get("message")), ("refused", "pause_window"))
        self.workers.claim_none()
        self.daemon.advance_to("2026-11-23T13:59:59.999Z")
        self.workers.claim_none()
        self.daemon.advance_to("2026-11-23T14:00:00.000Z")
        again = self.workers.claim_one()
        self.assertEqual((again["callId"], again["attempt"], again["contactId"]),
                         (call["callId"], call["attempt"], call["contactId"]))
        self.assertNotEqual(again["claimId"], call["claimId"])
        self.assertEqual(self.workers.started(call)["status"], "stale")
        self.workers.finish(again)
        self.one.wait_counts(self.execution, completed=1)

    def test_the_last_moment_before_counts_and_so_does_the_first_inside(self):
        self.begin("2026-11-23T11:59:00.000Z", self.windows, contacts=2)
        self.daemon.advance_to("2026-11-23T11:59:59.999Z")
        call = self.workers.claim_one()
        self.assertEqual(self.workers.started(call)["status"], "accepted")

    def test_a_released_call_is_not_offered_inside(self):
        self.begin("2026-11-23T11:59:59.000Z", self.windows)
        call = self.workers.claim_one()
        self.workers.started(call)
        self.daemon.advance_to("2026-11-23T12:30:00.000Z")
        self.workers.tell(released(call))
        for offered in self.workers.claim(wait_ms=60):
            self.assertEqual(self.workers.started(offered)["status"], "refused")
        self.daemon.advance_to("2026-11-23T14:00:00.000Z")
        self.assertEqual(self.workers.claim_one()["callId"], call["callId"])

    def test_a_retry_due_inside_waits_for_the_end(self):
        self.begin("2026-11-23T11:50:00.000Z", self.windows, contacts=1, retryStrategy={
            "type": "fixed_delay", "delayMinutes": 30, "maxRetries": 1})
        self.workers.finish(self.workers.claim_one(), "busy")
        self.daemon.advance_to("2026-11-23T12:20:00.000Z")
        self.workers.claim_none()
        self.assertEqual(self.one.execution(self.execution)["nextDialAt"],
                         "2026-11-23T14:00:00.000Z")
        self.daemon.advance_to("2026-11-23T14:00:00.000Z")
        self.assertEqual(self.workers.claim_one()["attempt"], 2)

    def test_pause_and_cancel_work_inside(self):
        self.begin("2026-11-23T13:00:00.000Z", self.windows, contacts=3)
        self.one.pause(self.execution)
        self.daemon.advance_to("2026-11-23T15:00:00.000Z")
        self.workers.claim_none()
        self.one.resume(self.execution)
        self.workers.claim_one()
        self.one.cancel(self.execution)
        self.one.wait_counts(self.execution, skipped=2)

    def test_a_queued_call_of_a_paused_or_cancelled_one_waits_for_the_end_too(self):
        for verb in ("pause", "cancel"):
            with self.subTest(verb):
                day = self.daemon.now()[:10]
                self.begin(f"{day}T11:59:59.000Z", advanced(
                    (f"{day}T12:00:00Z", f"{day}T14:00:00Z")), contacts=2)
                call = self.workers.claim_one()
                self.daemon.advance_to(f"{day}T12:00:00.000Z")
                getattr(self.one, verb)(self.execution)
                answer = self.workers.started(call)
                self.assertEqual((answer["status"], answer.get("message")),
                                 ("refused", "pause_window"))
                self.workers.claim_none()
                self.daemon.advance_to(f"{day}T14:00:00.000Z")
                again = self.workers.claim_one()
                self.assertEqual(again["callId"], call["callId"])
                self.workers.finish(again)
                self.one.wait_counts(self.execution, completed=1, inProgress=0)
                self.daemon.advance(12 * 3600)  # into the next day

    def test_what_is_shown_of_one_that_does_not_run(self):
        self.begin("2026-11-23T13:00:00.000Z", self.windows, contacts=2)
        self.one.pause(self.execution)
        seen = self.one.execution(self.execution)
        self.assertEqual((seen["inPauseWindow"], seen["nextDialAt"]), (True, None))
        self.daemon.advance_to("2026-11-23T14:00:00.000Z")
        self.assertFalse(self.one.execution(self.execution)["inPauseWindow"])
        self.daemon.advance_to("2026-11-30T13:00:00.000Z")
        self.one.cancel(self.execution)
        seen = self.one.execution(self.execution)
        self.assertEqual((seen["inPauseWindow"], seen["nextDialAt"]), (False, None))

    def test_a_start_inside(self):
        self.begin("2026-11-23T09:00:00.000Z", self.windows, contacts=2,
                   startAt="2026-11-23T13:00:00.000Z")
        self.daemon.advance_to("2026-11-23T13:30:00.000Z")
        seen = self.one.execution(self.execution)
        self.assertEqual((seen["status"], seen["inPauseWindow"]), ("running", True))
        self.workers.claim_none()
        self.daemon.advance_to("2026-11-23T14:00:00.000Z")
        self.workers.claim_one()

    def test_one_step_of_the_clock_over_many_windows(self):
        """Everything due happens in order, at its own moment: never inside a window."""
        self.begin("2026-11-23T11:00:00.000Z", {
            day: [{"startAt": clock("00:00"), "endAt": clock("23:59")}]
            for day in ("tuesday", "wednesday", "thursday")},
            contacts=50, gateway="simulator", retryStrategy={
                "type": "fixed_delay", "delayMinutes": 720, "maxRetries": 20})
        self.daemon.advance(30 * 86400)
        for call in self.one.calls(self.execution):
            began = call.get("startedAt") or call.get("queuedAt")
            day = int(began[8:10]) + (0 if began[5:7] == "11" else 30)
            self.assertNotIn((day - 23) % 7, (1, 2, 3), began)


class Zones(Case):
    timezone = NEW_YORK
    test_clock = "2026-10-01T00:00:00Z"

    def test_weekly_windows_are_wall_clock_times_of_the_organisation(self):
        self.begin("2026-11-23T16:00:00.000Z", weekly("monday", ("12:00", "14:00")))  # 11:00 there
        self.walk(("2026-11-23T16:59:59.999Z", "open"), ("2026-11-23T17:00:00.000Z", "closed"),
                  ("2026-11-23T18:59:59.999Z", "closed"), ("2026-11-23T19:00:00.000Z", "open"))

    def test_the_day_is_the_local_one(self):
        self.begin("2026-11-24T03:00:00.000Z", weekly("monday", ("22:30", "23:59")))
        self.walk(("2026-11-24T03:29:00.000Z", "open"), ("2026-11-24T03:30:00.000Z", "closed"),
                  ("2026-11-24T04:59:59.999Z", "closed"), ("2026-11-24T05:00:00.000Z", "open"))

    def test_a_time_that_occurs_twice_is_in_the_window_both_times(self):
        # 2026-11-01: 02:00 EDT becomes 01:00 EST, at 06:00Z.
        self.begin("2026-11-01T04:00:00.000Z", weekly("sunday", ("01:15", "01:45")))
        self.walk(("2026-11-01T05:14:59.999Z", "open"), ("2026-11-01T05:15:00.000Z", "closed"),
                  ("2026-11-01T05:44:59.999Z", "closed"), ("2026-11-01T06:15:00.000Z", "closed"),
                  ("2026-11-01T06:44:59.999Z", "closed"), ("2026-11-01T06:45:00.000Z", "open"))

    def test_a_window_around_the_hour_that_occurs_twice_is_an_hour_longer(self):
        self.begin("2026-11-01T03:00:00.000Z", weekly("sunday", ("00:30", "02:30")))
        self.walk(("2026-11-01T04:29:59.999Z", "open"), ("2026-11-01T04:30:00.000Z", "closed"),
                  ("2026-11-01T06:30:00.000Z", "closed"), ("2026-11-01T07:29:59.999Z", "closed"),
                  ("2026-11-01T07:30:00.000Z", "open"))

    def test_a_time_that_does_not_occur_is_skipped(self):
        # 2027-03-14: 02:00 EST becomes 03:00 EDT, at 07:00Z.
        self.begin("2027-03-14T05:00:00.000Z", weekly("sunday", ("02:15", "02:45")))
        self.walk(("2027-03-14T06:59:59.999Z", "open"), ("2027-03-14T07:00:00.000Z", "open"),
                  ("2027-03-14T07:20:00.000Z", "open"), ("2027-03-14T07:45:00.000Z", "open"))

    def test_a_window_around_the_hour_that_does_not_occur_is_an_hour_shorter(self):
        self.begin("2027-03-14T05:00:00.000Z", weekly("sunday", ("01:30", "03:30")))
        self.walk(("2027-03-14T06:29:59.999Z", "open"), ("2027-03-14T06:30:00.000Z", "closed"),
                  ("2027-03-14T07:29:59.999Z", "closed"), ("2027-03-14T07:30:00.000Z", "open"))

    def test_the_offset_of_the_day_counts(self):
        windows = weekly("monday", ("12:00", "14:00"))
        self.begin("2026-10-26T15:30:00.000Z", windows)  # still summer time: 11:30
        self.walk(("2026-10-26T15:59:59.999Z", "open"), ("2026-10-26T16:00:00.000Z", "closed"),
                  ("2026-10-26T18:00:00.000Z", "open"), ("2026-11-02T16:30:00.000Z", "open"),
                  ("2026-11-02T17:00:00.000Z", "closed"), ("2026-11-02T19:00:00.000Z", "open"))

    def test_dialling_resumes_at_the_right_moment_after_the_change(self):
        self.begin("2027-03-13T23:00:00.000Z", {
            **weekly("saturday", ("18:00", "09:00")), **weekly("sunday", ("20:00", "09:00"))})
        self.assertEqual(self.one.execution(self.execution)["nextDialAt"],
                         "2027-03-14T13:00:00.000Z")  # 09:00 EDT
        self.walk(("2027-03-14T12:59:59.999Z", "closed"), ("2027-03-14T13:00:00.000Z", "open"))

    def test_a_new_time_zone_of_the_organisation_is_for_later_executions(self):
        self.begin("2026-11-23T16:30:00.000Z", weekly("monday", ("12:00", "14:00")))
        self.admin.change(f"/api/organizations/{self.one.id}", {"timezone": "UTC"})
        self.walk(("2026-11-23T16:31:00.000Z", "open"), ("2026-11-23T17:00:00.000Z", "closed"))


if __name__ == "__main__":
    main()
