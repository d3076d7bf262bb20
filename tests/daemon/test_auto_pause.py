"""Auto-pause rules, from the program to the resume (docs/api.md, "Auto-pause rules")."""

import threading

from outdial_daemon import Story, main, node_executed, result, started

HOUR = 3600


def rule(node, threshold, reset=False):
    return {"nodeId": node, "threshold": threshold, "resetOnResume": reset}


class Rules(Story):
    """What may be said of rules."""

    share_daemon = True

    def test_a_program_keeps_and_shows_its_rules_in_order(self):
        org = self.org()
        made = org.program(autoPauseRules=[
            rule("menu", 3, True), {"nodeId": "bye", "threshold": 9007199254740991}])
        self.assertEqual(made["autoPauseRules"],
                         [rule("menu", 3, True), rule("bye", 9007199254740991)])
        self.assertEqual(org.api.read(f"/api/programs/{made['id']}")["autoPauseRules"],
                         made["autoPauseRules"])
        self.assertEqual(org.program()["autoPauseRules"], [])
        self.assertEqual(org.program(autoPauseRules=None)["autoPauseRules"], [])
        self.assertEqual(org.program(autoPauseRules=[])["autoPauseRules"], [])

    def test_patch_replaces_keeps_and_clears_them(self):
        org = self.org()
        path = f"/api/programs/{org.program(autoPauseRules=[rule('menu', 3)])['id']}"
        self.assertEqual(org.api.change(path, {"name": "other"})["autoPauseRules"], [rule("menu", 3)])
        changed = org.api.change(path, {"autoPauseRules": [rule("bye", 1), rule("menu", 4)]})
        self.assertEqual(changed["autoPauseRules"], [rule("bye", 1), rule("menu", 4)])
        self.assertEqual(org.api.change(path, {"autoPauseRules": None})["autoPauseRules"], [])
        self.assertEqual(org.api.read(path)["autoPauseRules"], [])

    def test_every_fault_is_named(self):
        org = self.org()
        body = org.program_body()
        for bad, *paths in (
                ({}, "autoPauseRules"), ("menu", "autoPauseRules"),
                ([rule("n%d" % n, 1) for n in range(101)], "autoPauseRules"),
                ([3, rule("menu", 1)], "autoPauseRules[0]"),
                ([{}], "autoPauseRules[0].nodeId", "autoPauseRules[0].threshold"),
                ([rule("a", 1), rule("b", 1), rule("a", 2)], "autoPauseRules[2].nodeId"),
                ([rule("", 0), rule("x" * 256, 1.5), rule(7, -1)],
                 "autoPauseRules[0].nodeId", "autoPauseRules[0].threshold",
                 "autoPauseRules[1].nodeId", "autoPauseRules[1].threshold",
                 "autoPauseRules[2].nodeId", "autoPauseRules[2].threshold"),
                ([rule("a", 2 ** 53)], "autoPauseRules[0].threshold"),
                ([{**rule("a", 1, "yes"), "color": 1}],
                 "autoPauseRules[0].resetOnResume", "autoPauseRules[0].color")):
            answer = self.invalid(
                org.api.post("/api/programs", {**body, "autoPauseRules": bad}), *paths)
            self.assertEqual(len(answer["details"]), len(paths), answer)
        self.assertEqual(len(org.program(
            autoPauseRules=[rule("n%d" % n, 1) for n in range(100)])["autoPauseRules"]), 100)

    def test_where_the_flow_has_nodes_a_rule_is_about_one_of_them(self):
        org = self.org()
        flow = org.flow(nodes=[{"id": "menu", "type": "menu"}, {"id": "bye", "type": "end"}])["id"]
        other = org.flow(nodes=[{"id": "bye", "type": "end"}])["id"]
        body = org.program_body(flowId=flow)
        self.invalid(org.api.post("/api/programs", {
            **body, "autoPauseRules": [rule("menu", 1), rule("men", 1), rule("", 1)]}),
            "autoPauseRules[1].nodeId", "autoPauseRules[2].nodeId")
        made = org.api.create("/api/programs", {**body, "autoPauseRules": [rule("menu", 1)]})
        path = f"/api/programs/{made['id']}"
        self.invalid(org.api.patch(path, {"autoPauseRules": [rule("bye", 1), rule("hi", 1)]}),
                     "autoPauseRules[1].nodeId")
        self.invalid(org.api.patch(path, {"flowId": other}), "flowId")
        self.invalid(org.api.patch(path, {"flowId": other, "autoPauseRules": [rule("menu", 1)]}),
                     "autoPauseRules[0].nodeId")
        changed = org.api.change(path, {"flowId": other, "autoPauseRules": [rule("bye", 1)]})
        self.assertEqual(changed["autoPauseRules"], [rule("bye", 1)])
        without_nodes = org.flow()["id"]
        org.api.change(path, {"flowId": without_nodes, "autoPauseRules": [rule("anything", 1)]})

    def test_a_flow_or_a_program_that_is_not_there_is_still_its_404(self):
        org, other = self.org(), self.org()
        foreign = other.program()
        self.fails(org.api.post("/api/programs", org.program_body(
            flowId=foreign["flowId"], autoPauseRules=[rule("menu", 1)])), 404, "FlowNotFoundError")
        self.fails(org.api.patch(f"/api/programs/{foreign['id']}", {
            "autoPauseRules": [rule("menu", 1)]}), 404, "ProgramNotFoundError")

    def test_the_body_of_a_resume(self):
        org = self.org()
        flow = org.flow(nodes=[{"id": "menu", "type": "menu"}])["id"]
        execution = org.launch(org.program(
            flowId=flow, autoPauseRules=[rule("menu", 3)], pauseWindows={}))
        path = f"/api/program-executions/{execution}/resume"
        self.fails(org.api.patch(path, {}), 400, "InvalidExecutionStateError")
        org.pause(execution)
        self.invalid(org.api.patch(path, {"rules": []}), "rules")
        self.invalid(org.api.patch(path, {"autoPauseRules": [rule("bye", 1), rule("menu", 0)]}),
                     "autoPauseRules[0].nodeId", "autoPauseRules[1].threshold")
        self.invalid(org.api.patch(path, {"autoPauseRules": 1, "x": 2}), "autoPauseRules", "x")
        self.assertEqual(org.execution(execution)["status"], "paused")
        self.assertEqual(org.execution(execution)["autoPauseRules"], [rule("menu", 3)])
        for body, rules in (({}, [rule("menu", 3)]),
                            ({"autoPauseRules": [rule("menu", 9, True)]}, [rule("menu", 9, True)]),
                            ({"autoPauseRules": []}, []),
                            ({"autoPauseRules": [rule("menu", 4)]}, [rule("menu", 4)]),
                            ({"autoPauseRules": None}, [])):
            resumed = org.api.change(path, body)
            self.assertEqual((resumed["status"], resumed["autoPauseRules"]), ("running", rules))
            self.assertEqual(resumed["nodeCounters"], {r["nodeId"]: 0 for r in rules})
            self.assertEqual(org.execution(execution)["autoPauseRules"], rules)
            org.pause(execution)
        org.cancel(execution)

    def test_another_organisation_may_not_resume_with_rules(self):
        org, other = self.org(), self.org()
        execution = org.launch(1)
        org.pause(execution)
        self.fails(other.api.patch(f"/api/program-executions/{execution}/resume", {
            "autoPauseRules": [rule("x", 0)]}), 404, "ExecutionNotFoundError")
        self.assertEqual(org.execution(execution)["status"], "paused")
        org.cancel(execution)


class AutoPause(Story):
    """A campaign whose calls report nodes."""

    def campaign(self, contacts, *rules, **fields):
        """An execution, and its calls, started."""
        self.org_ = self.org()
        program = self.org_.program(contacts, autoPauseRules=list(rules), **fields)
        self.id_ = self.org_.launch(program)
        self.worker_ = self.worker()
        calls = self.worker_.claim_exactly(contacts)
        self.worker_.start_all(calls)
        self.seq = {call["callId"]: 0 for call in calls}
        return calls

    def node(self, call, node, count=1):
        for _ in range(count):
            self.seq[call["callId"]] += 1
            answer = self.worker_.tell(node_executed(call, node, self.seq[call["callId"]]))[0]
            self.assertEqual(answer["status"], "accepted")

    def see(self, status=None, **counters):
        seen = self.org_.execution(self.id_)
        if status is not None:
            self.assertEqual(seen["status"], status)
        self.assertEqual(seen["nodeCounters"], counters)
        return seen

    def resume(self, body=None):
        path = f"/api/program-executions/{self.id_}/resume"
        return self.org_.api.change(path, body) if body is not None else self.org_.resume(self.id_)

    def test_the_threshold_pauses_once_and_names_node_and_count(self):
        first, second = self.campaign(2, rule("menu", 3), rule("bye", 100))
        self.see("running", menu=0, bye=0)
        self.node(first, "menu", 2)
        self.node(first, "other")
        self.node(second, "bye")
        self.see("running", menu=2, bye=1)
        self.node(second, "menu")  # of whatever call
        seen = self.see("paused_threshold", menu=3, bye=1)
        self.assertEqual(seen["statusReason"], "node_threshold: menu reached 3")
        self.node(first, "menu", 2)  # calls under way go on and keep counting
        self.assertEqual(self.see("paused_threshold", menu=5, bye=1)["statusReason"],
                         "node_threshold: menu reached 3")
        self.assertEqual(self.worker_.result(first)["status"], "accepted")
        seen = self.resume()
        self.assertEqual((seen["status"], seen["statusReason"]), ("running", None))
        self.node(second, "menu", 3)  # it has come to the threshold: it does not fire again
        self.see("running", menu=8, bye=1)

    def test_a_paused_execution_takes_no_contact_and_resume_goes_on(self):
        calls = self.campaign(1, rule("menu", 1), pacing={"maxConcurrentCalls": 1},
                              audienceId=self.more(3))
        self.node(calls[0], "menu")
        self.worker_.result(calls[0])
        self.see("paused_threshold", menu=1)
        self.daemon.advance(HOUR)
        self.worker_.claim_none()
        self.fails(self.org_.api.patch(f"/api/program-executions/{self.id_}/pause"),
                   400, "InvalidExecutionStateError")
        self.resume()
        self.worker_.claim_exactly(1)

    def more(self, contacts, **fields):
        """An audience for an organisation that campaign() is about to use."""
        org = Story.org(self, **fields)
        self.org = lambda: org
        return org.audience(contacts)["id"]

    def test_duplicates_are_counted_once(self):
        call, = self.campaign(1, rule("menu", 2))
        event = node_executed(call, "menu", 5)
        statuses = [a["status"] for a in self.worker_.tell(
            event, event, node_executed(call, "menu", 4), node_executed(call, "menu", 5))]
        self.assertEqual(statuses, ["accepted", "duplicate", "duplicate", "duplicate"])
        self.see("running", menu=1)
        self.assertEqual(self.worker_.tell(node_executed(call, "menu", 6))[0]["status"], "accepted")
        self.see("paused_threshold", menu=2)

    def test_events_of_a_call_that_has_ended_are_not_counted(self):
        first, second = self.campaign(2, rule("menu", 2))
        self.node(first, "menu")
        self.worker_.result(first)
        self.assertEqual(self.worker_.tell(node_executed(first, "menu", 9))[0]["status"], "stale")
        self.see("running", menu=1)
        self.node(second, "menu")
        self.see("paused_threshold", menu=2)

    def test_one_request_counts_exactly(self):
        calls = self.campaign(20, rule("menu", 100), rule("bye", 1000))
        events = [node_executed(call, "menu" if seq % 2 else "bye", seq)
                  for seq in range(1, 21) for call in calls]
        self.assertEqual({a["status"] for a in self.worker_.tell(*events)}, {"accepted"})
        seen = self.see("paused_threshold", menu=200, bye=200)
        self.assertEqual(seen["statusReason"], "node_threshold: menu reached 100")

    def test_reset_on_resume(self):
        call, = self.campaign(1, rule("menu", 2, True), rule("bye", 5))
        self.node(call, "bye", 3)
        self.node(call, "menu", 3)
        self.see("paused_threshold", menu=3, bye=3)
        self.assertEqual(self.resume()["nodeCounters"], {"menu": 0, "bye": 3})
        self.see("running", menu=0, bye=3)
        self.node(call, "menu", 2)  # it fires again after a reset
        self.see("paused_threshold", menu=2, bye=3)
        self.resume()
        self.node(call, "bye", 2)
        self.see("paused_threshold", menu=0, bye=5)

    def test_only_a_resume_from_the_threshold_resets(self):
        call, = self.campaign(1, rule("menu", 3, True))
        self.node(call, "menu", 2)
        self.org_.pause(self.id_)
        self.resume()
        self.see("running", menu=2)
        self.org_.pause(self.id_)
        self.resume({"autoPauseRules": [rule("menu", 9, True)]})
        self.see("running", menu=2)

    def test_rules_are_replaced_before_the_reset(self):
        call, = self.campaign(1, rule("menu", 2), rule("bye", 9, True), rule("gone", 9))
        self.node(call, "bye", 4)
        self.node(call, "gone")
        self.node(call, "menu", 2)
        self.see("paused_threshold", menu=2, bye=4, gone=1)
        seen = self.resume({"autoPauseRules": [rule("new", 1), rule("bye", 9), rule("menu", 5, True)]})
        self.assertEqual(seen["nodeCounters"], {"new": 0, "bye": 4, "menu": 0})
        self.see("running", new=0, bye=4, menu=0)
        self.node(call, "gone")  # no rule any more
        self.node(call, "new")
        self.assertEqual(self.see("paused_threshold", new=1, bye=4, menu=0)["statusReason"],
                         "node_threshold: new reached 1")

    def test_a_raised_threshold_fires_again(self):
        call, = self.campaign(1, rule("menu", 2))
        self.node(call, "menu", 2)
        self.resume({"autoPauseRules": [rule("menu", 4)]})
        self.see("running", menu=2)
        self.node(call, "menu")
        self.see("running", menu=3)
        self.node(call, "menu")
        self.assertEqual(self.see("paused_threshold", menu=4)["statusReason"],
                         "node_threshold: menu reached 4")
        self.resume({"autoPauseRules": [rule("menu", 3)]})  # lower: it is beyond it already
        self.node(call, "menu")
        self.see("running", menu=5)

    def test_a_rule_fires_from_paused_too(self):
        call, = self.campaign(1, rule("menu", 1), rule("bye", 1))
        self.org_.pause(self.id_)
        self.node(call, "menu")
        self.see("paused_threshold", menu=1, bye=0)
        self.node(call, "bye")  # the reason is of the rule that fired last
        self.assertEqual(self.see("paused_threshold", menu=1, bye=1)["statusReason"],
                         "node_threshold: bye reached 1")

    def test_counters_go_when_the_execution_ends(self):
        for end in ("completed", "cancelled", "stopped"):
            with self.subTest(end):
                fields = {"stopAt": self.later()} if end == "stopped" else {}
                first, second = self.campaign(2, rule("menu", 5), **fields)
                self.node(first, "menu", 2)
                if end == "completed":
                    self.worker_.tell(result(first), result(second))
                elif end == "cancelled":
                    self.org_.cancel(self.id_)
                else:
                    self.daemon.advance(HOUR * 3 // 4)
                seen = self.see(end)
                self.assertEqual(seen["autoPauseRules"], [rule("menu", 5)])
                if end != "completed":  # calls under way go on, and are counted nowhere
                    self.node(first, "menu", 9)
                    self.worker_.tell(result(first), result(second))
                    self.see(end)

    def later(self):
        return self.daemon.now().replace(":00:00", ":30:00")

    def test_cancel_and_stop_from_the_threshold(self):
        call, = self.campaign(1, rule("menu", 1))
        self.node(call, "menu")
        self.org_.cancel(self.id_)
        self.see("cancelled")
        first, second = self.campaign(2, rule("menu", 1), stopAt=self.later())
        self.node(first, "menu")
        self.see("paused_threshold", menu=1)
        self.daemon.advance(HOUR * 3 // 4)
        self.see("stopped")
        self.worker_.tell(result(first), result(second, "busy"))
        self.org_.wait_counts(self.id_, completed=1, failed=1)

    def test_calls_that_were_queued_before_it_paused_go_on(self):
        org = self.org()
        execution = org.launch(org.program(
            4, autoPauseRules=[rule("menu", 1)], pacing={"maxConcurrentCalls": 3},
            retryStrategy={"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1}))
        worker = self.worker()
        org.wait_counts(execution, inProgress=3, pending=1)
        self.daemon.settle()
        calls = worker.claim(max=2)
        self.assertEqual(worker.started(calls[0])["status"], "accepted")
        self.assertEqual(worker.tell(node_executed(calls[0], "menu", 1))[0]["status"], "accepted")
        self.assertEqual(org.execution(execution)["status"], "paused_threshold")
        calls.append(worker.claim_one())  # was on offer
        for call in calls[1:]:
            self.assertEqual(worker.started(call)["status"], "accepted")
        worker.tell(result(calls[0]), result(calls[1]), result(calls[2], "busy"))
        org.wait_counts(execution, completed=2, pending=2)
        self.assertEqual(org.entry(execution, {"id": calls[2]["contactId"]})["status"],
                         "pending_retry")
        self.daemon.advance(HOUR)
        worker.claim_none()
        org.resume(execution)
        worker.finish_all(worker.claim_exactly(2))
        org.wait_status(execution, "completed")

    def test_workers_that_report_at_once_are_counted_exactly(self):
        calls = self.campaign(12, rule("menu", 150), rule("bye", 1000))
        answers, lock = [], threading.Lock()

        def report(worker, mine):
            for seq in range(1, 26):
                told = worker.tell(*[node_executed(call, "menu", seq) for call in mine])
                with lock:
                    answers.extend(answer["status"] for answer in told)

        threads = [threading.Thread(target=report, args=(self.worker_.clone(), calls[n::4]))
                   for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(answers), set(answers)), (300, {"accepted"}))
        seen = self.see("paused_threshold", menu=300, bye=0)
        self.assertEqual(seen["statusReason"], "node_threshold: menu reached 150")

    def test_a_resume_for_want_of_credits_may_replace_rules(self):
        call, = self.campaign(1, rule("menu", 5, True), audienceId=self.more(3, credits=1))
        self.node(call, "menu", 2)
        self.see("paused_no_credits", menu=2)
        self.admin.create(f"/api/organizations/{self.org_.id}/credits", {"delta": 9}, 200)
        seen = self.resume({"autoPauseRules": [rule("menu", 3, True), rule("bye", 9)]})
        self.assertEqual((seen["status"], seen["nodeCounters"]), ("running", {"menu": 2, "bye": 0}))
        self.assertEqual(seen["autoPauseRules"], [rule("menu", 3, True), rule("bye", 9)])
        self.node(call, "menu")
        self.see("paused_threshold", menu=3, bye=0)

    def test_a_running_execution_keeps_its_snapshot(self):
        call, = self.campaign(1, rule("menu", 2))
        program = self.org_.execution(self.id_)["programId"]
        self.org_.api.change(f"/api/programs/{program}", {"autoPauseRules": [rule("bye", 1)]})
        self.node(call, "bye")
        self.assertEqual(self.see("running", menu=0)["autoPauseRules"], [rule("menu", 2)])

    def test_long_and_odd_names(self):
        long = "é" * 255
        call, = self.campaign(1, rule(long, 2), rule("a \"b\" %s", 9))
        self.node(call, "a \"b\" %s")
        self.node(call, long, 2)
        seen = self.see("paused_threshold", **{long: 2, "a \"b\" %s": 1})
        self.assertEqual(seen["statusReason"], f"node_threshold: {long} reached 2")
        self.daemon.restart(kill=True)
        self.assertEqual(self.see("paused_threshold", **{long: 2, "a \"b\" %s": 1})["statusReason"],
                         f"node_threshold: {long} reached 2")

    def test_a_restart_forgets_nothing(self):
        call, = self.campaign(1, rule("menu", 3, True), rule("bye", 2))
        self.node(call, "menu", 2)
        self.node(call, "bye")
        self.daemon.restart(kill=True)
        self.see("running", menu=2, bye=1)
        self.node(call, "menu")
        self.see("paused_threshold", menu=3, bye=1)
        self.daemon.restart(kill=True)
        self.see("paused_threshold", menu=3, bye=1)
        seen = self.resume({"autoPauseRules": [rule("bye", 4), rule("menu", 2, True)]})
        self.assertEqual(seen["nodeCounters"], {"bye": 1, "menu": 0})
        self.daemon.restart(kill=True)
        seen = self.see("running", bye=1, menu=0)
        self.assertEqual(seen["autoPauseRules"], [rule("bye", 4), rule("menu", 2, True)])
        self.node(call, "bye", 3)
        self.see("paused_threshold", bye=4, menu=0)

    def test_two_executions_count_for_themselves(self):
        call, = self.campaign(1, rule("menu", 2))
        first = self.id_, self.org_
        self.node(call, "menu")
        other, = self.campaign(1, rule("menu", 2))
        self.node(other, "menu")
        self.see("running", menu=1)
        self.id_, self.org_ = first
        self.see("running", menu=1)

    def test_the_list_shows_counters(self):
        call, = self.campaign(1, rule("menu", 2))
        self.node(call, "menu", 2)
        listed = self.org_.api.pages("/api/program-executions?status=paused_threshold")
        self.assertEqual([(row["id"], row["nodeCounters"]) for row in listed],
                         [(self.id_, {"menu": 2})])
        self.worker_.tell(started(call))


if __name__ == "__main__":
    main()
