"""product.md, promise 8: one tenant cannot slow down another. Shares are counted by the order in which
calls are given out, not by time."""

from outdial_daemon import Story, main, started, result

CAPACITY = 10  # of the gateway
CONFIG = f"""[calls]
default_gateway = worker
[gateway worker]
max_calls = {CAPACITY}
max_offered = {CAPACITY}
[gateway simulator]
"""


class Case(Story):
    config = CONFIG

    def dial(self, until, batch=3):
        """Claims and answers calls until until(owners) is true. Returns whose call came, in order."""
        worker = self.worker()
        owners = []
        while not until(owners):
            calls = worker.claim(max=batch, wait_ms=5000)
            self.assertTrue(calls, f"no call came after {len(owners)}")
            for call in calls:
                owners.append(call["organizationId"])
            statuses = {answer["status"] for answer in worker.tell(
                *[event for call in calls for event in (started(call), result(call))])}
            self.assertEqual(statuses, {"accepted"})
        return owners

    def until_all(self, org, count):
        return lambda owners: owners.count(org.id) >= count


class Fairness(Case):
    def test_a_small_organisation_is_done_within_about_twice_its_share(self):
        big, small = self.org(), self.org()
        execution = big.launch(2000)
        big.wait_counts(execution, total=2000)
        self.dial(lambda owners: len(owners) >= 100)
        small.launch(50)
        owners = self.dial(self.until_all(small, 50))
        # Its share is a half, so 100 calls would do; what had been handed out before comes first.
        self.assertLessEqual(len(owners), 2 * 100 + CAPACITY)
        self.assertEqual(big.execution(execution)["status"], "running")

    def test_it_is_close_to_its_share_in_fact(self):
        big, small = self.org(), self.org()
        big.launch(1000)
        small.launch(100)
        owners = self.dial(self.until_all(small, 100))
        self.assertLessEqual(len(owners), 1.3 * 200 + CAPACITY)

    def test_many_executions_do_not_give_an_organisation_more(self):
        many, single = self.org(), self.org()
        for _ in range(8):
            many.launch(100)
        execution = single.launch(60)
        single.wait_counts(execution, total=60)
        owners = self.dial(self.until_all(single, 60))
        self.assertLessEqual(len(owners), 1.5 * 120 + CAPACITY)

    def test_executions_of_one_organisation_share_too(self):
        org = self.org()
        first = org.launch(500)
        org.wait_counts(first, total=500)
        second = org.launch(40)
        org.wait_counts(second, total=40)
        self.dial(lambda owners: org.execution(second)["status"] == "completed")
        done = org.execution(first)["contactsCompleted"]
        self.assertLessEqual(done, 1.5 * 40 + 2 * CAPACITY)

    def test_alone_it_gets_everything(self):
        org = self.org()
        execution = org.launch(100)
        self.dial(self.until_all(org, 100))
        org.wait_status(execution, "completed")

    def test_the_capacity_of_the_gateway_holds(self):
        org = self.org()
        execution = org.launch(50)
        worker = self.worker()
        calls = worker.claim_exactly(CAPACITY)
        org.wait_counts(execution, total=50, inProgress=CAPACITY, pending=50 - CAPACITY)
        worker.finish(calls[0])
        worker.claim_one()

    def test_a_paused_or_capped_organisation_leaves_its_share_to_others(self):
        capped, free = self.org(maxConcurrentCalls=1), self.org()
        capped.launch(100)
        execution = free.launch(200)
        free.wait_counts(execution, total=200)
        owners = self.dial(self.until_all(free, 200), batch=CAPACITY)
        self.assertLessEqual(owners.count(capped.id), 200)
        free.wait_status(execution, "completed")


if __name__ == "__main__":
    main()
