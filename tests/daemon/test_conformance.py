"""The conformance test of workers (docs/examples/conformance.py): the example worker passes, and for each
scenario there is a faulty worker that it finds."""

import concurrent.futures
import os
import subprocess
import sys
import unittest

import faulty_worker

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(SOURCE, "docs", "examples")
ARGUMENTS = ["--url", "{url}", "--key", "{key}", "--journal", "{journal}", "--ledger", "{ledger}"]


def conformance(*arguments, command=()):
    return subprocess.run(
        [sys.executable, os.path.join(EXAMPLES, "conformance.py"), *arguments, "--", *command],
        capture_output=True, text=True, timeout=250, check=False)


class Conformance(unittest.TestCase):
    def test_the_example_worker_passes(self):
        done = conformance("--jobs", "6", command=[
            sys.executable, os.path.join(EXAMPLES, "worker.py"), *ARGUMENTS])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("FAILED", done.stdout)

    def test_each_faulty_worker_is_found(self):
        def check(item):
            name, (_, scenario) = item
            return name, scenario, conformance(
                "--only", scenario, "--patience", "6", command=[
                    sys.executable, faulty_worker.__file__, name, *ARGUMENTS])

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for name, scenario, done in pool.map(check, faulty_worker.FAULTS.items()):
                with self.subTest(name, scenario=scenario):
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                    self.assertIn("FAILED", done.stdout)

    def test_each_scenario_can_fail(self):
        listed = conformance("--list").stdout.splitlines()
        self.assertGreaterEqual(len(listed), 20)
        for text in listed:
            self.assertTrue([name for name, (_, scenario) in faulty_worker.FAULTS.items()
                             if scenario in text], text)

    def test_a_wrong_command_line(self):
        self.assertEqual(conformance().returncode, 2)
        self.assertEqual(conformance("--only", "nothing of that name", command=["true"]).returncode,
                         2)

    def test_a_worker_that_ends_at_once(self):
        done = conformance("--only", "refused: does not dial", command=["false"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("ended by itself", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
