"""Loss of power: a load runs, each write to data.mdb, each sync and each response is recorded, and
thousands of images of what the disk may hold then are made and opened (power_images.c). Each is sound, and
holds all that had been acknowledged.

$OUTDIAL_IMAGES (default 100; CI has 2000 in a release build) and $OUTDIAL_SEED say how many and which. The
second test lets the record forget all syncs, as with a store that does not wait for the disk: the
images must show it.
"""

import itertools
import os
import random
import shutil
import subprocess
import tempfile
import threading
import unittest
import uuid

from outdial_daemon import Organisation, Worker, program_path, result, started
from shim import ShimDaemon

IMAGES = int(os.environ.get("OUTDIAL_IMAGES", "100"))
SEED = int(os.environ.get("OUTDIAL_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = 10  # of each client


class Names:
    """What has been acknowledged, by the id of the request."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ids = itertools.count(1)
        self.lines = []

    def request(self):
        with self.lock:
            return f"request-{next(self.ids)}"

    def add(self, request, kind, *ids):
        with self.lock:
            self.lines += [f"{request} {kind} {each}\n" for each in ids]


def call_numbers(call_id):
    """execution/entry/attempt, as a call's id holds them."""
    number = uuid.UUID(call_id).int
    return f"{number >> 80}/{number & ((1 << 40) - 1)}/{number >> 64 & 0xfff}"


class Client(threading.Thread):
    """Makes contacts and campaigns, dials them, and notes what was answered."""

    def __init__(self, names, org, worker):
        super().__init__()
        self.names, self.org, self.api, self.worker = names, org, org.api.clone(), worker
        self.error = None

    def run(self):
        try:
            for _ in range(ROUNDS):
                self.round()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def post(self, client, path, body, *wanted):
        request = self.names.request()
        response = client.post(path, body, headers={"X-Request-Id": request})
        if response.status not in wanted:
            raise AssertionError(f"{path}: {response.status} {response.json}")
        return request, response.json

    def make(self, kind, path, body):
        request, made = self.post(self.api, path, body, 201)
        self.names.add(request, kind, made["id"])
        return made["id"]

    def round(self):
        phone = self.org.daemon.phone
        contacts = [self.make("contact", "/api/contacts", {"primaryPhone": phone()})
                    for _ in range(3)]
        request, made = self.post(self.api, "/api/contacts/upsert", {
            "data": [{"primaryPhone": phone()} for _ in range(5)]}, 200)
        self.names.add(request, "contact", *[each["id"] for each in made["contacts"]])
        contacts += [each["id"] for each in made["contacts"]]
        audience = self.make("audience", "/api/audiences", {"name": self.name})
        self.post(self.api, f"/api/audiences/{audience}/contacts", {"contactIds": contacts}, 200)
        program = self.make("program", "/api/programs", {
            **self.org.body, "name": self.name, "audienceId": audience})
        request, launched = self.post(self.api, f"/api/programs/{program}/launch", {}, 201)
        self.names.add(request, "execution", launched["executionId"])
        calls = self.worker.claim(max=8, wait_ms=200)
        self.post(self.worker.api, "/api/call-events", {
            "events": [started(call) for call in calls] or [started(FOREIGN)]}, 200)
        request, answer = self.post(self.worker.api, "/api/call-events", {
            "events": [result(call) for call in calls] or [result(FOREIGN)]}, 200)
        self.names.add(request, "call", *[
            call_numbers(each["callId"]) for each in answer["results"]
            if each["status"] == "accepted"])


FOREIGN = {"callId": "00000000-0001-8001-8000-000000000001",
           "claimId": "00000000-0000-4000-8000-000000000001"}


class PowerLoss(unittest.TestCase):
    def setUp(self):
        print(f"seed {SEED}, {IMAGES} images", flush=True)

    def record(self, **settings):
        """Runs the load on a daemon with a shim; the folder with base, trace and names."""
        daemon = ShimDaemon()
        self.addCleanup(daemon.close)
        daemon.start()
        org = Organisation(daemon)
        org.body = {"flowId": org.flow()["id"], "didPool": [org.did()["id"]], "gateway": "worker"}
        worker = Worker(daemon)
        daemon.stop()
        base, trace, names = (os.path.join(daemon.folder, name)
                              for name in ("base", "trace", "names"))
        shutil.copyfile(os.path.join(daemon.data, "data.mdb"), base)
        daemon.use(trace=trace, **settings)
        daemon.start()
        known = Names()
        clients = [Client(known, org, worker.clone()) for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
            if client.error is not None:
                raise client.error
        daemon.stop()
        with open(names, "w", encoding="ascii") as file:
            file.writelines(known.lines)
        return daemon.folder

    def images(self, folder, count):
        # In memory where there is such a place: thousands of files that nobody needs on a disk.
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else folder
        with tempfile.TemporaryDirectory(prefix="outdial-image-", dir=shm) as place:
            done = subprocess.run(
                [program_path("OUTDIAL_POWER_IMAGES"), *(
                    os.path.join(folder, name) for name in ("base", "trace", "names")), place,
                 str(count), str(SEED)], capture_output=True, text=True, timeout=3600, check=False)
        print(done.stdout[-2000:], end="", flush=True)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done

    def test_every_image_is_sound_and_holds_what_was_acknowledged(self):
        done = self.images(self.record(), IMAGES)
        self.assertEqual(done.returncode, 0, f"seed {SEED}\n{done.stdout}{done.stderr}")
        self.assertNotIn(" 0 writes dropped", done.stdout)

    def test_a_store_that_does_not_wait_for_the_disk_is_found_out(self):
        done = self.images(self.record(no_sync="1"), 20)
        self.assertEqual(done.returncode, 1, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
