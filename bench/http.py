"""outdiald's REST API beside one bare evhttp loop, under wrk, in turn and several times.

usage: ./dev bench http [--rounds N] [--seconds S] [--connections C] [--json]

Three requests: GET of an execution, POST of a contact, POST of 100 call events. Each round runs each of
them against the bare loop and against outdiald, one after the other; what counts is the ratio of a
round, and its spread over the rounds. Where there are two CPUs, the server has one and wrk the other.
outdiald's writes are durable when they are answered, the bare loop only parses the body.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = os.path.join(ROOT, "tests", "support")  # not bench/: this file is no http package

# pylint: disable=wrong-import-position
from outdial_daemon import Daemon, Organisation, Worker, later

EVENTS = 100  # a request
GROUPS = 256  # of EVENTS calls each: a group's next request comes long after its last was answered

CONTACT_LUA = """
local counter = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
    counter = counter + 1
    return wrk.format(nil, nil, nil, string.format(
        '{"primaryPhone":"+%d%09d","firstName":"Amina","lastName":"Benali","fullName":"Amina Benali",' ..
        '"primaryEmail":"amina.benali@example.org","timezone":"Africa/Casablanca"}', ROUND, counter))
end
"""

EVENTS_LUA = """
local counter = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local groups = {}
local current
for line in io.lines(CALLS) do
    if #groups == 0 or #groups[#groups] == EVENTS then
        groups[#groups + 1] = {}
    end
    current = groups[#groups]
    current[#current + 1] = '{"callId":"' .. line .. '","type":"node_executed","nodeId":"menu","seq":'
end
request = function()
    local group = groups[counter % #groups + 1]
    local seq = FIRST_SEQ + math.floor(counter / #groups)
    counter = counter + 1
    return wrk.format(nil, nil, nil, '{"events":[' .. table.concat(group, seq .. '},') .. seq .. '}]}')
end
"""


def pinned(cpu, command):
    """The command on one CPU, where there are two and taskset."""
    if (os.cpu_count() or 1) < 2 or cpu is None:
        return command
    return ["taskset", "-c", str(cpu), *command]


class Wrk:
    """One kind of load; its script is written anew for each run, as phones and seqs must be new."""

    def __init__(self, folder, seconds, connections):
        self.folder = folder
        self.seconds = seconds
        self.connections = connections

    def run(self, port, path, script=None, headers=()):
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{self.seconds}s", "--latency"]
        for header in headers:
            command += ["-H", header]
        if script is not None:
            name = os.path.join(self.folder, "load.lua")
            with open(name, "w", encoding="ascii") as file:
                file.write(script)
            command += ["-s", name]
        command.append(f"http://127.0.0.1:{port}{path}")
        done = subprocess.run(pinned(1, command), capture_output=True, text=True, check=True)
        return parse(done.stdout)


def parse(text):
    """wrk's report as figures; a refused or failed request is an error of the bench."""
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"http: not all requests were answered well:\n{text}")
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    times = {p: float(v) * units[u] for p, v, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", text)}
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return {"requests_per_s": rate, "p50_ms": times["50"], "p99_ms": times["99"]}


class Bare:
    """The bare loop."""

    def __init__(self):
        program = os.path.join(os.path.dirname(os.environ["OUTDIALD"]), "bench", "bare_evhttp")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(pinned(0, [program, "0"]), stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Outdial:
    """outdiald with an execution that waits to be looked at, and started calls to report on."""

    def __init__(self, folder):
        self.daemon = Daemon(test_clock=None)
        self.daemon.start()
        self.pin()
        self.organisation = Organisation(self.daemon)
        self.worker = Worker(self.daemon)
        program = self.organisation.program(contacts=2, startAt=later(time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), days=1))
        self.execution = self.organisation.launch(program)
        self.calls = self.start_calls(GROUPS * EVENTS)
        self.call_file = os.path.join(folder, "calls")
        with open(self.call_file, "w", encoding="ascii") as file:
            file.writelines(f"{call['callId']}\n" for call in self.calls)

    def pin(self):
        """All threads of the daemon on the first CPU, as the bare loop is."""
        if (os.cpu_count() or 1) >= 2:
            subprocess.run(["taskset", "-acp", "0", str(self.daemon.process.pid)],
                           stdout=subprocess.DEVNULL, check=True)

    def start_calls(self, count):
        program = self.organisation.program(contacts=count, gateway="worker")
        self.organisation.launch(program)
        calls = []
        while len(calls) < count:
            calls += self.worker.claim(max=1000, wait_ms=1000)
        for at in range(0, count, 1000):
            self.worker.start_all(calls[at : at + 1000])
        return calls

    def close(self):
        self.daemon.close()


def measure(loads, rounds, bare, outdial, show):
    """{request: [ratio of each round]}, and each run shown as it ends."""
    ratios = {name: [] for name, _, _ in loads}
    for number in range(rounds):
        for name, path, load in loads:
            limit = load(bare.port, path, number)
            ours = load(outdial.daemon.port, path, number)
            ratios[name].append(ours["requests_per_s"] / limit["requests_per_s"])
            show(number, name, limit, ours, ratios[name][-1])
    return ratios


def main():
    parser = argparse.ArgumentParser(prog="./dev bench http", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as folder:
        wrk = Wrk(folder, options.seconds, options.connections)
        bare, outdial = Bare(), Outdial(folder)
        try:
            run(options, wrk, bare, outdial)
        finally:
            bare.close()
            outdial.close()


def run(options, wrk, bare, outdial):
    seqs = [1]
    reader = [f"Authorization: Bearer {outdial.organisation.key}"]
    worker = [f"Authorization: Bearer {outdial.worker.api.key}"]

    def get(port, path, _):
        return wrk.run(port, path, headers=reader)

    def contact(port, path, number):
        script = f"local ROUND = {100 + number}\n{CONTACT_LUA}"
        return wrk.run(port, path, script, headers=reader)

    def events(port, path, _):
        head = f'local CALLS, EVENTS, FIRST_SEQ = "{outdial.call_file}", {EVENTS}, {seqs[0]}\n'
        seqs[0] += 1000000
        return wrk.run(port, path, head + EVENTS_LUA, headers=worker)

    execution = f"/api/program-executions/{outdial.execution}"
    loads = [
        ("GET execution", execution, get),
        ("POST contact", "/api/contacts", contact),
        ("POST 100 events", "/api/call-events", events),
    ]

    def show(number, name, limit, ours, ratio):
        if options.json:
            print(json.dumps({"bench": "http", "round": number, "request": name, "bare": limit,
                              "outdiald": ours, "ratio": round(ratio, 3)}), flush=True)
        else:
            print(f"{number + 1:5} {name:16} {limit['requests_per_s']:10.0f} {ours['requests_per_s']:10.0f}"
                  f" {ratio:6.2f} {ours['p50_ms']:8.2f} {ours['p99_ms']:8.2f}", flush=True)

    if not options.json:
        size = len(json.dumps(outdial.organisation.execution(outdial.execution), separators=(",", ":")))
        print(f"an execution is {size} bytes of JSON; {options.connections} connections,"
              f" {options.seconds} s a run")
        print(f"{'round':5} {'request':16} {'bare /s':>10} {'outdial /s':>10} {'ratio':>6}"
              f" {'p50 ms':>8} {'p99 ms':>8}")
    ratios = measure(loads, options.rounds, bare, outdial, show)
    if not options.json:
        for name, values in ratios.items():
            print(f"{name:22} ratio {statistics.median(values):.2f}"
                  f" ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    main()
