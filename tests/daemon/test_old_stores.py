"""Stores that daemons of the past left (tests/fixtures/README.md) are opened by the daemon of today: everything
is as it was answered then, what was under way goes on to its end, and the store is sound."""

import gzip
import json
import os
import subprocess
import tempfile

from outdial_daemon import (
    Daemon, Organisation, Story, Worker, main, program_path, result, started, unknown_id)

STORES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures", "stores")


class OldStore(Story):
    """Opened once for each folder."""

    def setUp(self):
        """Each test opens the stores itself."""

    def stores(self):
        names = sorted(os.listdir(STORES))
        self.assertTrue(names)
        for name in names:
            with self.subTest(store=name):
                with open(os.path.join(STORES, name, "known.json"), encoding="utf-8") as file:
                    known = json.load(file)
                daemon = Daemon(test_clock=known["now"])
                with gzip.open(os.path.join(STORES, name, "data.mdb.gz")) as file:
                    content = file.read()
                with open(os.path.join(daemon.data, "data.mdb"), "wb") as file:
                    file.write(content)
                with open(os.path.join(daemon.data, "admin.key"), "w", encoding="ascii") as file:
                    file.write(known["admin_key"])
                self.daemon, self.admin = daemon, daemon.admin
                yield daemon, known

    def org_of(self, daemon, known):
        org = Organisation.__new__(Organisation)
        org.daemon, org.id, org.key = daemon, known["organization"], known["key"]
        org.api = daemon.client(org.key)
        daemon._worker_key = known["worker_key"]  # pylint: disable=protected-access
        daemon._phones = iter(range(500000, 600000))  # pylint: disable=protected-access
        return org

    def contains(self, seen, known, what):
        """All that was answered then, beside what answers have got since."""
        if isinstance(known, dict):
            for name, value in known.items():
                self.assertIn(name, seen, what)
                self.contains(seen[name], value, f"{what}.{name}")
        elif isinstance(known, list):
            self.assertEqual(len(seen), len(known), what)
            for index, value in enumerate(known):
                self.contains(seen[index], value, f"{what}[{index}]")
        elif what.endswith("customAttributes.born"):
            self.assertEqual(seen[:10], known[:10], what)  # a date, today as an instant
        else:
            self.assertEqual(seen, known, what)

    def test_everything_is_as_it_was(self):
        for daemon, known in self.stores():
            daemon.start()
            org = self.org_of(daemon, known)
            for name, rows in known["lists"].items():
                self.contains(org.api.pages(f"/api/{name}"), rows, name)
            for execution, was in known["executions"].items():
                self.contains(org.execution(execution), was["state"], "execution")
                self.contains(org.entries(execution), was["entries"], "entries")
                self.contains(org.calls(execution), was["calls"], "calls")
            daemon.close()  # which checks the store

    def test_the_check_of_what_a_start_has_migrated(self):
        """check does not judge an older store: it says to start the daemon once."""
        for daemon, _ in self.stores():
            check = [program_path("OUTDIALCTL"), "check", "--data-dir", daemon.data]
            done = subprocess.run(check, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("start outdiald once to migrate the store", done.stderr)
            daemon.start()
            done = subprocess.run(check, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            daemon.close()

    def test_what_was_under_way_goes_on_to_its_end(self):
        for daemon, known in self.stores():
            daemon.start()
            org, worker = self.org_of(daemon, known), Worker(daemon)
            talking, claimed = known["talking"], known["claimed"]
            # Permits of then stand: no call is permitted twice, and its result is taken.
            self.assertEqual(worker.started(talking[0])["status"], "duplicate")
            self.assertEqual(worker.result(talking[0], "answered", durationSeconds=3)["status"],
                             "accepted")
            for call in claimed:
                self.assertEqual([each["status"] for each in worker.tell(
                    started(call), result(call, "busy"))], ["accepted", "accepted"])
            org.resume(known["paused"])
            self.finish(daemon, org, worker, [known["execution"], known["paused"]],
                        talking[1:])
            execution = org.execution(known["execution"])
            self.assertEqual((execution["status"], execution["totalContacts"]), ("completed", 12))
            self.launch_again(org, worker)
            daemon.restart(kill=True)
            self.assertEqual(org.execution(known["execution"])["status"], "completed")
            daemon.close()

    def finish(self, daemon, org, worker, executions, open_calls):
        worker.tell(*[result(call, "answered") for call in open_calls])
        for _ in range(10):
            calls = worker.claim(max=100)
            if calls:
                worker.start_all(calls)
                worker.tell(*[result(call, "answered") for call in calls])
            elif all(org.execution(each)["status"] == "completed" for each in executions):
                return
            else:
                daemon.advance(1800)
        self.fail([org.execution(each) for each in executions])

    def launch_again(self, org, worker):
        """Its programs are launched again, with all that has come since: reports, keys, events."""
        program = org.api.pages("/api/programs")[-1]
        answer = org.api.post(f"/api/programs/{program['id']}/launch", headers={
            "Idempotency-Key": unknown_id()})
        self.assertEqual(answer.status, 201, answer.json)
        execution = answer.json["executionId"]
        worker.finish_all(worker.claim(max=100, wait_ms=1000))
        report = org.api.read(f"/api/program-executions/{execution}/report")
        self.assertEqual(report["outcomes"]["answered"], org.execution(execution)["totalContacts"])

    def test_a_backup_is_of_todays_version_only_after_a_start(self):
        """outdialctl backup of a store that no daemon of today has opened refuses by name."""
        for daemon, _ in self.stores():
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [program_path("OUTDIALCTL"), "backup", "--data-dir", daemon.data,
                     os.path.join(folder, "copy.mdb")], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("start outdiald once to migrate the store", done.stderr)
                self.assertEqual(os.listdir(folder), [])
            daemon.start()
            daemon.close()


if __name__ == "__main__":
    main()
