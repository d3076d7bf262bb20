"""A disk, or a map, without room for what is to be written: reads go on, writes are 503, `/readyz` is red
within a second, and all by itself it is green again within two seconds once there is room.

The disk is a file system of its own in memory where this user may mount one; DiskFull in test_daemon.py is
the same with a limit of the file's size, which needs no right."""

import os
import subprocess
import tempfile
import time

from outdial_daemon import Daemon, Story, main, wait_until

DISK = 24 << 20  # less than what counts as room for a batch, and a few batches


class Full(Story):
    def start(self, **options):
        self.daemon = self.start_daemon(**options)
        self.admin = self.daemon.admin
        self.kept = 0

    def setUp(self):
        """Each test starts its own daemon."""

    def readyz(self):
        return self.daemon.client().get("/readyz").status

    def fill(self, api, limit=400):
        """Contacts until they are refused; the answer that refused, and the seconds until red."""
        for _ in range(limit):
            answer = api.post("/api/contacts/upsert", {"data": [
                {"primaryPhone": self.daemon.phone(), "lastName": "x" * 60} for _ in range(400)]})
            if answer.status != 200:
                refused_at = time.monotonic()
                wait_until(lambda: self.readyz() == 503, "readyz is red", 1)
                self.fails(answer, 503, "UnavailableError")
                self.assertGreater(int(answer.headers["Retry-After"]), 0)
                self.assertLess(time.monotonic() - refused_at, 1)
                return
            self.kept += 400
        self.fail(f"{self.kept} contacts, and still room")

    def unchanged(self, org, execution):
        """Reads go on, and nothing of what was refused is there."""
        self.assertEqual(len(org.api.pages("/api/contacts")), self.kept + 3)
        self.assertEqual(org.execution(execution)["contactsInProgress"], 3)
        self.fails(org.api.post("/api/audiences", {"name": "x"}), 503, "UnavailableError")
        self.assertEqual(len(org.api.pages("/api/audiences")), 1)
        self.assertEqual(self.daemon.client().get("/healthz").status, 200)
        self.assertIn("outdial_read_only 1\n", self.daemon.client().get("/metrics").json)

    def goes_on(self, org, worker, execution, calls):
        worker.finish_all(calls)
        self.assertEqual(org.wait_status(execution, "completed")["contactsCompleted"], 3)
        self.assertEqual(len(org.api.pages("/api/contacts")), self.kept + 3)


class SmallDisk(Full):
    def mount(self):
        folder = tempfile.mkdtemp(prefix="outdial-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            os.rmdir(folder)
            self.skipTest(f"nothing can be mounted here: {done.stderr.strip()}")
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        return folder

    def test_a_small_file_system(self):
        disk = self.mount()
        daemon = Daemon()
        os.rmdir(daemon.data)
        daemon.data = os.path.join(disk, "data")
        self.addCleanup(daemon.close)
        daemon.start()
        self.daemon, self.admin, self.kept = daemon, daemon.admin, 0
        org, worker = self.org(), self.worker()
        execution = org.launch(3)
        calls = worker.claim_exactly(3)
        ballast = os.path.join(disk, "ballast")
        with open(ballast, "wb") as file:  # what another program takes
            file.write(bytes(DISK - (6 << 20)))
        self.fill(org.api)
        self.unchanged(org, execution)
        self.assertIn("is full", daemon.log_tail())
        os.remove(ballast)
        begun = time.monotonic()
        wait_until(lambda: self.readyz() == 200, "it takes work again", 5)
        self.assertLess(time.monotonic() - begun, 2)
        self.goes_on(org, worker, execution, calls)

    def test_a_kill_on_a_full_file_system_loses_nothing(self):
        disk = self.mount()
        daemon = Daemon()
        os.rmdir(daemon.data)
        daemon.data = os.path.join(disk, "data")
        self.addCleanup(daemon.close)
        daemon.start()
        self.daemon, self.admin, self.kept = daemon, daemon.admin, 0
        org, worker = self.org(), self.worker()
        execution = org.launch(3)
        calls = worker.claim_exactly(3)
        ballast = os.path.join(disk, "ballast")
        with open(ballast, "wb") as file:
            file.write(bytes(DISK - (6 << 20)))
        self.fill(org.api)
        daemon.kill9()
        os.remove(ballast)
        daemon.start()
        self.goes_on(org, worker, execution, calls)


class SmallMap(Full):
    def test_the_map_is_full(self):
        self.start(config="[store]\nmap_size_bytes = 4MiB\n")
        org, worker = self.org(), self.worker()
        execution = org.launch(3)
        calls = worker.claim_exactly(3)
        self.fill(org.api)
        self.unchanged(org, execution)
        self.assertIn("the map is full", self.daemon.log_tail())
        # Room comes with a larger setting and a restart.
        self.daemon.config = "[store]\nmap_size_bytes = 64MiB\n"
        self.daemon.restart()
        self.goes_on(org, worker, execution, calls)


if __name__ == "__main__":
    main()
