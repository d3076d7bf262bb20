"""api.md, 429 RateLimitedError: limits of each API key, where they are configured."""

import http.client
import threading

from outdial_daemon import PATIENCE, Story, main, wait_until

RATE = """[limits]
requests_per_minute = 1
requests_burst = 5
"""
FLIGHT = """[limits]
requests_in_flight = 2
"""
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def limits(response):
    return tuple(int(response.headers[name]) for name in HEADERS)


class Rate(Story):
    config = RATE

    def setUp(self):
        super().setUp()
        # Each is one of the admin key's five requests.
        self.organisation = self.admin.create("/api/organizations", {"name": "x"})["id"]
        path = f"/api/organizations/{self.organisation}/api-keys"
        self.one, self.other = (
            self.daemon.client(self.admin.create(path, {"name": "x", "role": "org"})["key"])
            for _ in range(2))

    def limited(self, response):
        self.fails(response, 429, "RateLimitedError")
        self.assertIn(int(response.headers["Retry-After"]), range(1, 61))
        self.assertEqual(limits(response)[:2], (5, 0))
        self.assertIn(limits(response)[2], range(240, 301))

    def test_what_is_over_the_burst_is_refused(self):
        for left in (4, 3, 2, 1, 0):
            response = self.one.get("/api/contacts")
            self.assertEqual(response.status, 200)
            self.assertIsNone(response.headers["Retry-After"])
            limit, remaining, reset = limits(response)
            self.assertEqual((limit, remaining), (5, left))
            self.assertIn(reset, range((4 - left) * 60, (5 - left) * 60 + 1))
        for _ in range(3):
            self.limited(self.one.get("/api/contacts"))
        self.limited(self.one.post("/api/contacts", {"primaryPhone": "+212600000001"}))
        # Other keys have limits of their own, and nothing was done.
        response = self.other.get("/api/contacts")
        self.assertEqual((response.status, response.json["data"]), (200, []))
        self.assertEqual(limits(response)[:2], (5, 4))

    def test_every_answer_to_a_key_counts_and_says_so(self):
        for path, status in (("/api/contacts?limit=0", 400), ("/api/organizations", 403),
                             ("/api/programs/x", 404)):
            response = self.one.get(path)
            self.assertEqual((response.status, len(limits(response))), (status, 3))
        self.assertEqual(limits(self.one.get("/api/contacts"))[1], 1)

    def test_what_needs_no_key_has_no_limit(self):
        for _ in range(10):
            self.assertEqual(self.one.get("/healthz").status, 200)
            self.assertEqual(self.one.get("/readyz").status, 200)
            response = self.one.get("/metrics")
            self.assertEqual((response.status, response.headers["RateLimit-Limit"]), (200, None))
            response = self.daemon.client("nonsense").get("/api/contacts")
            self.assertEqual((response.status, response.headers["RateLimit-Limit"]), (401, None))
        self.assertEqual(limits(self.one.get("/api/contacts"))[1], 4)

    def test_a_refused_request_does_not_use_up_its_idempotency_key(self):
        for _ in range(5):
            self.one.get("/api/contacts")
        body, header = {"name": "x"}, {"Idempotency-Key": "a"}
        self.limited(self.one.post("/api/audiences", body, headers=header))
        # The organisation's other key may use it.
        made = self.other.post("/api/audiences", body, headers=header)
        self.assertEqual((made.status, made.headers["Idempotent-Replayed"]), (201, None))
        again = self.other.post("/api/audiences", body, headers=header)
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(limits(again)[1], 3)  # a replay has limits of its own


class InFlight(Story):
    config = FLIGHT

    def test_only_so_many_wait_at_a_time(self):
        worker = self.daemon.client(self.daemon.worker_key())
        claim = {"max": 1, "waitMs": 30000, "gateway": "worker"}
        answers = []

        def wait_for_a_call():
            """Asked again when it is refused, for the test's own requests take room, too."""
            client = worker.clone()
            answers.append(wait_until(
                lambda: (lambda answer: answer if answer.status != 429 else None)(
                    client.post("/api/calls/claim", claim)), "room for a claim"))

        threads = [threading.Thread(target=wait_for_a_call) for _ in range(2)]
        for thread in threads:
            thread.start()
        refused = wait_until(
            lambda: (lambda answer: answer if answer.status == 429 else None)(
                worker.post("/api/calls/claim", {"max": 1, "waitMs": 0, "gateway": "worker"})),
            "two claims that wait")
        self.fails(refused, 429, "RateLimitedError")
        self.assertEqual(refused.headers["Retry-After"], "1")
        self.assertIsNone(refused.headers["RateLimit-Limit"])
        one = self.org()  # other keys go on
        one.launch(one.program(contacts=2, gateway="worker"))
        for thread in threads:
            thread.join()
        self.assertEqual([answer.status for answer in answers], [200, 200])
        # Both are over: there is room again.
        self.assertEqual(worker.post("/api/calls/claim", {"max": 1, "gateway": "worker"}).status,
                         200)

    def test_an_open_stream_of_events_takes_no_room(self):
        one = self.org()
        streams = []
        for _ in range(4):
            stream = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=PATIENCE)
            self.addCleanup(stream.close)
            stream.request("GET", "/api/events", headers={"Authorization": f"Bearer {one.key}"})
            streams.append(stream.getresponse())
        self.assertEqual([stream.status for stream in streams], [200] * 4)
        self.assertEqual(one.api.get("/api/contacts").status, 200)


class Off(Story):
    def test_by_default_there_is_none(self):
        for _ in range(300):
            response = self.admin.get("/api/organizations")
            self.assertEqual(response.status, 200)
        self.assertIsNone(response.headers["RateLimit-Limit"])


if __name__ == "__main__":
    main()
