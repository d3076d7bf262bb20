"""The example worker (docs/examples/worker.py) against the daemon, in real time: it does a campaign to its
end, and no crash of it makes a phone ring twice."""

import os
import signal
import subprocess
import sys
import tempfile

from outdial_daemon import Story, main, wait_until

SUPPORT = os.path.dirname(os.path.abspath(sys.modules[Story.__module__].__file__))
WORKER = os.path.join(os.path.dirname(os.path.dirname(SUPPORT)), "docs", "examples", "worker.py")


class ExampleWorker(Story):
    test_clock = None
    config = "[calls]\nlease_seconds = 2\ncall_timeout_seconds = 30\n"

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="outdial-worker-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.ledger = os.path.join(self.folder, "ledger")
        self.process = None
        self.addCleanup(self.kill)
        self.one = self.org()

    def start_worker(self, *arguments):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, WORKER, "--url", f"http://127.0.0.1:{self.daemon.port}",
                 "--key", self.daemon.worker_key(), "--ledger", self.ledger,
                 "--journal", os.path.join(self.folder, "journal"), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": SUPPORT})

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self):
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0, self.worker_log())

    def worker_log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
            return log.read()[-3000:]

    def dialled(self):
        try:
            with open(self.ledger, encoding="ascii") as ledger:
                return ledger.read().split()
        except FileNotFoundError:
            return []

    def check_dials(self, execution):
        """Every call was dialled once, or ended without a dial and says so."""
        dialled = self.dialled()
        self.assertEqual(len(dialled), len(set(dialled)), "a call was dialled twice")
        calls = {call["callId"]: call for call in self.one.calls(execution)}
        self.assertLessEqual(set(dialled), set(calls))
        return calls

    def test_a_campaign(self):
        execution = self.one.launch(60)
        self.start_worker()
        done = self.one.wait_status(execution, "completed")
        self.assertEqual(done["contactsCompleted"] + done["contactsFailed"], 60)
        self.terminate()
        self.assertEqual(set(self.check_dials(execution)), set(self.dialled()))

    def test_killed_during_calls(self):
        execution = self.one.launch(30)
        for dials in (5, 15):
            self.start_worker("--dial", "faulty_worker:slow", "--max", "5")
            wait_until(lambda: len(self.dialled()) >= dials, "dials")
            self.kill()
        cut = set(self.dialled())
        self.start_worker()
        self.one.wait_status(execution, "completed")
        self.terminate()
        calls = self.check_dials(execution)
        self.assertEqual(len(calls), 30)
        restarted = [call for call in calls.values()
                     if call["detail"] == "worker restarted during the call"]
        self.assertGreaterEqual(len(restarted), 2)
        for call in restarted:
            self.assertEqual(call["outcome"], "error")
            self.assertIn(call["callId"], cut)

    def test_the_daemon_is_killed_meanwhile(self):
        execution = self.one.launch(self.one.program(60, pacing={"callsPerSecond": 40}))
        port = self.daemon.port
        self.start_worker()
        for dials in (5, 20):
            wait_until(lambda: len(self.dialled()) >= dials, "dials")
            self.daemon.kill9()
            self.daemon.start(port=port)  # where the worker looks for it
        done = self.one.wait_status(execution, "completed")
        self.assertEqual(done["totalContacts"], 60)
        self.terminate()
        self.check_dials(execution)

    def test_sigterm_gives_calls_back(self):
        execution = self.one.launch(40)
        self.start_worker("--dial", "faulty_worker:slow", "--max", "5")
        wait_until(lambda: len(self.dialled()) >= 5, "dials")
        self.terminate()
        under_way = [call for call in self.one.calls(execution) if call["outcome"] is None
                     and call["status"] == "started"]
        self.assertEqual(under_way, [])
        first = len(self.dialled())
        self.assertLess(first, 40)
        self.start_worker()
        self.one.wait_status(execution, "completed")
        self.terminate()
        self.assertEqual(set(self.check_dials(execution)), set(self.dialled()))


if __name__ == "__main__":
    main()
