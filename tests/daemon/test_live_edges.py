"""Live mode when something else happens at the same time: imports, changes of the program and of what
it was made from, restarts, the end; and how long its triggers are kept."""

import json
import threading

from outdial_daemon import MONDAY_NINE, Worker, expect, later, main, wait_until
from test_live import LiveStory

DAY = 86400
TUESDAY = "2026-11-24T00:00:00.000Z"


class Edges(LiveStory):
    def setUp(self):
        super().setUp()
        self.one = self.live()
        self.api = self.one.api
        self.worker = Worker(self.daemon)

    def start(self, condition=(), **fields):
        self.program = self.one.live_program(condition, **fields)
        self.execution = self.one.launch(self.program)

    def told(self, query=""):
        return self.one.told(self.program, query)

    def total(self):
        return self.one.execution(self.execution)["totalContacts"]


class Imports(Edges):
    def send(self, text, kind):
        data = text.encode()
        return expect(self.api.request("POST", "/api/contacts/import", raw=data,
                                       headers={"Content-Type": kind}), 200)

    def ndjson(self, *rows):
        return self.send("".join(json.dumps(row) + "\n" for row in rows), "application/x-ndjson")

    def csv(self, *rows):
        return self.send("primaryPhone,birthday\r\n" + "".join(row + "\r\n" for row in rows),
                         "text/csv")

    def row(self, phone, date):
        return {"primaryPhone": phone, "customAttributes": {"birthday": date}}

    def told_by_phone(self):
        phones = {row["id"]: row["primaryPhone"] for row in self.api.pages("/api/contacts")}
        return [(phones[row["contactId"]], row["dueAt"][:10], row["status"])
                for row in self.one.triggers(self.program)]

    def test_ndjson(self):
        one, two, three = (self.daemon.phone() for _ in range(3))
        self.start()
        self.ndjson(self.row(one, "2026-12-01"), self.row(two, "2026-12-02"),
                    self.row(three, "2026-01-01"), {"primaryPhone": self.daemon.phone()})
        self.assertEqual(self.told_by_phone(), [(three, "2026-01-01", "missed"),
                                                (one, "2026-12-01", "pending"),
                                                (two, "2026-12-02", "pending")])
        ids = {row["contactId"]: row["id"] for row in self.one.triggers(self.program)}
        self.ndjson(self.row(one, "2026-12-03"), self.row(two, None))
        self.assertEqual(self.told_by_phone(), [(three, "2026-01-01", "missed"),
                                                (two, "2026-12-02", "cancelled"),
                                                (one, "2026-12-03", "pending")])
        self.assertEqual({row["contactId"]: row["id"]
                          for row in self.one.triggers(self.program)}, ids)
        self.daemon.advance_to("2026-12-03T00:00:00.000Z")
        self.assertEqual(self.worker.claim_one()["to"], one)
        self.assertEqual(self.total(), 1)

    def test_csv(self):
        one, two = (self.daemon.phone() for _ in range(2))
        self.start()
        self.csv(f"{one},2026-12-01", f"{two},2026-12-02", f"{self.daemon.phone()},")
        self.assertEqual(self.told_by_phone(), [(one, "2026-12-01", "pending"),
                                                (two, "2026-12-02", "pending")])
        self.csv(f"{two},2026-11-30", f"{one},")  # an empty cell changes nothing
        self.assertEqual(self.told_by_phone(), [(two, "2026-11-30", "pending"),
                                                (one, "2026-12-01", "pending")])

    def test_a_number_twice_in_one_import(self):
        phone = self.daemon.phone()
        self.start()
        self.ndjson(self.row(phone, "2026-12-01"), self.row(phone, "2026-12-05"))
        self.assertEqual(self.told_by_phone(), [(phone, "2026-12-05", "pending")])

    def test_a_bad_row_has_no_trigger_and_moves_none(self):
        phone = self.daemon.phone()
        self.start()
        self.ndjson(self.row(phone, "2026-12-01"))
        done = self.ndjson(self.row(phone, "2026-13-01"), self.row(self.daemon.phone(), "never"))
        self.assertEqual(done["rejected"], 2)
        self.assertEqual(self.told_by_phone(), [(phone, "2026-12-01", "pending")])

    def test_many_rows_that_are_due_fire(self):
        self.start()
        self.daemon.advance(3600)
        at = later(MONDAY_NINE, seconds=1800)
        self.ndjson(*(self.row(self.daemon.phone(), at) for _ in range(2500)))
        self.daemon.settle()
        self.assertEqual(self.total(), 2500)
        self.assertEqual(len(self.one.triggers(self.program, "?status=fired")), 2500)

    def test_every_live_execution_and_no_other_organisation(self):
        two = self.live()
        other = two.live_program()
        two.launch(other)
        self.start()
        second = self.one.live_program({"offsetMinutes": 60})
        self.one.launch(second)
        self.csv(f"{self.daemon.phone()},2026-12-01")
        self.assertEqual(len(self.told()) + len(self.one.told(second)), 2)
        self.assertEqual(two.told(other), [])


class WhatItWasMadeFrom(Edges):
    def test_a_program_with_an_active_execution_stays(self):
        self.start()
        path = f"/api/programs/{self.program['id']}"
        self.fails(self.api.delete(path), 409, "ProgramStatusConflictError")

    def test_an_archived_one_goes_on(self):
        person = self.one.person("2026-11-24")
        self.start()
        self.api.change(f"/api/programs/{self.program['id']}", {"status": "archived"})
        self.daemon.restart()
        self.daemon.advance_to(TUESDAY)
        self.assertEqual(self.worker.claim_one()["contactId"], person["id"])

    def test_a_condition_changed_while_it_runs_is_the_next_launchs(self):
        self.api.create("/api/custom-attributes", {"name": "renewal", "type": "date"})
        person = self.one.contact(customAttributes={"birthday": "2026-11-24",
                                                    "renewal": "2026-11-25"})
        self.start()
        self.api.change(f"/api/programs/{self.program['id']}", {"triggerCondition": {
            "attributeName": "renewal", "offsetMinutes": 5, "recurrence": "yearly"}})
        for kill in (False, True):
            self.daemon.restart(kill=kill)
        self.one.set_date(person, "2026-11-26")
        self.one.contact(customAttributes={"renewal": "2026-11-25"})
        self.assertEqual(self.told(), [(person["id"], "2026-11-26T00:00:00.000Z", "pending")])
        self.daemon.advance_to("2026-11-26T00:00:00.000Z")
        self.worker.finish(self.worker.claim_one())
        self.assertEqual(len(self.told()), 1)
        self.one.cancel(self.execution)
        self.one.launch(self.program)
        self.assertEqual([due for _, due, status in self.told("?status=pending")],
                         ["2027-11-25T00:05:00.000Z"] * 2)

    def test_an_attribute_that_is_deleted_and_made_again(self):
        """The program names another one by then. Its values leave the contacts, and the triggers that
        were made of them are cancelled; a new one of the name makes none where it is no date."""
        self.api.create("/api/custom-attributes", {"name": "renewal", "type": "date"})
        one, other = self.one.person("2026-11-24"), self.one.person("2026-11-25")
        self.start()
        self.api.change(f"/api/programs/{self.program['id']}",
                        {"triggerCondition": {"attributeName": "renewal"}})
        self.api.remove(f"/api/custom-attributes/{self.one.attribute_record['id']}")
        self.daemon.restart(kill=True)
        cancelled = [(one["id"], TUESDAY, "cancelled"),
                     (other["id"], "2026-11-25T00:00:00.000Z", "cancelled")]
        self.assertEqual(self.told(), cancelled)
        self.api.create("/api/custom-attributes", {"name": "birthday", "type": "string"})
        self.one.set_date(other, "2026-11-26")
        self.assertEqual(self.told(), cancelled)
        self.daemon.advance_to("2026-11-27T00:00:00.000Z")
        self.assertEqual((self.worker.claim(), self.total()), ([], 0))

    def test_an_audience_that_is_gone_by_then(self):
        """The program may have got another one; the contact is called all the same."""
        person = self.one.person("2026-11-24")
        self.start()
        audience = self.program["audienceId"]
        self.api.change(f"/api/programs/{self.program['id']}", {"audienceId": None})
        self.api.remove(f"/api/audiences/{audience}")
        self.daemon.advance_to(TUESDAY)
        self.worker.finish(self.worker.claim_one())
        self.assertEqual(self.told(), [(person["id"], TUESDAY, "fired")])

    def test_an_audience_that_was_emptied(self):
        person = self.one.person("1990-11-24")
        self.start({"recurrence": "yearly"})
        members = f"/api/audiences/{self.program['audienceId']}/contacts"
        for year in ("2026", "2027"):
            self.daemon.advance_to(f"{year}-11-24T00:00:00.000Z")
            self.worker.finish(self.worker.claim_one())
            self.assertEqual([row["id"] for row in self.api.pages(members)], [person["id"]])
            expect(self.api.delete(members, body={"contactIds": [person["id"]]}), 200)
            self.assertEqual(self.api.pages(members), [])

    def test_a_time_zone_changed_while_it_runs(self):
        self.start()
        self.admin.change(f"/api/organizations/{self.one.id}", {"timezone": "Asia/Tokyo"})
        self.one.person("2026-11-25")
        self.assertEqual(self.told()[0][1], "2026-11-25T00:00:00.000Z")


class TheEnd(Edges):
    def test_paused_when_stop_at_comes(self):
        self.one.person("2026-11-24")
        self.one.person("2026-11-26")
        self.start(stopAt="2026-11-25T00:00:00.000Z")
        self.one.pause(self.execution)
        self.daemon.advance_to("2026-11-24T12:00:00.000Z")
        self.assertEqual(self.total(), 1)
        self.daemon.restart(kill=True)
        self.daemon.advance_to("2026-11-30T00:00:00.000Z")
        execution = self.one.execution(self.execution)
        self.assertEqual((execution["status"], execution["actualEndAt"]),
                         ("stopped", "2026-11-25T00:00:00.000Z"))
        self.assertEqual(execution["contactsSkipped"], 1)
        self.assertEqual([status for _, _, status in self.told()], ["fired", "cancelled"])
        self.worker.claim_none()

    def test_stop_at_while_it_is_down(self):
        """What came due while the daemon was down does not fire after the end."""
        self.one.person("2026-11-24")
        self.start(stopAt="2026-11-25T00:00:00.000Z")
        self.daemon.stop()
        self.daemon.test_clock = "2026-11-26T00:00:00.000Z"
        self.daemon.start()
        self.daemon.settle()
        self.assertEqual(self.one.execution(self.execution)["status"], "stopped")
        self.assertEqual([status for _, _, status in self.told()], ["cancelled"])

    def test_due_at_the_very_end(self):
        self.one.person("2026-11-24")
        self.start(stopAt=TUESDAY)
        self.daemon.advance_to(TUESDAY)
        self.assertEqual([status for _, _, status in self.told()], ["cancelled"])
        self.assertEqual(self.total(), 0)


class Parked(Edges):
    """A second entry of a contact waits until the call of the first has ended."""

    def setUp(self):
        super().setUp()
        self.person = self.one.person(later(MONDAY_NINE, seconds=60))

    def park(self, **fields):
        self.start(**fields)
        self.daemon.advance(60)
        self.first = self.worker.claim_one()
        self.worker.started(self.first)
        self.one.set_date(self.person, later(MONDAY_NINE, seconds=61))
        self.daemon.advance(1)
        self.one.wait_counts(self.execution, total=2, pending=1, inProgress=1)
        self.worker.claim_none()

    def test_the_contact_goes_and_the_process_is_killed(self):
        self.park()
        self.api.remove(f"/api/contacts/{self.person['id']}")
        self.daemon.restart(kill=True)
        self.one.wait_counts(self.execution, total=2, pending=1, inProgress=1)
        self.worker.result(self.first)
        self.daemon.restart(kill=True)
        self.daemon.settle()
        self.worker.claim_none()
        self.one.wait_counts(self.execution, total=2, completed=1, skipped=1)

    def test_do_not_call_comes_meanwhile(self):
        self.park()
        self.api.change(f"/api/contacts/{self.person['id']}", {"doNotCall": True})
        self.worker.result(self.first)
        self.worker.claim_none()
        self.one.wait_counts(self.execution, total=2, completed=1, skipped=1)

    def test_paused_when_the_call_ends(self):
        self.park()
        self.one.pause(self.execution)
        self.worker.result(self.first)
        self.daemon.restart(kill=True)
        self.worker.claim_none()
        self.one.wait_counts(self.execution, total=2, completed=1, pending=1)
        self.one.resume(self.execution)
        self.worker.finish(self.worker.claim_one())
        self.one.wait_counts(self.execution, total=2, completed=2)

    def test_stop_at_comes_and_the_call_ends_after_it(self):
        self.park(stopAt=later(MONDAY_NINE, seconds=120))
        self.one.pause(self.execution)
        self.daemon.advance(60)
        self.one.wait_counts(self.execution, total=2, inProgress=1, skipped=1)
        self.daemon.restart(kill=True)
        self.worker.result(self.first)
        self.one.wait_counts(self.execution, total=2, completed=1, skipped=1)
        self.worker.claim_none()
        self.daemon.advance(91 * DAY)
        self.fails(self.api.get(f"/api/program-executions/{self.execution}"),
                   404, "ExecutionNotFoundError")

    def test_it_is_shown_without_an_instant_that_is_none(self):
        self.park()
        path = f"/api/program-executions/{self.execution}"
        for tail in ("", "/contacts", "/diagnostics", "/report"):
            answer = self.api.get(path + tail)
            self.assertEqual(answer.status, 200)
            self.assertNotIn("never", json.dumps(answer.json))
        self.assertIsNone(self.api.read(path + "/diagnostics")["nextDialAt"])
        self.assertIsNone(self.one.execution(self.execution)["nextDialAt"])


class Instants(Edges):
    def test_years_that_were_missed_while_it_was_down(self):
        self.one.person("1990-11-24")
        self.start({"recurrence": "yearly"})
        self.daemon.stop()
        self.daemon.test_clock = "2028-11-25T00:00:00.000Z"
        self.daemon.start()
        self.daemon.settle()
        self.assertEqual([(due[:4], status) for _, due, status in self.told()],
                         [("2026", "fired"), ("2027", "fired"), ("2028", "fired"),
                          ("2029", "pending")])
        for _ in range(3):  # one call at a time
            self.worker.finish(self.worker.claim_exactly(1)[0])
        self.one.wait_counts(self.execution, total=3, completed=3)

    def test_a_time_of_day_in_the_gap_year_by_year(self):
        one = self.live(timezone="Europe/Brussels")
        one.person("1990-03-28")
        program = one.live_program({"recurrence": "yearly",
                                    "timeOfDay": {"hour": 2, "minute": 30}})
        execution = one.launch(program)
        for due in ("2027-03-28T01:30:00.000Z",   # 02:30 is not shown that day
                    "2028-03-28T00:30:00.000Z", "2029-03-28T00:30:00.000Z"):
            self.assertEqual([row["dueAt"] for row in one.triggers(program, "?status=pending")],
                             [due])
            self.daemon.advance_to(due)
            call = self.worker.claim_one()
            self.worker.finish(call)
        self.assertEqual(one.execution(execution)["totalContacts"], 3)

    def test_dates_far_ahead_and_long_ago(self):
        one = self.live(timezone="Europe/Brussels")
        for date in ("2060-07-01", "2060-01-15", "2160-07-01", "9999-12-31", "0001-01-01"):
            one.person(date)
        program = one.live_program()
        one.launch(program)
        rows = [row["dueAt"] for row in one.triggers(program)]
        self.assertEqual(rows[1:], ["2060-01-14T23:00:00.000Z", "2060-06-30T22:00:00.000Z",
                                    "2160-06-30T22:00:00.000Z", "9999-12-30T23:00:00.000Z"])

    def test_a_time_before_1970(self):
        one = self.live(timezone="Europe/Brussels")
        one.person("1960-02-29T10:00:00+01:00")
        yearly, once = ({"recurrence": "yearly"}, {})
        for condition, due, status in ((yearly, "2027-02-28T09:00:00.000Z", "pending"),
                                       (once, "1960-02-29T09:00:00.000Z", "missed")):
            program = one.live_program(condition)
            one.launch(program)
            self.assertEqual([(row["dueAt"], row["status"]) for row in one.triggers(program)],
                             [(due, status)])

    def test_an_offset_that_leads_out_of_the_calendar(self):
        for date in ("9999-12-31", "0001-01-01"):
            self.one.person(date)
        for offset in (525600, -525600):
            for recurrence in ("once", "yearly"):
                program = self.one.live_program({"offsetMinutes": offset,
                                                 "recurrence": recurrence})
                execution = self.one.launch(program)
                for row in self.one.triggers(program):
                    self.assert_stamp(row["dueAt"])
                self.one.cancel(execution)


class Many(Edges):
    def test_killed_while_all_fire_at_one_instant(self):
        """Each has fired once and has one entry, whenever the process died."""
        count = 10_000
        self.one.contacts(count, customAttributes={"birthday": "2026-11-24"})
        self.start()
        for _ in range(3):
            thread = threading.Thread(target=self.advance_to_the_day)
            thread.start()
            before = self.total()
            wait_until(lambda: self.total() > before or self.total() == count, "some fire")
            self.daemon.kill9()
            thread.join()
            self.daemon.start()
        self.advance_to_the_day()
        self.daemon.settle()
        rows = self.one.triggers(self.program, "?status=fired")
        self.assertEqual((len(rows), len({row["contactId"] for row in rows})), (count, count))
        self.assertEqual(len({row["contactId"] for row in self.one.entries(self.execution)}), count)
        self.one.wait_counts(self.execution, total=count)

    def advance_to_the_day(self):
        try:
            self.admin.clone().post("/api/test-clock/advance", {"seconds": 15 * 3600})
        except OSError:
            pass

    def test_others_are_answered_while_all_fire(self):
        count = 30_000
        self.one.contacts(count, customAttributes={"birthday": "2026-11-24"})
        self.start()
        thread = threading.Thread(target=self.advance_to_the_day)
        thread.start()
        seen = set()
        while thread.is_alive():
            seen.add(self.total())
            self.one.person(None)
        thread.join()
        self.assertGreater(len(seen - {0, count}), 2, "nobody was answered in between")
        self.assertEqual(self.total(), count)


if __name__ == "__main__":
    main()
