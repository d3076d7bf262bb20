"""outdiald --record and outdial-replay: what a daemon went through under load comes out again, bit for
bit, on a machine with another time-zone database; what a trace does not say; damage."""

import json
import os
import re
import shutil
import stat
import subprocess
import unittest

from outdial_daemon import (Daemon, Organisation, Worker, expect, main, node_executed,
                            program_path, released, result, started)

GATEWAYS = """
[gateway worker]
kind = worker
max_calls = 40

[gateway simulator]
kind = simulator
seed = 7
"""


def replay(path, *options, status=0):
    """Runs outdial-replay, without any time-zone database, and returns its JSON and what it said."""
    done = subprocess.run(
        [program_path("OUTDIAL_REPLAY"), "--json", *options, path], capture_output=True, text=True,
        timeout=120, check=False, env={**os.environ, "TZDIR": "/nowhere"})
    if done.returncode != status:
        raise AssertionError(f"outdial-replay ended with {done.returncode}, not {status}: "
                             f"{done.stdout[-2000:]} {done.stderr[-2000:]}")
    outcome = json.loads(done.stdout) if done.stdout else {}
    outcome["stderr"] = done.stderr
    return outcome


def work(worker, calls):
    """One in five calls is given back, the others end in one way or another."""
    events = []
    for place, call in enumerate(calls):
        if place % 5 == 4:
            events.append(released(call, reason=f"no line to {call['to'][1:]}"))
            continue
        events += [started(call), node_executed(call, "ask", 1),
                   result(call, ["answered", "no_answer", "busy"][place % 3],
                          detail=f"486 {call['to'][1:]}")]
    if events:
        worker.tell(*events)


def disturb(org, turn):
    """Pauses and goes on, or cancels."""
    running = [one["id"] for one in org.api.pages("/api/program-executions")
               if one["status"] == "running"]
    if running and turn % 2 == 0:
        org.pause(running[0])
        org.daemon.advance(60)
        org.resume(running[0])
    elif running:
        org.cancel(running[-1])


def make_organisations(daemon, contacts):
    """Three tenants in three time zones, each with a campaign of either gateway."""
    made = []
    for zone in ("Africa/Casablanca", "Europe/Paris", "UTC"):
        org = Organisation(daemon, timezone=zone)
        made.append(org)
        org.api.create("/api/custom-attributes", {"name": "city", "type": "string"})
        org.api.create("/api/custom-attributes", {"name": "birthday", "type": "date"})
        for gateway in ("worker", "simulator"):
            org.launch(org.program(
                contacts, gateway=gateway,
                pauseWindows={"friday": [{"startAt": {"hour": 12, "minute": 0},
                                           "endAt": {"hour": 13, "minute": 30}}]},
                retryStrategy={"type": "fixed_delay", "delayMinutes": 30, "maxRetries": 2}))
    return made


def go_through_a_day(daemon, contacts=40):
    """Claims, events, pauses, cancels, changed contacts, requests that come twice, and the weeks in
    which clocks change. Returns the organisations."""
    made = make_organisations(daemon, contacts)
    worker = Worker(daemon)
    for turn in range(6):
        work(worker, worker.claim(max=25))
        daemon.advance(20 * 60)
        disturb(made[turn % 3], turn)
    for org in made:
        contact = org.contact(firstName="Fatima", lastName="Elidrissi",
                              primaryEmail="fatima@mail.example",
                              customAttributes={"city": "Ouarzazate", "birthday": "1990-01-05"})
        org.api.change(f"/api/contacts/{contact['id']}", {"doNotCall": True})
        for _ in range(2):
            answer = org.api.post("/api/audiences", {"name": "Kept"},
                                  headers={"Idempotency-Key": "k-1"})
            expect(answer, 201)
    daemon.advance(150 * 86400)
    return made


class Recording(unittest.TestCase):
    maxDiff = None

    def record(self, *options, data=None, test_clock="2026-10-23T09:00:00Z", **arguments):
        """A daemon that is recorded to self.path, on a copy of a folder if one is given."""
        daemon = Daemon(test_clock=test_clock, config=GATEWAYS, **arguments)
        self.addCleanup(daemon.close)
        self.path = os.path.join(daemon.folder, "trace")
        daemon.arguments = ["--record", self.path, *options]
        if data is not None:
            shutil.copytree(data, daemon.data, dirs_exist_ok=True)
        return daemon.start()

    def trace(self):
        with open(self.path, "rb") as file:
            return file.read()


class SameTraceSameState(Recording):
    def test_a_day_replays_to_the_same_state(self):
        daemon = self.record()
        go_through_a_day(daemon)
        daemon.stop()
        outcome = replay(self.path, "--verify")
        self.assertIs(outcome["verified"], True)
        self.assertIs(outcome["fits"], True)
        self.assertIsNone(outcome["damage"])
        self.assertEqual(outcome["clock"], "test")
        types = outcome["types"]
        for name in ("claim", "call_result", "call_released", "pause", "cancel", "tick",
                     "contacts_upsert", "program_launch"):
            self.assertGreater(types[name]["count"], 0, name)
        self.assertEqual(outcome["letters"], types["all"]["count"])
        self.assertGreater(outcome["messages"], outcome["letters"])
        self.assertEqual(outcome["stderr"], "")

    def test_a_second_recording_goes_on_from_a_backup(self):
        daemon = self.record("--record-raw")
        made = go_through_a_day(daemon, contacts=20)
        program = made[0].program(30, retryStrategy={"type": "fixed_delay", "delayMinutes": 30,
                                                     "maxRetries": 2})
        execution = made[0].launch(program)
        worker = Worker(daemon)
        held = worker.claim(max=10)  # under way while it restarts
        daemon.stop()
        first = replay(self.path, "--verify")
        backup = os.path.join(daemon.folder, "copy") + "/"
        subprocess.run([program_path("OUTDIALCTL"), "backup", backup, "--data-dir", daemon.data],
                       check=True, capture_output=True)
        self.path = os.path.join(daemon.folder, "second")
        daemon.arguments = ["--record", self.path, "--record-raw"]
        daemon.start()
        worker.tell(*[started(call) for call in held[:5]])
        daemon.advance(7200)
        work(worker, worker.claim(max=25))
        made[0].cancel(execution)
        daemon.stop()
        refused = replay(self.path, "--verify", status=1)
        self.assertIn("--store", refused["stderr"])
        second = replay(self.path, "--verify", "--store", backup)
        self.assertIs(second["verified"], True)
        self.assertNotEqual(first["state"], second["state"])
        refused = replay(self.path, "--verify", "--store", backup, status=1)  # it has been changed
        self.assertIn("another store", refused["stderr"])

    def test_real_time_replays_too(self):
        daemon = self.record(test_clock=None)
        org = Organisation(daemon)
        execution = org.launch(org.program(40))
        worker = Worker(daemon)
        work(worker, worker.claim_exactly(40))
        org.pause(execution)
        daemon.stop()
        outcome = replay(self.path, "--verify")
        self.assertIs(outcome["verified"], True)
        self.assertEqual(outcome["clock"], "real")

    def test_a_killed_daemon_leaves_what_was_durable(self):
        daemon = self.record()
        org = Organisation(daemon)
        org.launch(org.program(40))
        work(Worker(daemon), Worker(daemon).claim(max=20))
        daemon.kill9()
        outcome = replay(self.path, "--verify", status=3)
        self.assertIs(outcome["verified"], True)
        self.assertIsNotNone(outcome["damage"])
        daemon.arguments = []
        daemon.start()

    def test_a_pace_is_kept(self):
        daemon = self.record()
        Organisation(daemon)
        daemon.advance(3600)
        Organisation(daemon)
        daemon.stop()
        outcome = replay(self.path, "--verify", "--speed", "36000x")
        self.assertGreaterEqual(outcome["seconds"], 0.1)
        self.assertIs(outcome["verified"], True)


class Pseudonyms(Recording):
    SECRETS = re.compile(rb"Fatima|Elidrissi|fatima|mail\.example|Ouarzazate|organisation \d|3225\d{6}")

    def test_a_trace_tells_no_number_and_no_name(self):
        daemon = self.record()
        go_through_a_day(daemon, contacts=10)
        daemon.stop()
        self.assertIsNone(self.SECRETS.search(self.trace()))
        self.assertIn(b"1990-01-05", self.trace())  # dates decide when a trigger is due
        self.assertIn(b"birthday", self.trace())
        outcome = replay(self.path, "--verify")
        self.assertIs(outcome["raw"], False)

    def test_a_raw_one_does(self):
        daemon = self.record("--record-raw")
        go_through_a_day(daemon, contacts=10)
        daemon.stop()
        found = {match.group() for match in self.SECRETS.finditer(self.trace())}
        self.assertTrue({b"Fatima", b"Elidrissi", b"Ouarzazate"} <= found, found)
        outcome = replay(self.path, "--verify")
        self.assertIs(outcome["raw"], True)

    def test_the_file_is_its_owners_and_is_not_overwritten(self):
        daemon = self.record()
        daemon.stop()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        before = self.trace()
        done = subprocess.run(daemon.command(daemon.port), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing is overwritten", done.stderr)
        self.assertEqual(self.trace(), before)
        done = subprocess.run([program_path(), "--record-raw", "--check-config"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--record FILE", done.stderr)
        daemon.arguments = []


class Damage(Recording):
    def setUp(self):
        daemon = self.record()
        org = Organisation(daemon)
        execution = org.launch(org.program(20))
        work(Worker(daemon), Worker(daemon).claim(max=20))
        org.cancel(execution)
        daemon.stop()
        self.whole = replay(self.path, "--verify")

    def write(self, content):
        path = f"{self.path}.damaged"
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_a_cut_file_is_read_up_to_the_cut(self):
        content = self.trace()
        last = 0
        for size in range(len(content) // 3, len(content) - 1, len(content) // 12):
            outcome = replay(self.write(content[:size]), "--verify", status=3)
            self.assertIn("cut off", outcome["damage"])
            self.assertIn("cut off", outcome["stderr"])
            self.assertIs(outcome["verified"], True)
            self.assertGreaterEqual(outcome["letters"], last)
            last = outcome["letters"]
        self.assertGreater(last, 0)

    def test_a_flipped_byte_is_found(self):
        content = bytearray(self.trace())
        place = len(content) * 2 // 3
        content[place] ^= 0x40
        outcome = replay(self.write(content), "--verify", status=3)
        self.assertRegex(outcome["damage"], r"damaged in the frame at byte \d+|cut off at byte")
        self.assertLess(outcome["letters"], self.whole["letters"])
        self.assertGreater(outcome["letters"], 0)

    def test_what_is_no_trace_is_refused(self):
        for content in (b"", b"OUTDIALT", b"OUTDIALT" + bytes(8), b"{}" * 100,
                        self.trace()[:60]):
            outcome = replay(self.write(content), status=1)
            self.assertIn("outdial-replay: ", outcome["stderr"])
        self.assertIn("No such file", replay("/no/such/trace", status=1)["stderr"])

    def test_bad_command_lines_end_with_2(self):
        for options in (["--speed", "fast"], ["--speed", "0x"], ["--speed", "-1x"], ["--nothing"],
                        ["another"]):
            replay(self.path, *options, status=2)

    def test_text_for_people(self):
        done = subprocess.run([program_path("OUTDIAL_REPLAY"), "--verify", self.path],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertRegex(done.stdout, r"messages \d+, and \d+ that followed")
        self.assertRegex(done.stdout, r"call_result +\d+ ")
        self.assertRegex(done.stdout, r"up to .*#")
        self.assertIn(self.whole["state"], done.stdout)
        self.assertIn("the same as recorded", done.stdout)


if __name__ == "__main__":
    main()
