"""Damage of the store under the real daemon: flipped bits, pages of zeros, a file that was cut off. The daemon
ends with 70, at the start or when the walk over its pages has come to the damage, and says that the backup is to
be restored; or what was damaged meant nothing, and every answer is what it was. It never hangs."""

import http.client
import json
import os
import random
import shutil
import subprocess
import tempfile

from outdial_daemon import Daemon, Story, main, program_path, wait_until

PAGE = 4096
PATIENCE = 60  # seconds: what takes longer hangs
ROUNDS = int(os.environ.get("OUTDIAL_DAMAGES", "8"))  # of each kind
SEED = int(os.environ.get("OUTDIAL_SEED", "16"))


class Damage(Story):
    @classmethod
    def setUpClass(cls):
        """A store with thousands of rows, and all that can be read of it."""
        super().setUpClass()
        cls.source = cls.make_daemon()
        cls.random = random.Random(SEED)

    @classmethod
    def tearDownClass(cls):
        cls.source.close()
        super().tearDownClass()

    def setUp(self):
        self.daemon = self.source  # whose log a failure shows
        self.admin = self.daemon.admin
        if not hasattr(type(self), "bytes"):
            self.fill()

    def fill(self):
        org = self.org(timezone="Africa/Casablanca")
        worker = self.worker()
        contacts = org.contacts(1500, firstName="Unmistakable")
        program = org.program(audienceId=org.audience(contacts)["id"])
        execution = org.launch(program)
        org.wait_counts(execution, total=1500)
        calls = worker.claim(max=300)
        worker.start_all(calls)
        worker.tell(*[{"callId": call["callId"], "type": "result", "outcome": "answered",
                       "durationSeconds": 2} for call in calls[:200]])
        type(self).paths = [
            "/api/contacts", "/api/audiences", "/api/programs", "/api/flows", "/api/dids",
            "/api/program-executions?status=running",
            f"/api/program-executions/{execution}/contacts",
            f"/api/program-executions/{execution}/calls"]
        type(self).singles = [f"/api/contacts/{each['id']}" for each in contacts[::100]]
        type(self).singles += [f"/api/program-executions/{execution}{tail}"
                               for tail in ("", "/report")]
        type(self).key = org.key
        type(self).sound = self.everything(self.source)
        self.source.stop()
        with open(os.path.join(self.source.data, "data.mdb"), "rb") as file:
            type(self).bytes = file.read()
        self.source.start()

    def everything(self, daemon):
        api = daemon.client(self.key)
        answers = [api.pages(path) for path in self.paths]
        answers += [api.read(path) for path in self.singles]
        return json.dumps(answers, sort_keys=True)

    def folder(self, content):
        folder = tempfile.mkdtemp(prefix="outdial-damage-")
        self.addCleanup(shutil.rmtree, folder, True)
        with open(os.path.join(folder, "data.mdb"), "wb") as file:
            file.write(content)
        shutil.copy(os.path.join(self.source.data, "admin.key"), folder)
        return folder

    def outcome(self, content, what):
        """"refused", or "sound" where nothing that counts was hit."""
        daemon = Daemon()
        shutil.rmtree(daemon.data)
        daemon.data = self.folder(content)
        try:
            daemon.start(patience=PATIENCE)
            everything = self.everything(daemon)
            daemon.stop()
        except (AssertionError, OSError, http.client.HTTPException) as error:
            self.assertEqual(self.end_of(daemon, error), 70, what)
            self.assert_says_damaged(daemon, what)
            return "refused"
        else:
            self.assertEqual(everything, self.sound, what)
            return "sound"
        finally:
            shutil.rmtree(daemon.folder, ignore_errors=True)

    @staticmethod
    def end_of(daemon, error):
        """The status that it ended with, where it did not start or went away."""
        if daemon.process is None:
            return 70 if "ended with 70" in str(error) else str(error)
        status = wait_until(daemon.process.poll, "it ends", PATIENCE)
        daemon.process = None
        return status

    def assert_says_damaged(self, daemon, what):
        tail = daemon.log_tail()
        self.assertIn("restore", tail, what)
        self.assertIn(daemon.data, tail, what)
        self.assertRegex(tail, "cannot start|the store is damaged: restore the backup", what)
        check = subprocess.run([program_path("OUTDIALCTL"), "check", "--data-dir", daemon.data],
                               capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(check.returncode, 1, what)
        self.assertRegex(check.stdout + check.stderr, "restore", what)

    def test_flipped_bits(self):
        seen = []
        for number in range(ROUNDS):
            content = bytearray(self.bytes)
            page = self.random.randrange(len(content) // PAGE)
            at = page * PAGE + self.random.randrange(PAGE if number % 2 else 64)
            content[at] ^= 1 << self.random.randrange(8)
            seen.append(self.outcome(content, f"byte {at % PAGE} of page {page}"))
        self.assertGreater(seen.count("refused"), ROUNDS // 5)

    def test_pages_of_zeros(self):
        seen = []
        for _ in range(ROUNDS):
            content = bytearray(self.bytes)
            page = self.random.randrange(len(content) // PAGE)
            content[page * PAGE:(page + 1) * PAGE] = bytes(PAGE)
            seen.append(self.outcome(content, f"page {page}"))
        self.assertGreater(seen.count("refused"), ROUNDS // 2)

    def test_files_that_were_cut_off(self):
        for _ in range(ROUNDS):
            size = self.random.randrange(1, len(self.bytes) - 1)
            self.assertIn(self.outcome(self.bytes[:size], f"cut at {size}"), ("refused", "sound"))
        self.assertEqual(self.outcome(self.bytes[:len(self.bytes) // 2], "half"), "refused")

    def test_a_file_that_is_cut_off_under_a_running_daemon(self):
        daemon = Daemon()
        shutil.rmtree(daemon.data)
        daemon.data = self.folder(self.bytes)
        daemon.start()
        api = daemon.client(self.key)
        self.assertEqual(len(api.pages("/api/contacts")), 1500)
        os.truncate(os.path.join(daemon.data, "data.mdb"), 8 * PAGE)
        answered = 0
        try:
            for path in self.singles:
                answered += api.get(path).status == 200
        except OSError:
            pass
        self.assertLess(answered, len(self.singles))
        self.assertEqual(wait_until(daemon.process.poll, "it ends", PATIENCE), 70)
        self.assertIn("the store is damaged: restore the backup", daemon.log_tail())
        self.assertIn("SIGBUS", daemon.log_tail())
        self.assertIn(daemon.data, daemon.log_tail())
        daemon.process = None
        shutil.rmtree(daemon.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
