"""outdial-trace: what it makes replays, what it prints can be loaded, and no file can hurt it."""

import json
import os
import pty
import random
import re
import subprocess
import sys
import tempfile
import unittest

from outdial_daemon import main, program_path

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLE = os.path.join(SOURCE, "docs", "examples", "sample.trace")
READER = os.path.join(SOURCE, "docs", "examples", "read_trace.py")

# As in ./dev trace-sample.
SAMPLE_OPTIONS = ("--seed", "42", "--organisations", "2", "--executions", "4", "--contacts", "60",
                  "--rate", "5", "--batch", "2", "--pauses", "1", "--cancels", "1")
SMALL = ("--contacts", "6", "--rate", "5")

DONE, FAILED, USAGE, DAMAGED = 0, 1, 2, 3


def run(program, *arguments, text=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
    return subprocess.run([program_path(program), *arguments], input=text, capture_output=True,
                          timeout=120, check=False, env=clean)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="outdial-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def tool(self, *arguments, status=DONE, text=None):
        done = run("OUTDIAL_TRACE", *arguments, text=text)
        self.assertEqual(done.returncode, status, done.stdout[-2000:] + done.stderr[-2000:])
        return done

    def gen(self, name, *options):
        self.tool("gen", *options, "-o", self.path(name))
        return self.path(name)

    def replay(self, path, *options, status=0):
        done = run("OUTDIAL_REPLAY", *options, path)
        self.assertEqual(done.returncode, status, done.stdout[-2000:] + done.stderr[-2000:])
        return done

    def lines(self, path):
        return [json.loads(line) for line in self.tool("dump", path).stdout.splitlines()]

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def stat(self, path, status=DONE):
        return json.loads(self.tool("stat", "--json", path, status=status).stdout)


class Gen(Case):
    def test_the_same_options_make_the_same_bytes(self):
        first = self.gen("first", *SMALL)
        again = self.gen("again", *SMALL)
        other = self.gen("other", *SMALL, "--seed", "2")
        self.assertEqual(self.read(first), self.read(again))
        self.assertNotEqual(self.read(first), self.read(other))
        self.assertEqual(os.stat(first).st_mode & 0o777, 0o600)

    def test_the_sample_verifies_and_is_made_again(self):
        """Fails when actors decide otherwise than when it was made: `./dev trace-sample` then
        makes it anew."""
        self.replay(SAMPLE, "--verify")
        self.assertLess(os.path.getsize(SAMPLE), 64 << 10)
        made = self.gen("sample", *SAMPLE_OPTIONS)
        self.assertEqual(self.read(made), self.read(SAMPLE))

    def test_every_shape_of_arrival_verifies(self):
        for arrival in ("constant", "poisson", "burst"):
            path = self.gen(arrival, "--arrival", arrival, "--contacts", "40", "--rate", "20",
                            "--batch", "4", "--executions", "4", "--organisations", "2",
                            "--pauses", "2", "--cancels", "1", "--faults", "0.3",
                            "--timezone", "Africa/Casablanca")
            self.replay(path, "--verify")
            types = self.stat(path)["types"]
            self.assertEqual((types["pause"], types["resume"], types["cancel"]), (2, 2, 1))

    def test_the_size_is_what_was_asked_for(self):
        path = self.path("sized")
        done = self.tool("gen", "-o", path, "--json", "--contacts", "31", "--executions", "3", "--organisations", "2",
                         "--mix", "answered=1", "--faults", "0", "--cancels", "0")
        made = json.loads(done.stdout)
        self.assertEqual((made["file"], made["seed"], made["contacts"]), (path, 1, 31))
        found = self.stat(path)
        self.assertEqual(found["contacts"], 31)
        self.assertEqual(found["types"]["program_launch"], 3)
        self.assertEqual([row["executions"] for row in found["organisations"]], [2, 1])
        self.assertEqual(list(found["outcomes"]), ["answered"])
        self.assertEqual(found["types"]["call_started"], found["types"]["call_result"])
        self.assertEqual(found["ending"], "ended well")

    def test_the_mix_decides_the_outcomes(self):
        path = self.gen("mixed", "--contacts", "200", "--mix", "busy=3,no_answer=1", "--retries",
                        "0", "--faults", "0")
        outcomes = self.stat(path)["outcomes"]
        self.assertEqual(sorted(outcomes), ["busy", "no_answer"])
        self.assertGreater(outcomes["busy"], 2 * outcomes["no_answer"])

    def test_a_silent_call_times_out(self):
        path = self.gen("silent", "--contacts", "3", "--mix", "timeout=1", "--retries", "0",
                        "--faults", "0")
        self.assertNotIn("call_result", self.stat(path)["types"])
        self.assertGreater(self.stat(path)["seconds"], 3600)
        self.replay(path, "--verify")

    def test_claims_come_at_the_rate(self):
        path = self.gen("constant", "--arrival", "constant", "--rate", "10", "--contacts", "50",
                        "--mix", "answered=1", "--faults", "0")
        claims = [line["at"] for line in self.lines(path) if line.get("type") == "claim"]
        gaps = [b - a for a, b in zip(claims[:40], claims[1:40])]
        self.assertEqual(set(gaps), {100})

    def test_wrong_options_are_refused(self):
        output = ("-o", self.path("x"))
        for options in (("--contacts", "0"), ("--contacts", "-1"), ("--contacts", "1e3"),
                        ("--executions", "5", "--contacts", "4"), ("--organisations", "2"),
                        ("--mix", "answered"), ("--mix", "hung_up=1"), ("--mix", "busy=0"),
                        ("--mix", "busy=1,busy=1"), ("--mix", ""), ("--mix", "busy=0.1234567"),
                        ("--arrival", "slow"), ("--rate", "0"), ("--seed", "x"),
                        ("--faults", "1.5"), ("--start", "today"), ("--pauses", "2"), ("more",)):
            with self.subTest(options=options):
                self.tool("gen", *options, *output, status=USAGE)
                self.assertFalse(os.path.exists(self.path("x")))
        self.tool("gen", status=USAGE)
        self.tool("gen", "--timezone", "Nowhere/Never", *SMALL, *output, status=USAGE)
        self.assertFalse(os.path.exists(self.path("x")))

    def test_nothing_is_overwritten_and_no_folder_is_left(self):
        path = self.write("there", b"mine")
        self.tool("gen", *SMALL, "-o", path, status=USAGE)
        self.assertEqual(self.read(path), b"mine")
        os.mkdir(self.path("tmp"))
        done = subprocess.run([program_path("OUTDIAL_TRACE"), "gen", *SMALL, "-o",
                               self.path("made")], env={**os.environ, "TMPDIR": self.path("tmp")},
                              capture_output=True, timeout=60, check=True)
        self.assertIn(b"messages from outside for", done.stdout)
        self.assertEqual(os.listdir(self.path("tmp")), [])

    def test_a_bar_is_drawn_on_a_terminal_only(self):
        self.assertEqual(self.tool("gen", *SMALL, "-o", self.path("plain")).stderr, b"")
        reader, writer = pty.openpty()
        try:
            subprocess.run([program_path("OUTDIAL_TRACE"), "gen", *SMALL, "-o", self.path("shown")],
                           stderr=writer, stdout=subprocess.DEVNULL, timeout=60, check=True,
                           env={**os.environ, "TERM": "xterm", "LC_ALL": "C"})
            shown = os.read(reader, 65536)
        finally:
            os.close(reader)
            os.close(writer)
        self.assertIn(b"of contacts, at 2026-01-05T", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown[-40:])


class Text(Case):
    def test_load_undoes_dump_to_the_byte(self):
        dumped = self.path("dumped")
        self.tool("dump", SAMPLE, "-o", dumped)
        self.assertEqual(os.stat(dumped).st_mode & 0o777, 0o600)
        self.tool("load", dumped, "-o", self.path("loaded"))
        self.assertEqual(self.read(self.path("loaded")), self.read(SAMPLE))
        text = self.tool("dump", self.path("loaded")).stdout
        self.assertEqual(text, self.read(dumped))
        self.tool("load", "-o", self.path("piped"), text=text)
        self.assertEqual(self.read(self.path("piped")), self.read(SAMPLE))

    def test_a_changed_line_is_another_message(self):
        lines = self.tool("dump", SAMPLE).stdout.splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if b'"type":"call_result"' in line)
        lines[at] = re.sub(rb'"outcome":"\w+"', b'"outcome":"error"', lines[at])
        self.tool("load", "-o", self.path("changed"), text=b"".join(lines))
        self.assertIn(b"differs", self.replay(self.path("changed"), "--verify", status=4).stdout +
                      self.replay(self.path("changed"), "--verify", status=4).stderr)

    def test_bad_lines_are_named(self):
        lines = self.tool("dump", self.gen("small", *SMALL)).stdout.splitlines(keepends=True)
        message = next(i for i, line in enumerate(lines) if b'"type":"claim"' in line)
        cases = (
            (1, b"", "is empty"),
            (1, b"{}\n", "line 1: record: the first line must be a header"),
            (1, lines[0].replace(b'"format":1', b'"format":7'), "line 1: .*format 7"),
            (1, lines[0].replace(b'"at":', b'"when":'), "line 1: when: there is no such field"),
            (3, b"no JSON\n", "line 3: no JSON"),
            (3, b'{"record":"song"}\n', "line 3: record: there is no such record"),
            (message + 1, lines[message].replace(b'"max":1', b'"max":"many"'),
             f"line {message + 1}: a field has a value that it cannot have"),
            (message + 1, lines[message].replace(b'"max":1', b'"least":1'),
             f"line {message + 1}: payload: least: there is no such field"),
            (message + 1, lines[message].replace(b'"dispatcher"', b'"platform"'),
             f"line {message + 1}: a field has a value that it cannot have"),
            (message + 1, lines[message].replace(b'"at":', b'"at":-'),
             f"line {message + 1}: a field has a value that it cannot have"),
        )
        for number, line, fault in cases:
            with self.subTest(line=line[:200]):
                text = b"" if line == b"" else b"".join(lines[:number - 1] + [line] +
                                                        lines[number:])
                self.assertNotEqual(text, b"".join(lines))
                done = self.tool("load", "-o", self.path("bad"), text=text, status=USAGE)
                self.assertRegex(done.stderr.decode(), fault)
                self.assertFalse(os.path.exists(self.path("bad")))

    def test_the_python_reader_reads_the_same(self):
        done = subprocess.run([sys.executable, READER, SAMPLE], capture_output=True, timeout=120,
                              check=True, encoding="utf-8")
        read = [line.split(" ") for line in done.stdout.splitlines()]
        dumped = self.lines(SAMPLE)[1:]
        self.assertEqual([row[0] for row in read], [line["record"] for line in dumped])
        self.assertEqual([(row[1], row[5], row[8]) for row in read if row[0] == "message"],
                         [(str(line["at"]), line["type"], str(int(line["digest"], 16)))
                          for line in dumped if line["record"] == "message"])


class Stat(Case):
    def test_everything_is_counted(self):
        lines = self.lines(SAMPLE)
        found = self.stat(SAMPLE)
        messages = [line for line in lines if line["record"] == "message"]
        self.assertEqual(sum(found["types"].values()), len(messages))
        self.assertEqual(found["records"]["message"], len(messages))
        self.assertEqual(found["records"]["commit"],
                         sum(line["record"] == "commit" for line in lines))
        self.assertEqual(found["bytes"], os.path.getsize(SAMPLE))
        self.assertEqual(found["header"], {"program": lines[0]["program"], "testClock": True,
                                           "raw": True, "part": False, "fromEmptyStore": True})
        self.assertEqual(len(found["executions"]), 4)
        for row in found["executions"]:
            own = [line for line in messages
                   if line["actor"] == "execution" and line["number"] == row["number"]]
            self.assertEqual(row["messages"], len(own))
            self.assertEqual(row["results"], sum(line["type"] == "call_result" for line in own))
            self.assertRegex(row["id"], "^019b")

    def test_text_for_people(self):
        text = self.tool("stat", SAMPLE).stdout.decode()
        self.assertIn("test clock, raw, from an empty store; it ended well", text)
        self.assertRegex(text, r"call_started +\d+ +\d+\.\d%")
        self.assertRegex(text, r"answered +\d+ +\d+\.\d%")

    def test_what_is_no_trace(self):
        for content in (b"", b"OUTDIAL", b"something else", b"OUTDIALT", b"OUTDIALT" + bytes(100)):
            path = self.write("none", content)
            for command in (("stat", path), ("dump", path), ("cut", path, "-o", self.path("x")),
                            ("merge", path, SAMPLE, "-o", self.path("x"))):
                with self.subTest(content=content, command=command[0]):
                    done = self.tool(*command, status=USAGE)
                    self.assertTrue(done.stderr.startswith(b"outdial-trace: "))
                    self.assertFalse(os.path.exists(self.path("x")))
        self.tool("stat", self.path("absent"), status=FAILED)

    def test_wrong_usage(self):
        for arguments in ((), ("sing",), ("stat",), ("stat", SAMPLE, SAMPLE), ("dump",),
                          ("load", SAMPLE), ("cut", SAMPLE), ("merge", SAMPLE, "-o", "x"),
                          ("cut", SAMPLE, "--from", "then", "-o", "x")):
            with self.subTest(arguments=arguments):
                self.tool(*arguments, status=USAGE)


class Parts(Case):
    def test_a_beginning_verifies(self):
        whole = self.lines(SAMPLE)
        path = self.path("beginning")
        self.tool("cut", "--to", "2026-01-05T09:00:30Z", SAMPLE, "-o", path)
        cut = self.lines(path)
        self.assertEqual(cut[:-1], whole[:len(cut) - 1])
        self.assertEqual(cut[-1], {"record": "lost", "reason": "cut"})
        self.assertGreater(len(cut), 100)
        self.assertLess(max(line["at"] for line in cut[1:-1]), 1767603630000)
        self.assertGreaterEqual(whole[len(cut) - 1]["at"], 1767603630000)
        self.assertIn(b"verified the same", self.replay(path, "--verify", status=3).stdout)

    def test_a_cut_of_nothing_is_the_whole(self):
        done = self.tool("cut", SAMPLE, "-o", self.path("whole"), "--json")
        self.assertEqual(json.loads(done.stdout), {
            "file": self.path("whole"), "messages": self.stat(SAMPLE)["records"]["message"]})
        self.assertEqual(self.read(self.path("whole")), self.read(SAMPLE))

    def test_one_execution(self):
        whole = self.lines(SAMPLE)
        launches = [line for line in whole if line.get("type") == "program_launch"]
        number = launches[2]["payload"]["execution_number"]
        self.tool("cut", "--execution", str(number), SAMPLE, "-o", self.path("number"))
        self.tool("cut", "--execution", launches[2]["payload"]["execution_id"], SAMPLE, "-o",
                  self.path("id"))
        self.assertEqual(self.read(self.path("number")), self.read(self.path("id")))
        cut = self.lines(self.path("id"))
        self.assertIs(cut[0]["is_part"], True)
        wanted = [line for line in whole if line["record"] == "message" and (
            line["actor"] in ("platform", "dispatcher", "retention") or
            (line["actor"], line["number"]) == ("execution", number) or
            ((line["actor"], line["number"]) == ("directory", launches[2]["number"]) and
             (line["type"] != "program_launch" or line is launches[2])))]
        kept = [line for line in cut if line["record"] == "message"]
        self.assertEqual([{**line, "digest": ""} for line in kept],
                         [{**line, "digest": ""} for line in wanted])
        self.assertEqual({line["digest"] for line in kept}, {"0" * 16})
        self.replay(self.path("id"), status=3)
        self.replay(self.path("id"), "--verify", status=1)

    def test_a_middle_is_a_part(self):
        self.tool("cut", "--from", "2026-01-05T09:00:10Z", "--to", "2026-01-05T09:00:20.500Z",
                  SAMPLE, "-o", self.path("middle"))
        cut = self.lines(self.path("middle"))
        times = [line["at"] for line in cut if line["record"] == "message"]
        wanted = [line["at"] for line in self.lines(SAMPLE) if line["record"] == "message" and
                  1767603610000 <= line["at"] < 1767603620500]
        self.assertEqual(times, wanted)
        self.assertIs(cut[0]["is_part"], True)
        self.replay(self.path("middle"), status=3)

    def test_who_is_not_there_cannot_be_cut_out(self):
        for word in ("99", "0", "-1", "somebody", "01900000-0000-7000-8000-000000000000"):
            done = self.tool("cut", f"--execution={word}", SAMPLE, "-o", self.path("x"),
                             status=USAGE)
            self.assertIn(b"there is no execution", done.stderr)
        self.tool("cut", "--from", "2026-01-06T00:00:00Z", "--to", "2026-01-05T00:00:00Z", SAMPLE,
                  "-o", self.path("x"), status=USAGE)
        self.tool("cut", SAMPLE, "-o", SAMPLE, status=USAGE)

    def test_traces_are_merged_by_time(self):
        first = self.gen("first", *SMALL)
        second = self.gen("second", *SMALL, "--first", "10", "--seed", "9", "--timezone",
                          "Europe/Paris", "--start", "2026-01-05T09:00:20Z")
        done = self.tool("merge", first, second, "-o", self.path("merged"), "--json")
        merged = [line for line in self.lines(self.path("merged")) if line["record"] == "message"]
        self.assertEqual(json.loads(done.stdout)["messages"], len(merged))
        self.assertEqual([line["at"] for line in merged], sorted(line["at"] for line in merged))
        self.assertEqual([line["mono"] for line in merged],
                         sorted(line["mono"] for line in merged))
        self.assertEqual({line["mono"] - line["at"] for line in merged},
                         {86400000 - 1767603600000})
        for path, numbers in ((first, {1}), (second, {10})):
            own = [line for line in self.lines(path)
                   if line.get("actor") in ("directory", "execution")]
            kept = [line for line in merged
                    if line["actor"] in ("directory", "execution") and line["number"] in numbers]
            self.assertEqual([(line["at"], line["payload"]) for line in own],
                             [(line["at"], line["payload"]) for line in kept])
        exchanges = [line["exchange"] for line in merged
                     if line["exchange"] != 0 and line["type"] != "claim_given_up"]
        self.assertEqual(len(exchanges), len(set(exchanges)))
        self.replay(self.path("merged"), status=3)

    def test_traces_that_share_numbers_are_refused(self):
        first = self.gen("first", *SMALL)
        second = self.gen("second", *SMALL, "--seed", "2")
        done = self.tool("merge", first, second, "-o", self.path("x"), status=USAGE)
        self.assertIn(b"has an organisation with the number of one", done.stderr)
        lines = self.tool("dump", self.gen("third", *SMALL, "--first", "5")).stdout
        other = lines.replace(b'"lease_ms":60000', b'"lease_ms":1000')
        self.assertNotEqual(lines, other)
        self.tool("load", "-o", self.path("slow"), text=other)
        done = self.tool("merge", first, self.path("slow"), "-o", self.path("x"), status=USAGE)
        self.assertIn(b"with other settings", done.stderr)
        self.assertFalse(os.path.exists(self.path("x")))


class Damage(Case):
    def check(self, done, path):
        self.assertIn(done.returncode, (USAGE, DAMAGED), done.stderr)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith(f"outdial-trace: {path}: "), lines)

    def test_cut_off_at_every_97th_byte(self):
        content = self.read(self.gen("whole", *SMALL))
        whole = self.tool("dump", self.path("whole")).stdout
        for size in range(0, len(content), 97):
            path = self.write("short", content[:size])
            done = run("OUTDIAL_TRACE", "dump", path)
            self.check(done, path)
            self.assertTrue(whole.startswith(done.stdout))

    def test_flipped_bits(self):
        content = self.read(self.gen("whole", *SMALL))
        whole = self.tool("dump", self.path("whole")).stdout
        chance = random.Random(1)
        for _ in range(60):
            at = chance.randrange(len(content))
            flipped = bytearray(content)
            flipped[at] ^= 1 << chance.randrange(8)
            path = self.write("flipped", bytes(flipped))
            done = run("OUTDIAL_TRACE", "dump", path)
            self.check(done, path)
            self.assertTrue(whole.startswith(done.stdout), at)

    def test_what_lies_before_is_used(self):
        path = self.gen("whole", "--contacts", "300", "--executions", "3", "--rate", "200")
        content = self.read(path)
        self.assertGreater(len(content), 3 << 16)
        whole = self.lines(path)
        broken = self.write("broken", content[:-70000] + b"x" + content[-69999:])
        commands = (("dump", broken), ("stat", broken),
                    ("cut", "--to", "2027-01-01T00:00:00Z", broken, "-o", self.path("cut")),
                    ("merge", broken, self.gen("other", *SMALL, "--first", "9"), "-o",
                     self.path("merged")))
        for command in commands:
            with self.subTest(command=command[0]):
                done = self.tool(*command, status=DAMAGED)
                self.assertRegex(done.stderr.decode(),
                                 r"damaged in the frame at byte \d+: its checksum; [\d,]+ records")
        kept = self.lines(self.path("cut"))
        self.assertGreater(len(kept), 1000)
        self.assertEqual(kept, whole[:len(kept)])
        self.assertEqual(self.stat(broken, status=DAMAGED)["ending"], "damaged")

    def test_sound_frames_of_nonsense(self):
        """Records whose checksum is right and whose content is not: the reader judges them."""
        lines = self.tool("dump", self.gen("small", *SMALL)).stdout.splitlines(keepends=True)
        chance = random.Random(2)
        for _ in range(60):
            changed = list(lines)
            at = chance.randrange(len(changed))
            line = bytearray(changed[at])
            line[chance.randrange(len(line) - 1)] = chance.randrange(32, 127)
            changed[at] = bytes(line)
            path = self.path("changed")
            done = run("OUTDIAL_TRACE", "load", "-o", path, text=b"".join(changed))
            self.assertIn(done.returncode, (DONE, USAGE), done.stderr)
            if done.returncode == DONE:
                os.remove(path)


if __name__ == "__main__":
    main()
