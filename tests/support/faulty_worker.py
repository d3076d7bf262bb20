#!/usr/bin/env python3
"""The example worker with a fault put in: shows that the conformance test finds each of them.

    faulty_worker.py FAULT [the example worker's arguments]
"""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs",
                                "examples"))
import worker  # noqa: E402  pylint: disable=wrong-import-position


class DialsBeforeAccepted(worker.Worker):
    def handle(self, call):
        if self.journal.dial_once(call["callId"]):
            self.place(call)


class DialsFirstAndAsksLater(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        if event["type"] == "started":
            with open(self.ledger, "ab") as ledger:
                ledger.write(f"{event['callId']}\n".encode())
        return super().tell(event, give_up)


def dials_on(*statuses):
    class DialsOn(worker.Worker):
        def tell(self, event, give_up=lambda: False):
            answer = super().tell(event, give_up)
            if event["type"] == "started" and answer and answer["status"] in statuses:
                return {"status": "accepted", "dialBy": "2999-01-01T00:00:00.000Z"}
            return answer
    return DialsOn


class TakesNoAnswerForAccepted(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        if event["type"] != "started":
            return super().tell(event, give_up)
        try:
            return self.post("/api/call-events", {"events": [event]})["results"][0]
        except worker.NoAnswer:
            return {"status": "accepted", "dialBy": "2999-01-01T00:00:00.000Z"}


class TakesRefusalForAccepted(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        try:
            return super().tell(event, give_up)
        except worker.Refused:
            return {"status": "accepted", "dialBy": "2999-01-01T00:00:00.000Z"}


class GivesUpOnStarted(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        if event["type"] == "started":
            give_up = lambda: True  # noqa: E731
        return super().tell(event, give_up)


class IgnoresDialBy(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        answer = super().tell(event, give_up)
        if answer and "dialBy" in answer:
            answer["dialBy"] = "2999-01-01T00:00:00.000Z"
        return answer


class ReportsResultsOnce(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        if event["type"] == "result":
            give_up = lambda: True  # noqa: E731
        return super().tell(event, give_up)


class ChangesItsResult(worker.Worker):
    def report(self, event):
        self.journal.write("result", event["callId"], event)
        seconds = 0
        while self.tell({**event, "durationSeconds": seconds}, lambda: True) is None:
            seconds += 1
            threading.Event().wait(0.1)
        self.journal.write("over", event["callId"])


class ReportsForEver(worker.Worker):
    def report(self, event):
        super().report(event)
        self.tell(event)


class ForgetsItsJournal(worker.Worker):
    def recover(self):
        self.journal.open_calls.clear()
        self.journal.dialled.clear()


class ForgetsWhatItDialled(worker.Worker):
    def recover(self):
        super().recover()
        self.journal.dialled.clear()


class DialsAgainAfterARestart(worker.Worker):
    def recover(self):
        for steps in list(self.journal.open_calls.values()):
            if "asked" in steps:
                self.begin(self.place, steps["asked"])


class SaysAnsweredAfterARestart(worker.Worker):
    def report(self, event):
        super().report({**event, "outcome": "answered"})


class AsksUnderTheFirstClaim(worker.Worker):
    first = {}

    def handle(self, call):
        super().handle({**call, "claimId": self.first.setdefault(call["callId"], call["claimId"])})


class DiesWithoutTheEngine(worker.Worker):
    def post(self, path, body, timeout=10):
        try:
            return super().post(path, body, timeout)
        except worker.NoAnswer:
            os._exit(1)


class DropsCallsOnSigterm(worker.Worker):
    def run(self):
        threading.Thread(target=self._die, daemon=True).start()
        super().run()

    def _die(self):
        self.stopping.wait()
        os._exit(0)


class KeepsCallsOnSigterm(worker.Worker):
    def tell(self, event, give_up=lambda: False):
        if event["type"] == "released":
            return {"status": "accepted"}
        return super().tell(event, give_up)


FAULTS = {  # the fault, and a scenario that must find it
    "dials_before_accepted": (DialsBeforeAccepted, "accepted: dials once"),
    "dials_first_and_asks_later": (DialsFirstAndAsksLater, "refused: does not dial"),
    "dials_on_refused": (dials_on("refused"), "refused: does not dial"),
    "dials_on_stale": (dials_on("stale"), "stale: does not dial"),
    "dials_on_unknown": (dials_on("unknown"), "unknown: does not dial"),
    "dials_on_invalid": (dials_on("invalid"), "invalid: does not dial"),
    "dials_on_duplicate": (dials_on("duplicate"), "duplicate, without"),
    "dials_after_a_lost_answer": (dials_on("duplicate"), "is lost, then duplicate"),
    "dials_those_of_others": (dials_on("stale"), "several calls in a claim"),
    "takes_no_answer_for_accepted": (TakesNoAnswerForAccepted, "no answer to `started`"),
    "takes_refusal_for_accepted": (TakesRefusalForAccepted, "400 to `started`"),
    "gives_up_on_started": (GivesUpOnStarted, "no answer to `started`"),
    "ignores_dial_by": (IgnoresDialBy, "dialBy has passed"),
    "reports_results_once": (ReportsResultsOnce, "no answer to a result"),
    "changes_its_result": (ChangesItsResult, "no answer to a result"),
    "reports_for_ever": (ReportsForEver, "not sent for ever"),
    "forgets_its_journal": (ForgetsItsJournal, "killed during a call"),
    "forgets_what_it_dialled": (ForgetsWhatItDialled, "and the call comes again"),
    "dials_again_after_a_restart": (DialsAgainAfterARestart, "killed during a call"),
    "says_answered_after_a_restart": (SaysAnsweredAfterARestart, "killed during a call"),
    "dials_undecided_calls": (dials_on("stale"), "killed before the answer"),
    "asks_under_the_first_claim": (AsksUnderTheFirstClaim, "redelivered under a new claimId"),
    "dials_though_refused": (dials_on("refused"), "refused, and offered again later"),
    "dies_without_the_engine": (DiesWithoutTheEngine, "the engine is away"),
    "drops_calls_on_sigterm": (DropsCallsOnSigterm, "SIGTERM"),
    "keeps_calls_on_sigterm": (KeepsCallsOnSigterm, "SIGTERM"),
}


def slow(call, node_executed):
    """Long enough to be killed in the middle of it."""
    node_executed("greeting")
    threading.Event().wait(1)
    return "busy", 0, None


if __name__ == "__main__":
    FAULT = FAULTS[sys.argv.pop(1)][0]
    worker.main(slow if FAULT is SaysAnsweredAfterARestart else worker.pretend, FAULT)
