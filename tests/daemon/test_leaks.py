"""That a leak in any of the programs fails its test: the build with the address sanitizer searches them
as they end (tests/sanitizer/leak_roots.c)."""

import os
import shutil
import subprocess
import unittest

import shims
from outdial_daemon import Daemon, main, program_path

FOUND = r"LeakSanitizer: detected memory leaks[\s\S]*4242 byte\(s\) leaked in 1 allocation"
TOOLS = ("OUTDIALCTL", "OUTDIAL_REPLAY", "OUTDIAL_TRACE")


@unittest.skipUnless("detect_leaks=1" in os.environ.get("ASAN_OPTIONS", ""), "leaks are not searched for")
class Leaks(unittest.TestCase):
    def setUp(self):
        self.leaking = shims.preload("leaking")

    def test_in_the_daemon(self):
        daemon = Daemon(environment=self.leaking)
        self.addCleanup(shutil.rmtree, daemon.folder)
        daemon.start()
        with self.assertRaisesRegex(AssertionError, rf"exit 1 after SIGTERM[\s\S]*{FOUND}"):
            daemon.stop()

    def test_in_each_tool(self):
        for name in TOOLS:
            for environment, status, said in (({}, 0, r"\A\Z"), (self.leaking, 1, FOUND)):
                with self.subTest(name, status=status):
                    done = subprocess.run(
                        [program_path(name), "--version"], capture_output=True, text=True, check=False,
                        timeout=60, env={**os.environ, **environment})
                    self.assertEqual(done.returncode, status, done.stderr)
                    self.assertRegex(done.stderr, said)


if __name__ == "__main__":
    main()
