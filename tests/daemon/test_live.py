"""api.md, "Trigger condition" and "Live mode": what a trigger is due by, how triggers follow the
contacts, and what becomes of those that fire."""

import threading

from outdial_daemon import (
    MONDAY_NINE, NOTHING, Organisation, Story, Worker, expect, later, main, unknown_id, wait_until)

TRIGGER = {"id", "contactId", "executionId", "dueAt", "status", "firedAt"}


class Live(Organisation):
    """An organisation with a date attribute, and short words for programs in live mode."""

    def __init__(self, daemon, attribute="birthday", **fields):
        super().__init__(daemon, **fields)
        self.attribute = attribute
        self.attribute_record = self.api.create(
            "/api/custom-attributes", {"name": attribute, "type": "date"})

    def person(self, date, **fields):
        attributes = {} if date is None else {self.attribute: date}
        return self.contact(customAttributes=attributes, **fields)

    def set_date(self, contact, date):
        return self.api.change(f"/api/contacts/{contact['id']}",
                               {"customAttributes": {self.attribute: date}})

    def live_body(self, condition=(), **fields):
        body = self.program_body(**{
            "audienceId": None, "mode": "live",
            "triggerCondition": {"attributeName": self.attribute, **dict(condition)}, **fields})
        if body["audienceId"] is None:
            del body["audienceId"]
        return body

    def live_program(self, condition=(), **fields):
        return self.api.create("/api/programs", self.live_body(condition, **fields))

    def triggers(self, program, query=""):
        return self.api.pages(f"/api/programs/{program['id']}/triggers{query}")

    def told(self, program, query=""):
        """(contact, dueAt, status) of each trigger."""
        return [(row["contactId"], row["dueAt"], row["status"])
                for row in self.triggers(program, query)]

    def due_of(self, date, condition=()):
        """The dueAt that a date has under a condition, by a launch of its own."""
        self.person(date)
        program = self.live_program(condition)
        execution = self.launch(program)
        due = [row["dueAt"] for row in self.triggers(program)]
        self.cancel(execution)
        for contact in self.api.pages("/api/contacts"):
            self.api.remove(f"/api/contacts/{contact['id']}")
        return due[0]


class LiveStory(Story):
    def live(self, **fields):
        return Live(self.daemon, **fields)


# -------------------------------------------------------------------------------------- programs


class Programs(LiveStory):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.live()
        self.api = self.one.api

    def post(self, body):
        return self.api.post("/api/programs", body)

    def test_the_defaults_of_a_condition(self):
        program = self.one.live_program()
        self.assertEqual(program["mode"], "live")
        self.assertEqual(program["triggerCondition"], {
            "attributeName": "birthday", "offsetMinutes": 0, "timeOfDay": None,
            "recurrence": "once"})
        self.assertEqual(self.api.read(f"/api/programs/{program['id']}"), program)

    def test_a_whole_condition(self):
        condition = {"attributeName": "birthday", "offsetMinutes": -525600,
                     "timeOfDay": {"hour": 23, "minute": 59}, "recurrence": "yearly"}
        self.assertEqual(self.one.live_program(condition)["triggerCondition"], condition)

    def test_nulls_are_as_if_absent(self):
        program = self.one.live_program(
            {"offsetMinutes": None, "timeOfDay": None, "recurrence": None}, startAt=None)
        self.assertEqual(program["triggerCondition"]["recurrence"], "once")

    def test_a_mode_that_is_none_is_the_only_fault(self):
        body = self.one.live_body(mode="lively")
        details = self.invalid(self.post(body), "mode")["details"]
        self.assertEqual(len(details), 1)

    def test_live_needs_a_condition(self):
        body = self.one.live_body()
        del body["triggerCondition"]
        self.invalid(self.post(body), "triggerCondition")
        self.invalid(self.post({**body, "triggerCondition": None}), "triggerCondition")

    def test_batch_must_not_have_one_and_needs_an_audience(self):
        body = self.one.program_body(triggerCondition={"attributeName": "birthday"})
        self.invalid(self.post(body), "triggerCondition")
        self.invalid(self.post({**body, "mode": "batch"}), "triggerCondition")
        del body["triggerCondition"], body["audienceId"]
        self.invalid(self.post(body), "audienceId")

    def test_the_attribute_must_exist_and_be_a_date(self):
        self.api.create("/api/custom-attributes", {"name": "score", "type": "number"})
        for name in ("score", "nobody", "x" * 65, ""):
            self.invalid(self.post(self.one.live_body({"attributeName": name})),
                         "triggerCondition.attributeName")

    def test_another_organisations_attribute_is_none(self):
        self.live(attribute="anniversary")
        self.invalid(self.post(self.one.live_body({"attributeName": "anniversary"})),
                     "triggerCondition.attributeName")

    def test_every_fault_of_a_condition_is_named(self):
        body = self.one.live_body({
            "offsetMinutes": 525601, "timeOfDay": {"hour": 24, "minute": -1, "second": 0},
            "recurrence": "daily", "surplus": 1})
        self.invalid(self.post(body), "triggerCondition.offsetMinutes",
                     "triggerCondition.timeOfDay.hour", "triggerCondition.timeOfDay.minute",
                     "triggerCondition.timeOfDay.second", "triggerCondition.recurrence",
                     "triggerCondition.surplus")
        self.invalid(self.post(self.one.live_body({"offsetMinutes": -525601})),
                     "triggerCondition.offsetMinutes")
        self.invalid(self.post(self.one.live_body({"offsetMinutes": 1.5})),
                     "triggerCondition.offsetMinutes")
        self.invalid(self.post(self.one.live_body({"timeOfDay": {"hour": 1}})),
                     "triggerCondition.timeOfDay.minute")
        self.invalid(self.post({**self.one.live_body(), "triggerCondition": "birthday"}),
                     "triggerCondition")
        self.invalid(self.post(self.one.live_body({"attributeName": None})),
                     "triggerCondition.attributeName")

    def test_an_attribute_that_is_none_is_told_with_the_other_faults(self):
        body = self.one.live_body({"attributeName": "none"}, surplus=1)
        self.invalid(self.post(body), "surplus", "triggerCondition.attributeName")
        program = self.one.live_program(startAt="2027-01-01T00:00:00Z")
        path = f"/api/programs/{program['id']}"
        condition = {"attributeName": "none"}
        self.invalid(self.api.patch(path, {"triggerCondition": condition, "surplus": 1}),
                     "surplus", "triggerCondition.attributeName")
        self.invalid(self.api.patch(path, {"triggerCondition": condition,
                                           "stopAt": "2026-12-01T00:00:00Z"}),
                     "stopAt", "triggerCondition.attributeName")

    def test_an_audience_is_made_when_absent(self):
        before = {row["id"] for row in self.api.pages("/api/audiences")}
        program = self.one.live_program(name="é" * 255)
        audience = self.api.read(f"/api/audiences/{program['audienceId']}")
        self.assertEqual((audience["name"], audience["contactCount"]), ("é" * 255, 0))
        self.assertNotIn(audience["id"], before)
        self.fails(self.api.delete(f"/api/audiences/{audience['id']}"), 409, "ConflictError")
        self.api.remove(f"/api/programs/{program['id']}")
        self.api.remove(f"/api/audiences/{audience['id']}")

    def test_an_audience_may_be_given(self):
        audience = self.one.audience(1)
        program = self.one.live_program(audienceId=audience["id"])
        self.assertEqual(program["audienceId"], audience["id"])
        self.fails(self.post(self.one.live_body(audienceId=unknown_id())),
                   404, "AudienceNotFoundError")

    def test_nothing_is_made_for_a_program_that_is_refused(self):
        before = self.api.pages("/api/audiences")
        self.invalid(self.post(self.one.live_body(surplus=1)), "surplus")
        self.fails(self.post(self.one.live_body(flowId=unknown_id())), 404, "FlowNotFoundError")
        self.assertEqual(self.api.pages("/api/audiences"), before)

    def test_patch(self):
        program = self.one.live_program()
        path = f"/api/programs/{program['id']}"
        self.api.create("/api/custom-attributes", {"name": "renewal", "type": "date"})
        changed = self.api.change(path, {"triggerCondition": {
            "attributeName": "renewal", "offsetMinutes": 5}})
        self.assertEqual(changed["triggerCondition"], {
            "attributeName": "renewal", "offsetMinutes": 5, "timeOfDay": None,
            "recurrence": "once"})
        self.assertEqual(self.api.change(path, {"name": "new"})["triggerCondition"],
                         changed["triggerCondition"])
        self.invalid(self.api.patch(path, {"mode": "batch"}), "mode")
        self.invalid(self.api.patch(path, {"mode": "live"}), "mode")
        self.invalid(self.api.patch(path, {"triggerCondition": None}), "triggerCondition")
        self.invalid(self.api.patch(path, {"triggerCondition": {"attributeName": "none"}}),
                     "triggerCondition.attributeName")
        audience = self.one.audience(1)
        self.assertEqual(self.api.change(path, {"audienceId": audience["id"]})["audienceId"],
                         audience["id"])
        fresh = self.api.change(path, {"audienceId": None})["audienceId"]
        self.assertNotEqual(fresh, audience["id"])
        self.assertEqual(self.api.read(f"/api/audiences/{fresh}")["name"], "new")
        self.api.remove(f"/api/audiences/{audience['id']}")

    def test_patch_of_a_batch_program(self):
        path = f"/api/programs/{self.one.program()['id']}"
        self.invalid(self.api.patch(path, {"triggerCondition": {"attributeName": "birthday"}}),
                     "triggerCondition")
        self.invalid(self.api.patch(path, {"audienceId": None}), "audienceId")
        self.fails(self.api.patch(f"/api/programs/{unknown_id()}",
                                  {"triggerCondition": {"attributeName": "birthday"}}),
                   404, "ProgramNotFoundError")

    def test_the_list_by_mode(self):
        live, batch = self.one.live_program(), self.one.program()
        self.assertEqual([row["id"] for row in self.api.pages("/api/programs?mode=live")],
                         [live["id"]])
        self.assertEqual([row["id"] for row in self.api.pages("/api/programs?mode=batch")],
                         [batch["id"]])

    def test_an_attribute_in_use_stays(self):
        path = f"/api/custom-attributes/{self.one.attribute_record['id']}"
        first, second = self.one.live_program(), self.one.live_program()
        self.fails(self.api.delete(path), 409, "ConflictError")
        self.api.remove(f"/api/programs/{first['id']}")
        self.fails(self.api.delete(path), 409, "ConflictError")
        self.api.create("/api/custom-attributes", {"name": "other", "type": "date"})
        self.api.change(f"/api/programs/{second['id']}",
                        {"triggerCondition": {"attributeName": "other"}})
        self.api.remove(path)

    def test_triggers_of_a_program_that_has_none(self):
        program = self.one.program()
        self.fails(self.api.get(f"/api/programs/{program['id']}/triggers"),
                   400, "BadRequestException")
        self.fails(self.api.get(f"/api/programs/{unknown_id()}/triggers"),
                   404, "ProgramNotFoundError")
        self.fails(self.api.get("/api/programs/none/triggers"), 404, "ProgramNotFoundError")
        live = self.one.live_program()
        path = f"/api/programs/{live['id']}/triggers"
        self.assertEqual(self.api.read(path), {"data": [], "nextCursor": None})
        self.invalid(self.api.get(path + "?status=queued"), "status")
        self.invalid(self.api.get(path + "?status=fired&status=missed"), "status")
        self.invalid(self.api.get(path + "?cursor=x&status=none&limit=0"),
                     "cursor", "status", "limit")
        self.fails(self.api.post(path), 405, "MethodNotAllowedError")
        self.api.remove(f"/api/programs/{live['id']}")
        self.fails(self.api.get(path), 404, "ProgramNotFoundError")

    def test_a_live_launch_needs_no_contacts(self):
        program = self.one.live_program()
        execution = self.one.execution(self.one.launch(program))
        self.assertEqual((execution["mode"], execution["status"], execution["totalContacts"]),
                         ("live", "running", 0))
        self.fails(self.api.post(f"/api/programs/{program['id']}/launch"),
                   400, "ExecutionAlreadyRunningError")

    def test_what_keeps_a_live_launch_back(self):
        did = self.one.did()
        program = self.one.live_program(didPool=[did["id"]])
        path = f"/api/programs/{program['id']}"
        self.admin.change(f"/api/dids/{did['id']}", {"status": "inactive"})
        self.fails(self.api.post(path + "/launch"), 400, "EmptyDidPoolError")
        self.admin.change(f"/api/dids/{did['id']}", {"status": "active"})
        self.api.change(path, {"stopAt": "2026-11-01T00:00:00Z"})
        self.invalid(self.api.post(path + "/launch"))
        self.api.change(path, {"stopAt": None, "status": "archived"})
        self.fails(self.api.post(path + "/launch"), 409, "ProgramStatusConflictError")
        self.assertEqual(self.api.pages(path + "/executions"), [])
        self.assertEqual(self.one.triggers(program), [])


# ---------------------------------------------------------------------------------- due instants


class Due(LiveStory):
    share_daemon = True

    def check(self, zone, cases):
        one = self.live(timezone=zone)
        for date, condition, due in cases:
            with self.subTest(zone=zone, date=date, **condition):
                self.assertEqual(one.due_of(date, condition), due)

    def test_the_instant_and_the_offset(self):
        self.check("UTC", [
            ("2026-12-01", {}, "2026-12-01T00:00:00.000Z"),
            ("2026-12-01T10:30:00+02:00", {}, "2026-12-01T08:30:00.000Z"),
            ("2026-12-01", {"offsetMinutes": 90}, "2026-12-01T01:30:00.000Z"),
            ("2026-12-01", {"offsetMinutes": -1}, "2026-11-30T23:59:00.000Z"),
            ("2026-12-01", {"offsetMinutes": 525600}, "2027-12-01T00:00:00.000Z"),
            ("2027-12-01", {"offsetMinutes": -525600}, "2026-12-01T00:00:00.000Z")])

    def test_a_plain_date_is_local_midnight(self):
        self.check("Asia/Tokyo", [("2026-12-01", {}, "2026-11-30T15:00:00.000Z")])
        self.check("America/New_York", [("2026-12-01", {}, "2026-12-01T05:00:00.000Z"),
                                        ("2027-07-01", {}, "2027-07-01T04:00:00.000Z")])

    def test_the_time_of_day_is_of_the_local_day(self):
        nine = {"timeOfDay": {"hour": 9, "minute": 15}}
        self.check("Asia/Tokyo", [
            ("2026-12-01", nine, "2026-12-01T00:15:00.000Z"),
            # 20:00Z is the next day in Tokyo.
            ("2026-12-01T20:00:00Z", nine, "2026-12-02T00:15:00.000Z"),
            ("2026-12-01", {**nine, "offsetMinutes": -1}, "2026-11-30T00:15:00.000Z"),
            ("2026-12-01", {**nine, "offsetMinutes": 1439}, "2026-12-01T00:15:00.000Z"),
            ("2026-12-01", {**nine, "offsetMinutes": 1440}, "2026-12-02T00:15:00.000Z")])

    def test_days_on_which_clocks_change(self):
        # Brussels: 2027-03-28 has no 02:30, 2026-10-25 was past; 2027-10-31 has 02:30 twice.
        half_past_two = {"timeOfDay": {"hour": 2, "minute": 30}}
        self.check("Europe/Brussels", [
            ("2027-03-28", half_past_two, "2027-03-28T01:30:00.000Z"),
            ("2027-10-31", half_past_two, "2027-10-31T00:30:00.000Z"),
            ("2027-03-28", {"offsetMinutes": 180}, "2027-03-28T02:00:00.000Z")])

    def test_the_next_anniversary(self):
        yearly = {"recurrence": "yearly"}
        self.check("UTC", [
            ("1990-12-24", yearly, "2026-12-24T00:00:00.000Z"),
            ("1990-11-22", yearly, "2027-11-22T00:00:00.000Z"),
            ("1958-11-24", yearly, "2026-11-24T00:00:00.000Z"),
            # The date itself is the first one.
            ("2030-05-01", yearly, "2030-05-01T00:00:00.000Z"),
            ("2000-02-29", yearly, "2027-02-28T00:00:00.000Z"),
            # An offset leads from one year into another.
            ("1990-12-31", {**yearly, "offsetMinutes": 1440}, "2027-01-01T00:00:00.000Z"),
            ("1990-01-01", {**yearly, "offsetMinutes": -1440}, "2026-12-31T00:00:00.000Z"),
            ("1990-11-24", {**yearly, "offsetMinutes": -525600}, "2026-11-24T00:00:00.000Z"),
            ("1990-11-24", {**yearly, "offsetMinutes": 525600}, "2026-11-24T00:00:00.000Z")])
        self.check("Europe/Brussels", [
            # Seven in the evening, in summer as in winter.
            ("1995-07-01T18:00:00Z", {**yearly}, "2027-07-01T18:00:00.000Z"),
            ("1995-12-01T18:00:00Z", {**yearly}, "2026-12-01T18:00:00.000Z"),
            ("1995-07-01", {**yearly, "timeOfDay": {"hour": 9, "minute": 0}},
             "2027-07-01T07:00:00.000Z")])

    def test_what_is_due_at_the_launch_is_pending_not_missed(self):
        one = self.live()
        now, before = one.person(MONDAY_NINE), one.person(later(MONDAY_NINE, seconds=-1))
        program = one.live_program()
        one.launch(program)
        self.daemon.settle()
        self.assertEqual(one.told(program), [
            (before["id"], later(MONDAY_NINE, seconds=-1), "missed"),
            (now["id"], MONDAY_NINE, "fired")])


# ------------------------------------------------------------------------------------------ lists


class Lists(LiveStory):
    share_daemon = True

    def test_triggers_by_due_instant(self):
        one = self.live()
        people = [one.person(f"2026-12-{day:02d}") for day in (9, 3, 7, 1, 5)]
        nobody = one.person(None)
        one.person("2026-01-01")
        program = one.live_program()
        execution = one.launch(program)
        rows = one.triggers(program)
        self.assertEqual([row["dueAt"][:10] for row in rows],
                         ["2026-01-01", "2026-12-01", "2026-12-03", "2026-12-05", "2026-12-07",
                          "2026-12-09"])
        self.assertNotIn(nobody["id"], [row["contactId"] for row in rows])
        self.assertEqual(rows[1]["contactId"], people[3]["id"])
        for row in rows:
            self.assertEqual(set(row), TRIGGER)
            self.assert_id(row["id"])
            self.assertEqual((row["executionId"], row["firedAt"]), (execution, None))
        self.assertEqual(len({row["id"] for row in rows}), 6)
        self.assertEqual(self.api_pages(one, program, 2), rows)
        self.assertEqual([row["status"] for row in rows], ["missed"] + ["pending"] * 5)
        self.assertEqual(one.triggers(program, "?status=missed"), rows[:1])
        self.assertEqual(one.triggers(program, "?status=pending"), rows[1:])
        self.assertEqual(one.triggers(program, "?status=fired"), [])

    def api_pages(self, one, program, limit):
        return one.api.pages(f"/api/programs/{program['id']}/triggers", limit=limit)

    def test_a_cursor_stays_valid_while_rows_come_and_go(self):
        one = self.live()
        people = [one.person(f"2026-12-{day:02d}") for day in range(1, 7)]
        program = one.live_program()
        one.launch(program)
        page = one.api.read(f"/api/programs/{program['id']}/triggers?limit=3")
        one.set_date(people[2], None)
        one.set_date(people[5], "2026-12-20")
        one.person("2026-12-04T12:00:00Z")
        rest = one.api.read(
            f"/api/programs/{program['id']}/triggers?limit=9&cursor={page['nextCursor']}")
        self.assertEqual([row["dueAt"][:10] for row in rest["data"]],
                         ["2026-12-04", "2026-12-04", "2026-12-05", "2026-12-20"])

    def test_executions_of_a_program_are_listed_together(self):
        one = self.live()
        one.person("2026-12-01")
        program = one.live_program()
        first = one.launch(program)
        one.cancel(first)
        second = one.launch(program)
        rows = one.triggers(program)
        self.assertEqual([(row["executionId"], row["status"]) for row in rows],
                         [(first, "cancelled"), (second, "pending")])
        self.assertEqual([row["id"] for row in one.triggers(program, "?status=cancelled")],
                         [rows[0]["id"]])
        self.assertNotEqual(rows[0]["id"], rows[1]["id"])

    def test_nobody_sees_anothers(self):
        one, two = self.live(), self.live()
        one.person("2026-12-01")
        program, other = one.live_program(), two.live_program()
        one.launch(program)
        two.launch(other)
        self.assertEqual(two.triggers(other), [])
        self.assertEqual(len(one.triggers(program)), 1)
        self.fails(two.api.get(f"/api/programs/{program['id']}/triggers"),
                   404, "ProgramNotFoundError")
        two.person("2026-12-02")
        self.assertEqual(len(one.triggers(program)), 1)
        self.assertEqual(len(two.triggers(other)), 1)


# ------------------------------------------------------------------------------- contacts change


class Changes(LiveStory):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.live()
        self.program = self.one.live_program()

    def launch(self):
        return self.one.launch(self.program)

    def told(self):
        return [(due[:10], status) for _, due, status in self.one.told(self.program)]

    def test_a_new_contact_gets_a_trigger(self):
        self.launch()
        person = self.one.person("2027-01-05")
        self.one.person(None)
        self.assertEqual(self.one.told(self.program),
                         [(person["id"], "2027-01-05T00:00:00.000Z", "pending")])

    def test_upsert_makes_and_moves(self):
        self.launch()
        self.one.contacts(3, customAttributes={"birthday": "2027-01-05"})
        made = self.one.triggers(self.program)
        self.assertEqual(len(made), 3)
        phones = [self.one.api.read(f"/api/contacts/{row['contactId']}")["primaryPhone"]
                  for row in made]
        data = [{"primaryPhone": phone, "customAttributes": {"birthday": "2027-02-05"}}
                for phone in phones[:2]] + [{"primaryPhone": phones[2]}]
        self.one.api.create("/api/contacts/upsert", {"data": data}, 200)
        moved = self.one.triggers(self.program)
        self.assertEqual([row["dueAt"][:10] for row in moved],
                         ["2027-01-05", "2027-02-05", "2027-02-05"])
        self.assertEqual({row["id"] for row in moved}, {row["id"] for row in made})

    def test_a_changed_date_moves_the_trigger(self):
        person = self.one.person("2027-01-05")
        self.launch()
        before = self.one.triggers(self.program)[0]
        self.one.set_date(person, "2027-03-05")
        after = self.one.triggers(self.program)
        self.assertEqual(after, [{**before, "dueAt": "2027-03-05T00:00:00.000Z"}])
        self.one.set_date(person, "2027-03-05")
        self.assertEqual(self.one.triggers(self.program), after)
        self.one.api.change(f"/api/contacts/{person['id']}", {"firstName": "Zoë"})
        self.assertEqual(self.one.triggers(self.program), after)

    def test_a_value_that_goes_cancels(self):
        person = self.one.person("2027-01-05")
        self.launch()
        self.one.set_date(person, None)
        self.assertEqual(self.told(), [("2027-01-05", "cancelled")])
        self.one.set_date(person, "2027-01-05")
        self.assertEqual(sorted(self.told()), [("2027-01-05", "cancelled"),
                                               ("2027-01-05", "pending")])
        self.one.api.change(f"/api/contacts/{person['id']}", {"customAttributes": None})
        self.assertEqual(self.told(), [("2027-01-05", "cancelled")] * 2)

    def test_an_attribute_that_goes_cancels(self):
        """A running execution keeps its condition, whose attribute its program may have left."""
        one = self.live()
        one.api.create("/api/custom-attributes", {"name": "renewal", "type": "date"})
        contact = one.person("2026-12-24")
        program = one.live_program()
        one.launch(program)
        path = f"/api/custom-attributes/{one.attribute_record['id']}"
        self.fails(one.api.delete(path), 409, "ConflictError")
        one.api.change(f"/api/programs/{program['id']}",
                       {"triggerCondition": {"attributeName": "renewal"}})
        self.assertEqual([row["status"] for row in one.triggers(program)], ["pending"])
        one.api.remove(path)
        self.assertEqual([row["status"] for row in one.triggers(program)], ["cancelled"])
        self.assertEqual(one.api.read(f"/api/contacts/{contact['id']}")["customAttributes"], {})

    def test_a_contact_that_goes_cancels(self):
        person = self.one.person("2027-01-05")
        self.launch()
        self.one.api.remove(f"/api/contacts/{person['id']}")
        self.assertEqual(self.told(), [("2027-01-05", "cancelled")])

    def test_a_date_moved_to_before_the_launch_is_missed(self):
        person = self.one.person("2027-01-05")
        self.launch()
        self.one.set_date(person, "2026-01-05")
        self.assertEqual(self.told(), [("2026-01-05", "missed")])
        self.one.set_date(person, "2027-01-06")
        self.assertEqual(self.told(), [("2026-01-05", "missed"), ("2027-01-06", "pending")])

    def test_an_ended_execution_hears_nothing(self):
        self.one.cancel(self.launch())
        self.one.person("2027-01-05")
        self.assertEqual(self.told(), [])

    def test_a_program_changed_while_it_runs_keeps_its_snapshot(self):
        self.one.api.create("/api/custom-attributes", {"name": "other", "type": "date"})
        self.launch()
        self.one.api.change(f"/api/programs/{self.program['id']}", {
            "triggerCondition": {"attributeName": "other", "offsetMinutes": 60}})
        self.one.person("2027-01-05")
        self.assertEqual(self.told(), [("2027-01-05", "pending")])

    def test_two_live_executions_both_hear(self):
        second = self.one.live_program({"offsetMinutes": 60})
        self.launch()
        self.one.launch(second)
        self.one.person("2027-01-05")
        self.assertEqual([due for _, due, _ in self.one.told(self.program) + self.one.told(second)],
                         ["2027-01-05T00:00:00.000Z", "2027-01-05T01:00:00.000Z"])


# ----------------------------------------------------------------------------------------- firing


class Firing(LiveStory):
    def setUp(self):
        super().setUp()
        self.one = self.live()
        self.worker = Worker(self.daemon)

    def start(self, condition=(), **fields):
        self.program = self.one.live_program(condition, **fields)
        self.execution = self.one.launch(self.program)
        return self.execution

    def members(self):
        return {row["id"] for row in self.one.api.pages(
            f"/api/audiences/{self.program['audienceId']}/contacts")}

    def counted(self):
        return self.one.api.read(f"/api/audiences/{self.program['audienceId']}")["contactCount"]

    def test_a_trigger_fires_and_the_contact_is_called(self):
        person, other = self.one.person("2026-11-24"), self.one.person("2026-11-25")
        self.start()
        self.assertEqual(self.one.execution(self.execution)["nextDialAt"],
                         "2026-11-24T00:00:00.000Z")
        self.worker.claim_none()
        self.assertEqual(self.members(), set())
        self.daemon.advance_to("2026-11-23T23:59:59.999Z")
        self.worker.claim_none()
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.assertEqual(self.members(), {person["id"]})
        self.assertEqual(self.counted(), 1)
        call = self.worker.claim_one()
        self.assertEqual((call["contactId"], call["attempt"]), (person["id"], 1))
        self.worker.finish(call)
        row = self.one.triggers(self.program, "?status=fired")[0]
        self.assertEqual((row["contactId"], row["dueAt"], row["firedAt"]),
                         (person["id"], "2026-11-24T00:00:00.000Z", "2026-11-24T00:00:00.000Z"))
        execution = self.one.wait_counts(self.execution, total=1, completed=1)
        self.assertEqual(execution["status"], "running")
        self.daemon.advance(86400)
        self.assertEqual(self.worker.claim_one()["contactId"], other["id"])
        self.one.wait_counts(self.execution, total=2, completed=1, inProgress=1)

    def test_it_never_completes_by_itself(self):
        self.one.person("2026-11-24")
        self.start()
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.worker.finish(self.worker.claim_one())
        self.daemon.advance(400 * 86400)
        self.assertEqual(self.one.execution(self.execution)["status"], "running")

    def test_due_after_the_launch_and_past_when_it_is_created_fires_at_once(self):
        self.start()
        self.daemon.advance(3600)
        person = self.one.person(later(MONDAY_NINE, seconds=1800))
        missed = self.one.person(later(MONDAY_NINE, seconds=-1800))
        call = self.worker.claim_one()
        self.assertEqual(call["contactId"], person["id"])
        self.assertEqual(self.one.told(self.program), [
            (missed["id"], later(MONDAY_NINE, seconds=-1800), "missed"),
            (person["id"], later(MONDAY_NINE, seconds=1800), "fired")])
        self.assertEqual(self.one.triggers(self.program, "?status=fired")[0]["firedAt"],
                         later(MONDAY_NINE, seconds=3600))

    def test_members_of_the_audience_are_not_called(self):
        people = self.one.contacts(3)
        self.start(audienceId=self.one.audience(people)["id"])
        self.daemon.advance(86400)
        self.worker.claim_none()
        self.assertEqual(self.one.execution(self.execution)["totalContacts"], 0)

    def test_a_member_that_fires_is_a_member_once(self):
        person = self.one.person("2026-11-24")
        self.start(audienceId=self.one.audience([person])["id"])
        self.daemon.advance(86400)
        self.assertEqual(self.worker.claim_one()["contactId"], person["id"])
        self.assertEqual(self.counted(), 1)

    def test_a_failed_attempt_is_retried(self):
        self.one.person("2026-11-24")
        self.start(retryStrategy={"type": "fixed_delay", "delayMinutes": 10, "maxRetries": 1})
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.worker.finish(self.worker.claim_one(), "busy")
        self.daemon.advance(600)
        self.worker.finish(self.worker.claim_one(), "busy")
        self.one.wait_counts(self.execution, total=1, failed=1)

    def test_do_not_call_is_skipped_when_it_is_dialled(self):
        self.one.person("2026-11-24", doNotCall=True)
        person = self.one.person("2026-11-24")
        self.start()
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.assertEqual(self.worker.claim_one()["contactId"], person["id"])
        self.one.wait_counts(self.execution, total=2, skipped=1, inProgress=1)

    def test_while_paused_triggers_fire_and_the_contact_waits(self):
        self.one.person("2026-11-24")
        self.start()
        self.one.pause(self.execution)
        self.daemon.advance(86400)
        self.worker.claim_none()
        self.assertEqual([row["status"] for row in self.one.triggers(self.program)], ["fired"])
        self.one.wait_counts(self.execution, total=1, pending=1)
        self.assertEqual(self.counted(), 1)
        self.one.resume(self.execution)
        self.worker.claim_one()

    def test_without_credits_triggers_fire_and_contacts_wait(self):
        self.admin.change(f"/api/organizations/{self.one.id}", {"credits": 0})
        people = [self.one.person(f"2026-11-{day}") for day in (24, 25)]
        self.start()
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.one.wait_status(self.execution, "paused_no_credits")
        self.daemon.advance_to("2026-11-25T00:00:00.000Z")
        self.assertEqual([row["firedAt"] for row in self.one.triggers(self.program)],
                         ["2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z"])
        self.one.wait_counts(self.execution, total=2, pending=2)
        self.worker.claim_none()
        self.admin.change(f"/api/organizations/{self.one.id}", {"credits": 2})
        self.one.resume(self.execution)
        calls = self.worker.claim_exactly(2)
        self.assertEqual({call["contactId"] for call in calls}, {each["id"] for each in people})

    def test_while_scheduled_triggers_fire_and_the_contact_waits(self):
        self.one.person("2026-11-24")
        self.start(startAt="2026-11-25T00:00:00Z")
        self.daemon.advance_to("2026-11-24T12:00:00.000Z")
        self.worker.claim_none()
        execution = self.one.wait_counts(self.execution, total=1, pending=1)
        self.assertEqual(execution["status"], "scheduled")
        self.daemon.advance_to("2026-11-25T00:00:00.000Z")
        self.worker.claim_one()

    def test_in_a_pause_window_the_contact_waits(self):
        self.one.person("2026-11-24")
        self.start(pauseWindows={"advanced": [
            {"startAt": "2026-11-23T23:00:00Z", "endAt": "2026-11-24T08:00:00Z"}]})
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.assertEqual([row["status"] for row in self.one.triggers(self.program)], ["fired"])
        self.worker.claim_none()
        self.daemon.advance_to("2026-11-24T08:00:00.000Z")
        self.worker.claim_one()

    def test_a_restart_keeps_triggers_and_fires_what_came_due_meanwhile(self):
        for kill in (False, True):
            one = self.live()
            people = [one.person(later(self.daemon.now(), hours=hours)) for hours in (1, 2, 50)]
            program = one.live_program()
            one.launch(program)
            before = one.triggers(program)
            self.daemon.restart(kill=kill)
            self.assertEqual(one.triggers(program), before)
            self.daemon.stop()
            self.daemon.test_clock = later(before[1]["dueAt"], minutes=30)
            self.daemon.start()
            calls = self.worker.claim_exactly(2)
            self.assertEqual([call["contactId"] for call in calls],
                             [person["id"] for person in people[:2]])
            rows = one.triggers(program)
            self.assertEqual([row["status"] for row in rows], ["fired", "fired", "pending"])
            self.assertEqual({row["firedAt"] for row in rows[:2]}, {self.daemon.test_clock})
            self.worker.finish_all(calls)

    def test_a_fired_trigger_stays_and_an_other_date_makes_a_new_one(self):
        person = self.one.person("2026-11-24")
        self.start()
        self.daemon.advance_to("2026-11-24T09:00:00.000Z")
        self.worker.finish(self.worker.claim_one())
        fired = self.one.triggers(self.program)
        self.one.set_date(person, "2026-11-24")
        self.one.set_date(person, "2026-11-24T00:00:00Z")  # the same instant
        self.one.set_date(person, None)
        self.one.set_date(person, "2026-11-24")
        self.assertEqual(self.one.triggers(self.program), fired)
        self.worker.claim_none()
        self.one.set_date(person, "2026-11-26")
        rows = self.one.triggers(self.program)
        self.assertEqual([row["status"] for row in rows], ["fired", "pending"])
        self.assertNotEqual(rows[0]["id"], rows[1]["id"])
        self.one.set_date(person, "2026-11-24")  # what has fired does not come again
        self.assertEqual([row["status"] for row in self.one.triggers(self.program)],
                         ["fired", "cancelled"])
        self.one.set_date(person, "2026-11-27")
        self.daemon.advance_to("2026-11-27T00:00:00.000Z")
        call = self.worker.claim_one()
        self.assertEqual((call["contactId"], call["attempt"]), (person["id"], 1))
        self.one.wait_counts(self.execution, total=2, completed=1, inProgress=1)

    def test_a_deleted_contact_does_not_fire(self):
        person = self.one.person("2026-11-24")
        self.start()
        self.one.api.remove(f"/api/contacts/{person['id']}")
        self.daemon.advance(86400)
        self.worker.claim_none()
        self.assertEqual(self.one.execution(self.execution)["totalContacts"], 0)

    def test_yearly_over_three_years(self):
        other, person = self.one.person(None), self.one.person("2000-02-29")
        self.start({"recurrence": "yearly"},
                   retryStrategy={"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1})
        for n, day in enumerate(("2027-02-28", "2028-02-29", "2029-02-28"), 1):
            due = f"{day}T00:00:00.000Z"
            self.assertEqual(self.one.told(self.program, "?status=pending"),
                             [(person["id"], due, "pending")])
            self.daemon.advance_to(later(due, milliseconds=-1))
            self.worker.claim_none()
            self.daemon.advance_to(due)
            first = self.worker.claim_one()
            self.assertEqual(first["attempt"], 1)
            self.worker.finish(first, "busy")
            self.daemon.advance(60)
            second = self.worker.claim_one()
            self.assertEqual(second["attempt"], 2)
            self.worker.finish(second)
            self.one.wait_counts(self.execution, total=n, completed=n)
        self.assertEqual([row["dueAt"][:10] for row in self.one.triggers(self.program)],
                         ["2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28"])
        self.assertEqual(len(self.one.entries(self.execution)), 3)
        self.assertEqual(len(self.one.calls(self.execution)), 6)
        self.assertEqual(self.one.calls(self.execution, f"?contactId={person['id']}"),
                         self.one.calls(self.execution))
        self.assertEqual(self.one.calls(self.execution, f"?contactId={other['id']}"), [])
        self.assertEqual(self.counted(), 1)

    def test_yearly_after_it_has_fired_comes_next_year_whatever_is_changed(self):
        person = self.one.person("1990-11-24")
        self.start({"recurrence": "yearly"})
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.worker.finish(self.worker.claim_one())
        self.one.set_date(person, "1990-11-24")
        self.one.set_date(person, None)
        self.one.set_date(person, "1990-11-24")
        self.daemon.settle()
        self.worker.claim_none()
        self.assertEqual([row["dueAt"][:10] for row in
                          self.one.triggers(self.program, "?status=pending")], ["2027-11-24"])

    def test_many_are_due_at_once(self):
        self.one.contacts(1500, customAttributes={"birthday": "2026-11-24"})
        self.start()
        self.daemon.advance_to("2026-11-24T00:00:00.000Z")
        self.assertEqual(self.one.execution(self.execution)["totalContacts"], 1500)
        self.assertEqual(self.counted(), 1500)
        self.worker.finish_all(self.worker.claim_exactly(1500)[:10])


class TheEnd(LiveStory):
    def setUp(self):
        super().setUp()
        self.one = self.live()

    def test_cancel_cancels_what_is_pending_at_once(self):
        self.one.contacts(1200, customAttributes={"birthday": "2026-12-24"})
        self.one.person("2026-11-23T10:00:00Z")
        self.one.person("2026-11-23T08:00:00Z")
        program = self.one.live_program()
        execution = self.one.launch(program)
        self.daemon.advance(3600)
        self.one.cancel(execution)
        count = {status: len(self.one.triggers(program, f"?status={status}"))
                 for status in ("pending", "fired", "missed", "cancelled")}
        self.assertEqual(count, {"pending": 0, "fired": 1, "missed": 1, "cancelled": 1200})
        self.daemon.restart(kill=True)
        self.assertEqual(len(self.one.triggers(program, "?status=cancelled")), 1200)
        self.daemon.advance_to("2026-12-25T00:00:00.000Z")
        self.assertEqual(self.one.execution(execution)["totalContacts"], 1)
        self.assertEqual(len(self.one.triggers(program, "?status=pending")), 0)

    def test_stop_at(self):
        early = self.one.person("2026-11-24T11:00:00Z")
        self.one.person("2026-11-24T12:00:00Z")
        program = self.one.live_program(stopAt="2026-11-24T12:00:00Z")
        execution = self.one.launch(program)
        self.daemon.advance_to("2026-11-26T00:00:00.000Z")
        self.assertEqual(self.one.execution(execution)["status"], "stopped")
        self.assertEqual([row["status"] for row in self.one.triggers(program)],
                         ["fired", "cancelled"])
        self.assertEqual(self.one.entry(execution, early)["status"], "queued")
        self.worker().finish(self.worker().claim_one())
        self.one.wait_counts(execution, total=1, completed=1)

    def test_a_call_under_way_goes_on(self):
        self.one.person("2026-11-24")
        program = self.one.live_program()
        execution = self.one.launch(program)
        self.daemon.advance(86400)
        worker = self.worker()
        call = worker.claim_one()
        self.one.cancel(execution)
        worker.finish(call)
        self.one.wait_counts(execution, total=1, completed=1)
        self.one.launch(program)


# ---------------------------------------------------------------------------- one call at a time


class OneCallAtATime(LiveStory):
    def setUp(self):
        super().setUp()
        self.one = self.live()
        self.worker = Worker(self.daemon)
        self.person = self.one.person("2026-11-23T10:00:00Z")

    def start(self, **fields):
        self.program = self.one.live_program(**fields)
        self.execution = self.one.launch(self.program)
        self.daemon.advance_to("2026-11-23T10:00:00.000Z")

    def fire_again(self, at):
        self.one.set_date(self.person, at)
        self.daemon.settle()

    def second_waits(self, meanwhile):
        self.start()
        first = self.worker.claim_one()
        self.worker.started(first)
        self.fire_again("2026-11-23T10:00:01Z")
        self.daemon.advance(1)
        self.one.wait_counts(self.execution, total=2, pending=1, inProgress=1)
        self.worker.claim_none()
        meanwhile()
        self.worker.claim_none()
        self.worker.result(first)
        second = self.worker.claim_one()
        self.assertEqual((second["contactId"], second["attempt"]), (self.person["id"], 1))
        self.assertNotEqual(second["callId"], first["callId"])
        self.worker.finish(second)
        self.one.wait_counts(self.execution, total=2, completed=2)

    def test_the_second_waits_for_the_first_ones_end(self):
        self.second_waits(lambda: self.daemon.advance(60))

    def test_diagnostics_say_that_it_waits(self):
        def look():
            found = self.one.api.read(f"/api/program-executions/{self.execution}/diagnostics")
            self.assertEqual(found, {"dialling": False, "nextDialAt": None, "blockedBy": [
                {"reason": "max_concurrent_calls", "contacts": 1, "until": None, "limit": 1}]})

        self.second_waits(look)

    def test_diagnostics_tell_it_from_one_that_waits_for_its_retry(self):
        self.start(retryStrategy={"type": "fixed_delay", "delayMinutes": 10, "maxRetries": 2})
        self.worker.finish(self.worker.claim_one(), "busy")
        retry_at = later(self.daemon.now(), minutes=10)
        self.person = self.one.person("2026-11-23T10:00:00Z")
        self.daemon.settle()
        self.worker.started(self.worker.claim_one())
        self.fire_again("2026-11-23T10:00:01Z")
        self.daemon.advance(1)
        self.one.wait_counts(self.execution, total=3, pending=2, inProgress=1)
        found = self.one.api.read(f"/api/program-executions/{self.execution}/diagnostics")
        self.assertEqual(found, {"dialling": False, "nextDialAt": retry_at, "blockedBy": [
            {"reason": "retry_not_due", "contacts": 1, "until": retry_at, "limit": None},
            {"reason": "max_concurrent_calls", "contacts": 1, "until": None, "limit": 1}]})

    def test_it_waits_through_a_restart(self):
        self.second_waits(self.daemon.restart)

    def test_it_waits_through_a_crash(self):
        self.second_waits(lambda: self.daemon.restart(kill=True))

    def test_a_call_that_nobody_has_started_counts_too(self):
        self.start()
        first = self.worker.claim_one()
        self.fire_again("2026-11-23T10:00:01Z")
        self.daemon.advance(1)
        self.worker.claim_none()
        self.daemon.advance(60)  # the lease is over: the same call is offered again, and no other
        again = self.worker.claim_one()
        self.assertEqual(again["callId"], first["callId"])
        self.worker.finish(again)
        self.worker.finish(self.worker.claim_one())
        self.one.wait_counts(self.execution, total=2, completed=2)

    def test_a_retry_waits_for_the_second(self):
        self.start(retryStrategy={"type": "fixed_delay", "delayMinutes": 10, "maxRetries": 2})
        self.worker.finish(self.worker.claim_one(), "busy")
        self.fire_again("2026-11-23T10:05:00Z")
        self.daemon.advance(300)
        second = self.worker.claim_one()
        self.worker.started(second)
        self.daemon.advance(600)
        self.one.wait_counts(self.execution, total=2, pending=1, inProgress=1)
        self.worker.claim_none()
        self.worker.result(second)
        retry = self.worker.claim_one()
        self.assertEqual(retry["attempt"], 2)
        self.worker.finish(retry)
        self.one.wait_counts(self.execution, total=2, completed=2)

    def test_several_wait_and_come_one_by_one(self):
        self.start()
        first = self.worker.claim_one()
        self.worker.started(first)
        for second in range(1, 4):
            self.fire_again(f"2026-11-23T10:00:0{second}Z")
            self.daemon.advance(1)
        self.one.wait_counts(self.execution, total=4, pending=3, inProgress=1)
        self.worker.result(first)
        for _ in range(3):
            self.worker.finish(self.worker.claim_one())
        self.one.wait_counts(self.execution, total=4, completed=4)

    def test_those_that_wait_are_skipped_at_the_end(self):
        self.start()
        first = self.worker.claim_one()
        self.worker.started(first)
        self.fire_again("2026-11-23T10:00:01Z")
        self.daemon.advance(1)
        self.one.cancel(self.execution)
        self.worker.result(first)
        self.one.wait_counts(self.execution, total=2, completed=1, skipped=1)
        self.daemon.settle()
        self.worker.claim_none()

    def test_those_that_wait_are_skipped_when_the_contact_goes(self):
        self.start()
        first = self.worker.claim_one()
        self.worker.started(first)
        for second in range(1, 3):
            self.fire_again(f"2026-11-23T10:00:0{second}Z")
            self.daemon.advance(1)
        self.one.api.remove(f"/api/contacts/{self.person['id']}")
        self.worker.result(first)
        self.one.wait_counts(self.execution, total=3, completed=1, skipped=2)


# ------------------------------------------------------------------------------------ large lists


class Large(LiveStory):
    COUNT = 100_000

    def test_others_are_answered_while_a_launch_computes(self):
        one, other = self.live(), self.live()
        one.contacts(self.COUNT, customAttributes={"birthday": "2026-12-24"})
        program = one.live_program()
        launched = []

        def launch():
            launched.append(expect(one.api.clone().post(
                f"/api/programs/{program['id']}/launch"), 201)["executionId"])

        thread = threading.Thread(target=launch)
        thread.start()
        wait_until(lambda: one.api.pages(f"/api/programs/{program['id']}/executions"),
                   "the launch has begun")
        other.person(None)
        self.assertEqual(launched, [], "the launch was answered before another's request")
        late = one.person("2026-12-25")
        thread.join()
        self.daemon.settle()
        execution = one.execution(launched[0])
        self.assertEqual(execution["totalContacts"], 0)
        path = f"/api/programs/{program['id']}/triggers"
        self.assertEqual(len(one.api.read(path + "?limit=100")["data"]), 100)
        self.assertEqual([row["contactId"] for row in one.triggers(program, "?status=pending")
                          if row["dueAt"].startswith("2026-12-25")], [late["id"]])

    def test_a_crash_in_the_middle_of_a_launch(self):
        one = self.live()
        one.contacts(20_000, customAttributes={"birthday": "2026-12-24"})
        program = one.live_program()
        client = one.api.clone()

        def launch():
            try:
                client.post(f"/api/programs/{program['id']}/launch")
            except OSError:
                pass
            except Exception:  # pylint: disable=broad-except
                pass

        thread = threading.Thread(target=launch)
        thread.start()
        wait_until(lambda: one.api.pages(f"/api/programs/{program['id']}/executions"),
                   "the launch has begun")
        self.daemon.kill9()
        thread.join()
        self.daemon.start()
        self.daemon.settle()
        rows = one.triggers(program, "?status=pending")
        self.assertEqual(len({row["contactId"] for row in rows}), 20_000)
        self.assertEqual(len(rows), 20_000)


if __name__ == "__main__":
    main()
