"""outdial-replay --http: a trace happens again to a running daemon, and comes out as it did."""

import json
import os
import random
import subprocess
import tempfile
import unittest

from outdial_daemon import (Daemon, Organisation, Worker, later, main, node_executed, program_path,
                            released, result, started, wait_until)

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLE = os.path.join(SOURCE, "docs", "examples", "sample.trace")
BEFORE = "2026-01-01T00:00:00Z"  # the sample and what `gen` makes begin four days later

DONE, CANNOT, USAGE, DAMAGED, DIFFERENT = 0, 1, 2, 3, 4

STATUSES = "&".join("status=" + status for status in (
    "scheduled", "running", "paused", "paused_no_credits", "paused_threshold", "completed",
    "stopped", "cancelled"))
COUNTERS = ("totalContacts", "contactsCompleted", "contactsFailed", "contactsPending",
            "contactsInProgress", "contactsSkipped")


def clean_environment():
    return {name: value for name, value in os.environ.items()
            if not name.startswith("OUTDIAL_") or name == "OUTDIAL_TRACE"}


def tool(program, *arguments, text=None):
    return subprocess.run([program_path(program), *arguments], input=text, capture_output=True,
                          text=True, timeout=200, check=False, env=clean_environment())


def world(daemon, has_times=False):
    """What clients see of a daemon, without ids and (as a rule) instants, by the names of things."""
    seen = {}
    for record in daemon.admin.pages("/api/organizations"):
        api = daemon.admin.for_organisation(record["id"])
        programs = {row["id"]: row for row in api.pages("/api/programs")}
        executions = []
        for row in api.pages(f"/api/program-executions?{STATUSES}"):
            report = api.read(f"/api/program-executions/{row['id']}/report")
            executions.append((
                programs[row["programId"]]["name"], row["mode"], row["status"],
                *(row[name] for name in COUNTERS), tuple(sorted(row["nodeCounters"].items())),
                report["totals"]["calls"], tuple(sorted(report["outcomes"].items())),
                tuple((part["attempts"], part["contacts"])
                      for part in report["attemptsPerContact"]["distribution"]),
                (row["actualEndAt"], report["firstCallAt"], report["lastCallAt"],
                 json.dumps(report["callsPerMinute"])) if has_times else ()))
        seen[record["name"]] = {
            "credits": record["credits"], "timezone": record["timezone"],
            "contacts": sorted((c["primaryPhone"], c["firstName"] or "", c["doNotCall"],
                                sorted(c["customAttributes"].items()))
                               for c in api.pages("/api/contacts")),
            "audiences": sorted((a["name"], a["contactCount"])
                                for a in api.pages("/api/audiences")),
            "flows": sorted((f["name"], len(f["nodes"] or [])) for f in api.pages("/api/flows")),
            "attributes": sorted((a["name"], a["type"])
                                 for a in api.pages("/api/custom-attributes")),
            "programs": sorted((p["name"], p["status"], p["mode"], len(p["didPool"]),
                                json.dumps(p["retryStrategy"])) for p in programs.values()),
            "executions": sorted(executions)}
    return seen


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="outdial-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def daemon(self, test_clock=BEFORE, **options):
        daemon = Daemon(test_clock=test_clock, **options)
        self.addCleanup(daemon.close)
        return daemon.start()

    def gen(self, name, *options):
        done = tool("OUTDIAL_TRACE", "gen", *options, "-o", self.path(name))
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.path(name)

    def drive(self, daemon, trace, *options, status=DONE):
        """Returns the JSON, with what was said on standard error."""
        done = tool("OUTDIAL_REPLAY", "--json", "--http", f"http://127.0.0.1:{daemon.port}",
                    "--key", daemon.admin.key, *options, trace)
        self.assertEqual(done.returncode, status, done.stdout[-3000:] + done.stderr[-3000:])
        return {**json.loads(done.stdout), "stderr": done.stderr}

    def replayed(self, trace, status=DONE):
        """A daemon on the store that a plain replay comes to, where nothing goes on."""
        daemon = Daemon(test_clock=None, environment={"OUTDIAL_ADMIN_KEY": "an-admin-of-the-test"})
        self.addCleanup(daemon.close)
        done = tool("OUTDIAL_REPLAY", "--json", "--store", daemon.data, trace)
        self.assertEqual(done.returncode, status, done.stderr)
        daemon.test_clock = json.loads(done.stdout)["to"]
        with open(os.path.join(daemon.data, "admin.key"), "w", encoding="ascii") as file:
            file.write("an-admin-of-the-test\n")
        return daemon.start()

    def counts(self, trace):
        done = tool("OUTDIAL_TRACE", "stat", "--json", trace)
        return json.loads(done.stdout)["types"]

    def assert_nothing_twice(self, outcome, trace):
        """Each event went out once, and every object was made once."""
        types = self.counts(trace)
        for event, message in (("started", "call_started"), ("node_executed", "node_executed"),
                               ("result", "call_result"), ("released", "call_released")):
            self.assertEqual(sum(outcome["events"][event].values()), types.get(message, 0), event)
        for message in ("organisation_create", "audience_create", "flow_create",
                        "program_create", "program_launch", "contacts_upsert", "members_add"):
            self.assertEqual(outcome["kinds"].get(message, {}).get("count", 0),
                             types.get(message, 0), message)


class OnATestClock(Case):
    """Windows, retries, leases and pauses are where they were, so everything is."""

    def test_the_sample_comes_out_as_it_did(self):
        daemon = self.daemon()
        outcome = self.drive(daemon, SAMPLE)
        self.assertEqual(world(daemon, True), world(self.replayed(SAMPLE), True))
        self.assert_nothing_twice(outcome, SAMPLE)
        self.assertEqual(outcome["clock"], "test")
        self.assertEqual(outcome["driven"], outcome["fromClientsAndWorkers"])
        self.assertEqual(outcome["refusals"], [])
        self.assertEqual(outcome["stderr"], "")
        self.assertEqual(daemon.admin.pages("/api/api-keys")[0]["role"], "admin")
        self.assertEqual(len(daemon.admin.pages("/api/api-keys")), 1)  # the worker's is gone

    def test_workers_that_do_wrong_do_it_again(self):
        trace = self.gen("trace", "--seed", "5", "--organisations", "3", "--executions", "6",
                         "--contacts", "90", "--rate", "20", "--batch", "7", "--pauses", "2",
                         "--cancels", "1", "--faults", "0.15", "--retries", "1")
        daemon = self.daemon()
        outcome = self.drive(daemon, trace, "--connections", "3")
        self.assertEqual(world(daemon), world(self.replayed(trace)))
        self.assert_nothing_twice(outcome, trace)
        self.assertGreater(outcome["events"]["result"]["duplicate"], 0)
        self.assertGreater(outcome["events"]["released"]["accepted"], 0)
        self.assertGreater(outcome["events"]["sentAgain"], 0)

    def test_a_clock_that_is_ahead_moves_the_instants_along(self):
        daemon = self.daemon(test_clock="2027-03-01T12:00:00Z")
        outcome = self.drive(daemon, SAMPLE)
        self.assertEqual(world(daemon), world(self.replayed(SAMPLE)))
        self.assertEqual(outcome["from"][:10], "2026-01-05")


class OnARealClock(Case):
    def test_what_hangs_on_no_time_comes_out_as_it_did(self):
        trace = self.gen("trace", "--seed", "7", "--organisations", "3", "--executions", "6",
                         "--contacts", "150", "--rate", "50", "--batch", "20", "--pauses", "2",
                         "--cancels", "0", "--faults", "0", "--retries", "0")
        daemon = self.daemon(test_clock=None)
        outcome = self.drive(daemon, trace)
        self.assertEqual(world(daemon), world(self.replayed(trace)))
        self.assert_nothing_twice(outcome, trace)
        calls = self.counts(trace)["call_result"]
        self.assertGreater(calls, 140)
        self.assertEqual(outcome["clock"], "real")
        self.assertEqual(outcome["events"]["result"], {"accepted": calls})
        self.assertEqual(outcome["calls"]["ended"], calls)

    def test_a_pause_comes_when_calls_are_as_far_as_they_were(self):
        """Else the executions would have completed by then, and refuse it."""
        trace = self.gen("trace", "--seed", "3", "--organisations", "2", "--executions", "4",
                         "--contacts", "200", "--rate", "20", "--batch", "5", "--pauses", "2",
                         "--cancels", "1", "--faults", "0", "--retries", "0")
        outcome = self.drive(self.daemon(test_clock=None), trace)
        self.assertEqual(outcome["refusals"], [])
        self.assertEqual(outcome["kinds"]["pause"]["count"], 2)

    def test_calls_that_come_later_than_it_waits_are_told(self):
        """A retry comes after a minute, which is longer than this waits."""
        trace = self.gen("trace", "--seed", "7", "--contacts", "30", "--faults", "0", "--retries",
                         "1", "--pauses", "0", "--cancels", "0")
        daemon = self.daemon(test_clock=None)
        outcome = self.drive(daemon, trace, "--wait", "1", status=DIFFERENT)
        retries = outcome["calls"]["neverOffered"]
        self.assertGreater(retries, 5)
        self.assertEqual(outcome["notDriven"]["neverOffered"],
                         outcome["otherwise"]["neverOffered"])
        self.assertEqual(outcome["calls"]["ended"], outcome["calls"]["claimed"])
        self.assertEqual(outcome["otherwise"]["refused"], 0)

    def test_a_speed_is_kept(self):
        trace = self.gen("trace", "--contacts", "10", "--rate", "5", "--faults", "0", "--retries",
                         "0", "--pauses", "0", "--cancels", "0")
        outcome = self.drive(self.daemon(test_clock=None), trace, "--speed", "20x")
        self.assertGreater(outcome["seconds"], 1)

    def test_what_is_limited_is_waited_for(self):
        daemon = self.daemon(test_clock=None, config="[limits]\nrequests_in_flight = 1\n")
        trace = self.gen("trace", "--seed", "7", "--organisations", "4", "--executions", "4",
                         "--contacts", "40", "--faults", "0", "--retries", "0", "--pauses", "0",
                         "--cancels", "0")
        outcome = self.drive(daemon, trace)
        self.assertGreater(outcome["toldToWait"], 0)
        self.assertEqual(world(daemon), world(self.replayed(trace)))

    def test_what_was_taken_there_and_is_refused_here_is_told(self):
        """A second time: the numbers of DIDs are taken, so there are no programs either."""
        trace = self.gen("trace", "--executions", "2", "--contacts", "20", "--faults", "0",
                         "--retries", "0", "--pauses", "0", "--cancels", "0")
        daemon = self.daemon(test_clock=None)
        self.drive(daemon, trace)
        outcome = self.drive(daemon, trace, status=DIFFERENT)
        self.assertEqual([(row["request"], row["status"], row["error"], row["count"])
                          for row in outcome["refusals"]],
                         [("did_create", 409, "ConflictError", 2)])
        self.assertEqual(outcome["otherwise"]["refused"], 2)
        workers = sum(self.counts(trace)[name]
                      for name in ("call_started", "node_executed", "call_result"))
        self.assertEqual(outcome["notDriven"]["notThere"], 2 + 2 + workers)
        self.assertEqual(outcome["calls"]["claimed"], 0)

    def test_people_get_a_table(self):
        daemon = self.daemon(test_clock=None)
        trace = self.gen("trace", "--contacts", "5", "--faults", "0", "--retries", "0", "--pauses",
                         "0", "--cancels", "0")
        done = tool("OUTDIAL_REPLAY", "--http", f"http://127.0.0.1:{daemon.port}/", "--key-file",
                    os.path.join(daemon.data, "admin.key"), trace)
        self.assertEqual((done.returncode, done.stderr), (DONE, ""), done.stdout)
        for words in ("requests/s", "call events", "p99.9", "201: ", "not driven", "up to",
                      "nothing was answered otherwise"):
            self.assertIn(words, done.stdout)


class Recorded(Case):
    """A daemon is recorded and another one driven with it."""

    def record(self, *options):
        daemon = Daemon(test_clock="2026-10-23T09:00:00Z")
        self.addCleanup(daemon.close)
        self.trace = os.path.join(self.folder, "recorded")
        daemon.arguments = ["--record", self.trace, *options]
        return daemon.start()

    def campaign(self, daemon, is_live=True):
        org = Organisation(daemon, timezone="Europe/Paris", credits=100)
        org.api.create("/api/custom-attributes", {"name": "city", "type": "string"})
        org.api.create("/api/custom-attributes", {"name": "birthday", "type": "date"})
        visits = org.api.create("/api/custom-attributes", {"name": "visits", "type": "number"})
        audience = org.audience(org.contacts(8, customAttributes={"visits": 2.5, "city": "Fès"}))
        lines = "".join(json.dumps({"primaryPhone": daemon.phone(), "firstName": f"N {n}",
                                    "primaryEmail": "n@mail.example"}) + "\n" for n in range(5))
        self.imported(org, audience, lines)
        flow = org.flow(nodes=[{"id": "ask", "type": "question"}], startNode="ask")
        program = org.program(
            audienceId=audience["id"], flowId=flow["id"],
            startAt=later(daemon.now(), minutes=10), pacing={"maxConcurrentCalls": 40, "callsPerSecond": 1000.5},
            stopAt=later(daemon.now(), minutes=200),
            autoPauseRules=[{"nodeId": "ask", "threshold": 1000, "resetOnResume": True}],
            pauseWindows={"friday": [{"startAt": {"hour": 12, "minute": 0},
                                      "endAt": {"hour": 13, "minute": 30}}],
                          "advanced": [{"startAt": later(daemon.now(), minutes=100),
                                        "endAt": later(daemon.now(), minutes=190)}]},
            retryStrategy={"type": "fixed_delay", "delayMinutes": 30, "maxRetries": 1})
        execution = org.launch(program)
        org.api.post("/api/programs", {"name": "nothing of it"})  # refused before any message
        org.api.post(f"/api/programs/{program['id']}/launch")  # refused: it runs
        contacts = org.api.pages("/api/contacts")
        org.api.change(f"/api/contacts/{contacts[0]['id']}",
                       {"doNotCall": True, "fullName": "Amina B."})
        org.api.remove(f"/api/contacts/{contacts[1]['id']}")  # of the import
        worker = Worker(daemon)
        daemon.advance(600)
        daemon.advance(5)
        calls = worker.claim(max=12)
        for call in calls[:6]:
            worker.tell(started(call), node_executed(call, "ask", 1))
            worker.tell(result(call, "answered", durationSeconds=12))
        worker.tell(*[released(call, reason="no line") for call in calls[6:7]])
        org.pause(execution)
        daemon.advance(60)
        org.api.change(f"/api/program-executions/{execution}/resume",
                       {"autoPauseRules": [{"nodeId": "ask", "threshold": 2000}]})
        if is_live:
            self.live(org)
        for _ in range(40):
            for call in worker.claim(max=50):
                worker.tell(started(call))
                worker.tell(result(call, "busy" if call["attempt"] == 1 else "answered"))
            daemon.advance(300)
        daemon.admin.create(f"/api/organizations/{org.id}/credits", {"delta": 5}, 200)
        org.api.remove(f"/api/custom-attributes/{visits['id']}")

    def imported(self, org, audience, lines):
        answer = org.api.request(
            "POST", f"/api/contacts/import?audienceId={audience['id']}", raw=lines.encode(),
            headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual((answer.status, answer.json["created"]), (200, 5))

    def live(self, org):
        """A program in live mode, whose audience is made for it, and two contacts that are due."""
        program = org.program(mode="live", triggerCondition={"attributeName": "birthday",
                                                             "timeOfDay": {"hour": 11, "minute": 45}},
                              audienceId=None)
        org.launch(program)
        for _ in range(2):
            org.contact(customAttributes={"birthday": "2026-10-23"})

    def happens_again(self, *options):
        first = self.record(*options)
        self.campaign(first)
        first.stop()
        second = self.daemon()
        outcome = self.drive(second, self.trace)
        self.assertEqual(world(second), world(self.replayed(self.trace)))
        self.assertEqual(outcome["raw"], bool(options))
        self.assertEqual(outcome["notDriven"]["keys"], 3)
        self.assertEqual([(row["request"], row["error"], row["count"])
                          for row in outcome["refusals"]],
                         [("program_launch", "ExecutionAlreadyRunningError", 1)])

    def test_a_campaign_happens_again(self):
        self.happens_again("--record-raw")

    def test_a_year_later_its_instants_are_moved(self):
        """52 weeks: weekdays and the zone's offset are the same."""
        first = self.record("--record-raw")
        self.campaign(first, is_live=False)
        first.stop()
        second = self.daemon(test_clock="2027-10-22T09:00:00Z")
        self.drive(second, self.trace)
        self.assertEqual(world(second), world(self.replayed(self.trace)))

    def test_one_with_pseudonyms_too(self):
        self.happens_again()

    def test_the_second_half_needs_what_is_not_there(self):
        first = self.record()
        self.campaign(first)
        first.stop()
        half = self.path("half")
        done = tool("OUTDIAL_TRACE", "cut", "--from", "2026-10-23T09:05:00Z", self.trace, "-o",
                    half)
        self.assertEqual(done.returncode, 0, done.stderr)
        outcome = self.drive(self.daemon(), half, status=DIFFERENT)
        self.assertGreater(outcome["notDriven"]["notThere"], 5)
        self.assertEqual(outcome["calls"]["claimed"], 0)


class WhatGoesWrong(Case):
    def test_a_daemon_that_goes_away(self):
        daemon = self.daemon(test_clock=None)
        process = subprocess.Popen(
            [program_path("OUTDIAL_REPLAY"), "--json", "--speed", "1x", "--http",
             f"http://127.0.0.1:{daemon.port}", "--key", daemon.admin.key, SAMPLE],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        wait_until(lambda: len(daemon.admin.pages("/api/organizations")) == 2, "it has begun")
        daemon.kill9()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, CANNOT, err)
        self.assertIn(f"no answer from http://127.0.0.1:{daemon.port}", err)
        outcome = json.loads(out)
        self.assertIn("no answer", outcome["failure"])
        # The second one is there before its answer is.
        self.assertIn(outcome["kinds"]["organisation_create"]["count"], (1, 2))

    def test_a_damaged_trace_is_driven_up_to_the_damage(self):
        trace = self.gen("whole", "--contacts", "400", "--rate", "200", "--faults", "0",
                         "--retries", "0", "--pauses", "0", "--cancels", "0")
        with open(trace, "rb") as file:
            content = file.read()
        with open(self.path("cut"), "wb") as file:
            file.write(content[:-20])
        outcome = self.drive(self.daemon(test_clock=None), self.path("cut"), status=DAMAGED)
        self.assertIn("cut off", outcome["damage"])
        self.assertIn("messages before it", outcome["stderr"])
        self.assertGreater(outcome["driven"], 100)

    def test_a_key_that_is_none(self):
        daemon = self.daemon()
        url = f"http://127.0.0.1:{daemon.port}"
        for key in ("nonsense", daemon.worker_key()):
            done = tool("OUTDIAL_REPLAY", "--http", url, "--key", key, SAMPLE)
            self.assertEqual(done.returncode, CANNOT, done.stderr)
            self.assertIn("does not take the key as an admin's", done.stderr)
        self.assertEqual(daemon.admin.pages("/api/organizations"), [])

    def test_command_lines(self):
        daemon = self.daemon()
        url = f"http://127.0.0.1:{daemon.port}"
        for options, words in (
                (["--http", url], "no key"),
                (["--http", url, "--key-file", self.path("none")], "no key to read"),
                (["--http", "nonsense://x", "--key", "k"], "no address"),
                (["--http", "", "--key", "k"], "no address"),
                (["--http", "http://", "--key", "k"], "no address"),
                (["--http", url, "--key", "k", "--verify"], "--verify does not go with --http"),
                (["--http", url, "--key", "k", "--store", "x"], "--store does not go with"),
                (["--key", "k"], "--key needs --http"),
                (["--http", url, "--key", "k", "--connections", "0"], "no number"),
                (["--http", url, "--key", "k", "--wait", "x"], "no number")):
            with self.subTest(options=options):
                done = tool("OUTDIAL_REPLAY", *options, SAMPLE)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertIn(words, done.stderr)
        done = tool("OUTDIAL_REPLAY", "--http", url, "--key", "k", self.path("none"))
        self.assertEqual(done.returncode, CANNOT)
        done = tool("OUTDIAL_REPLAY", "--http", "http://127.0.0.1:1", "--key", "k", SAMPLE)
        self.assertEqual(done.returncode, CANNOT)
        self.assertIn("no answer from http://127.0.0.1:1", done.stderr)

    def test_no_trace_hurts_it(self):
        """Traces that somebody wrote: numbers, ids and words of others in other places."""
        lines = tool("OUTDIAL_TRACE", "dump", SAMPLE).stdout.splitlines()
        chance = random.Random(11)
        daemon = self.daemon()
        driven = 0
        while driven < 4:
            path = self.path("strange")
            made = tool("OUTDIAL_TRACE", "load", "-o", path, "-",
                        text="\n".join(strange(lines, chance)) + "\n")
            if made.returncode != 0:
                continue  # too strange to be a trace
            driven += 1
            done = tool("OUTDIAL_REPLAY", "--json", "--wait", "1", "--http",
                        f"http://127.0.0.1:{daemon.port}", "--key", daemon.admin.key, path)
            self.assertIn(done.returncode, (DONE, DAMAGED, DIFFERENT), done.stderr[-2000:])
            self.assertGreater(json.loads(done.stdout)["requests"], 50)
            os.unlink(path)


def strange(lines, chance):
    """The lines of a trace with some values of its messages given to others, and some lines gone."""
    out = [lines[0]]
    pool = {}
    for line in lines[1:]:
        record = json.loads(line)
        if record["record"] == "message":
            if chance.random() < 0.03:
                continue
            swap(record["payload"], pool, chance)
            if chance.random() < 0.02:
                record["number"] = chance.choice((0, 1, 2, 3, 9, 4294967295)) \
                    if record["actor"] in ("directory", "execution") else record["number"]
        out.append(json.dumps(record))
    return out


def swap(value, pool, chance):
    """Each value may become one that was seen before under the same name, or a number none has."""
    if isinstance(value, list):
        for item in value:
            swap(item, pool, chance)
    if not isinstance(value, dict):
        return
    for name in list(value):
        item = value[name]
        if isinstance(item, (dict, list)):
            swap(item, pool, chance)
            continue
        seen = pool.setdefault((name, type(item)), [])
        seen.append(item)
        if chance.random() < 0.03:
            value[name] = chance.choice(seen)
        elif chance.random() < 0.01:
            del value[name]


if __name__ == "__main__":
    main()
