"""outdialctl against the real daemon, and against a stand-in where an answer is wanted that the
daemon gives rarely."""

import http.server
import json
import os
import pty
import subprocess
import tempfile
import threading
import unittest

from outdial_daemon import Story, free_port, main, program_path, unknown_id

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

AT_ONCE = """
[gateway simulator]
answer_instantly = true
answered = 100
voicemail = 0
busy = 0
no_answer = 0
rejected = 0
error = 0
[gateway worker]
kind = worker
"""


def run(*arguments, text=None, patience=60, **environment):
    """outdialctl with these arguments, to its end. `text` is its standard input."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("OUTDIAL_") and not name.endswith("_proxy")}
    return subprocess.run(
        [program_path("OUTDIALCTL"), *arguments], input=text, capture_output=True,
        encoding="utf-8", timeout=patience, check=False, env={**clean, **environment})


class Case(Story):
    config = AT_ONCE

    def ctl(self, *arguments, key=None, status=0, text=None):
        """The command with the daemon's address (and the admin key unless one is given)."""
        done = run(*arguments, text=text, OUTDIAL_URL=f"http://127.0.0.1:{self.daemon.port}",
                   OUTDIAL_KEY=key or self.admin.key)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def json(self, *arguments, **options):
        """The same with --json: the document. Nothing else was printed."""
        done = self.ctl(*arguments, "--json", **options)
        return json.loads(done.stdout)

    def file(self, content):
        folder = tempfile.TemporaryDirectory(prefix="outdial-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "contacts.csv")
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path


class CommandLine(unittest.TestCase):
    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^outdialctl \d+\.\d+")

    def test_help_tells_commands_and_exit_statuses(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("keys", "org", "import", "launch", "watch", "pause", "resume", "cancel",
                     "api", "backup", "check", "Exit status"):
            self.assertIn(word, done.stdout)

    def test_each_command_has_help(self):
        for command in ("keys", "org", "import", "launch", "watch", "pause", "resume", "cancel",
                        "api", "backup", "check"):
            with self.subTest(command=command):
                done = run(command, "--help")
                self.assertEqual(done.returncode, 0)
                self.assertIn(f"outdialctl {command}", done.stdout)
                self.assertIn("--json", done.stdout)

    def test_what_is_not_understood_exits_2(self):
        for arguments in ([], ["nonsense"], ["--nonsense"], ["keys"], ["keys", "create"],
                          ["keys", "--nonsense"], ["org", "show"], ["org", "create"], ["import"],
                          ["import", "a", "b"], ["launch"], ["watch", "nobody"],
                          ["watch", "a", "b"], ["pause"], ["pause", "nobody"], ["api", "GET"], ["api", "GET", "nowhere"],
                          ["api", "HEAD", "/api"], ["api", "POST", "/api", "{"], ["backup"],
                          ["check", "more"], ["watch", "--interval", "soon"],
                          ["org", "list", "--organization", "x"],
                          ["org", "list", "--url", "gopher://x"]):
            with self.subTest(arguments=arguments):
                done = run(*arguments, OUTDIAL_KEY="x")
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertTrue(done.stderr)

    def test_no_key_exits_2(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("org", "list", "--data-dir", folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("admin.key", done.stderr)

    def test_no_daemon_exits_4(self):
        url = f"http://127.0.0.1:{free_port()}"
        done = run("org", "list", "--url", url, OUTDIAL_KEY="x")
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn(url, done.stderr)
        done = run("org", "list", "--url", url, "--json", OUTDIAL_KEY="x")
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertEqual(json.loads(done.stderr)["error"], "unreachable")


class Common(Case):
    share_daemon = True

    def test_the_key_comes_from_option_file_environment_or_data_folder(self):
        url = f"http://127.0.0.1:{self.daemon.port}"
        path = self.file(self.admin.key + "\n")
        for arguments, environment in (
                (["--key", self.admin.key], {}),
                (["--key-file", path], {"OUTDIAL_KEY": "wrong"}),
                ([], {"OUTDIAL_KEY": self.admin.key}),
                (["--data-dir", self.daemon.data], {})):
            with self.subTest(arguments=arguments):
                done = run("org", "list", "--url", url, *arguments, **environment)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_options_may_stand_before_the_command(self):
        url = f"http://127.0.0.1:{self.daemon.port}"
        done = run("--url", url, "--json", "--key", self.admin.key, "org", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        json.loads(done.stdout)

    def test_a_refusal_exits_5_and_tells_all_of_it(self):
        done = self.ctl("org", "list", key="od_wrong", status=5)
        self.assertIn("UnauthorizedError", done.stderr)
        done = self.ctl("api", "POST", "/api/organizations", '{"nam": 1}', status=5)
        self.assertIn("400 ValidationError", done.stderr)
        self.assertIn("\n  name: ", done.stderr)
        self.assertIn("\n  nam: ", done.stderr)
        done = self.ctl("org", "list", "--json", key="od_wrong", status=5)
        self.assertEqual(done.stdout, "")
        self.assertEqual(json.loads(done.stderr)["statusCode"], 401)


class KeysAndOrganisations(Case):
    share_daemon = True

    def test_an_organisation(self):
        made = self.ctl("org", "create", "--name", "Zoë & Söhne", "--timezone",
                        "Africa/Casablanca", "--calls-per-second", "2.5")
        self.assertEqual(made.stderr, "")
        org = made.stdout.strip()
        self.assert_id(org)
        shown = self.json("org", "show", org)
        self.assertEqual((shown["name"], shown["timezone"], shown["callsPerSecond"]),
                         ("Zoë & Söhne", "Africa/Casablanca", 2.5))
        self.assertIn("Zoë & Söhne", self.ctl("org", "list").stdout)
        self.assertIn(org, [row["id"] for row in self.json("org", "list")])
        shown = self.json("org", "update", org, "--max-concurrent-calls", "7",
                          "--calls-per-second", "none")
        self.assertEqual((shown["maxConcurrentCalls"], shown["callsPerSecond"]), (7, None))
        self.ctl("org", "show", unknown_id(), status=5)

    def test_lists_have_all_pages(self):
        for i in range(101):
            self.admin.create("/api/organizations", {"name": f"many {i}"})
        names = [row["name"] for row in self.json("org", "list")]
        self.assertEqual(len([name for name in names if name.startswith("many ")]), 101)

    def test_names_cannot_forge_lines(self):
        self.admin.create("/api/organizations", {"name": "a\nb\u001b[2J\u202ec"})
        shown = self.ctl("org", "list").stdout
        self.assertIn("a?b?[2J?c", shown)

    def test_a_key_of_an_organisation(self):
        org = self.org()
        made = self.ctl("keys", "create", "--name", "crm", "--organization", org.id)
        key = made.stdout.strip()
        self.assertNotIn(key, made.stderr)
        self.assertEqual(self.daemon.client(key).read("/api/organization")["id"], org.id)
        listed = self.json("keys", "list", "--organization", org.id)
        row = next(row for row in listed if row["name"] == "crm")
        self.assertEqual(row["role"], "org")
        self.assertNotIn(key, self.ctl("keys", "list", "--organization", org.id).stdout)
        self.ctl("keys", "delete", row["id"], "--organization", org.id)
        self.assertEqual(self.daemon.client(key).get("/api/organization").status, 401)
        self.ctl("keys", "delete", row["id"], "--organization", org.id, status=5)

    def test_a_key_of_the_platform_is_not_made_for_an_organisation(self):
        org = self.org()
        before = self.json("keys", "list")
        for role in ("admin", "worker"):
            done = self.ctl("keys", "create", "--role", role, "--name", "slip", "--organization",
                            org.id, status=2)
            self.assertEqual(done.stdout, "")
            self.assertIn("leave out --organization", done.stderr)
        self.assertEqual(self.json("keys", "list"), before)
        # What the environment names is a default, and no slip.
        done = run("keys", "create", "--role", "worker", "--name", "w", OUTDIAL_KEY=self.admin.key,
                   OUTDIAL_URL=f"http://127.0.0.1:{self.daemon.port}", OUTDIAL_ORGANIZATION=org.id)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_keys_of_the_platform(self):
        made = self.json("keys", "create", "--name", "sip-1", "--role", "worker")
        self.assertEqual(made["role"], "worker")
        self.assertIn(made["id"], [row["id"] for row in self.json("keys", "list")])
        self.ctl("keys", "delete", made["id"])
        self.ctl("keys", "create", "--name", "x", "--role", "king", status=5)
        self.ctl("keys", "create", "--name", "x", "--role", "org", status=2)


class Import(Case):
    share_daemon = True

    def contacts(self, org):
        return {row["primaryPhone"]: row for row in org.api.pages("/api/contacts")}

    def test_contacts_and_an_audience_by_name(self):
        org = self.org()
        for name, kind in (("city", "string"), ("balance", "number"), ("vip", "boolean")):
            org.api.create("/api/custom-attributes", {"name": name, "type": kind})
        path = self.file(
            "\ufeffprimaryPhone,firstName,lastName,doNotCall,city,balance,vip\r\n"
            '+1 (212) 555-0101,Zoë,"O\'Brien, Jr.",TRUE,"a ""b""",12.50,yes\r\n'
            "\r\n"
            "+12125550102,,,,,,\r\n")
        done = self.ctl("import", path, "--audience", "Everyone", key=org.key)
        self.assertIn("2 rows: 2 created, 0 updated, 0 rejected", done.stdout)
        self.assertEqual(done.stderr, "")
        made = self.contacts(org)
        first = made["+12125550101"]
        self.assertEqual(
            (first["firstName"], first["lastName"], first["doNotCall"], first["customAttributes"]),
            ("Zoë", "O'Brien, Jr.", True, {"city": 'a "b"', "balance": 12.5, "vip": True}))
        self.assertEqual(made["+12125550102"]["firstName"], None)
        audience = org.api.read("/api/audiences")["data"][0]
        self.assertEqual((audience["name"], audience["contactCount"]), ("Everyone", 2))

    def test_ndjson_goes_out_as_it_is(self):
        org = self.org()
        lines = ('{"primaryPhone": "+12125550101", "firstName": "Zoë"}\n'
                 '{"primaryPhone": "nobody"}\n'
                 '{"primaryPhone": "+12125550102"}')
        path = self.file(lines)
        os.rename(path, path + ".ndjson")
        found = self.json("import", path + ".ndjson", "--audience", "All", key=org.key, status=1)
        self.assertEqual((found["rows"], found["created"], found["rejected"]), (3, 2, 1))
        self.assertEqual([(error["row"], error["line"]) for error in found["errors"]], [(2, 2)])
        self.assertEqual(self.contacts(org)["+12125550101"]["firstName"], "Zoë")
        self.assertEqual(org.api.read("/api/audiences")["data"][0]["contactCount"], 2)
        found = self.json("import", "--ndjson", "-", key=org.key, text=lines, status=1)
        self.assertEqual((found["updated"], found["rejected"]), (2, 1))

    def test_again_it_updates_and_joins_nobody_twice(self):
        org = self.org()
        path = self.file("primaryPhone,firstName,lastName\n+12125550101,A,B\n")
        self.json("import", path, "--audience", "Everyone", key=org.key)
        path = self.file("primaryPhone,firstName,lastName\n+12125550101,C,\n")
        done = self.json("import", path, "--audience", "Everyone", key=org.key)
        audience = org.api.read("/api/audiences")["data"][0]["id"]
        self.assertEqual(done, {
            "rows": 1, "created": 0, "updated": 1, "rejected": 0, "errors": [],
            "audienceId": audience})
        self.assertEqual(org.api.read("/api/audiences")["data"][0]["contactCount"], 1)
        contact = self.contacts(org)["+12125550101"]
        self.assertEqual((contact["firstName"], contact["lastName"]), ("C", "B"))
        self.json("import", path, "--audience", audience, key=org.key)

    def test_bad_rows_are_told_and_the_others_kept(self):
        org = self.org()
        org.api.create("/api/custom-attributes", {"name": "balance", "type": "number"})
        path = self.file(
            "primaryPhone,firstName,timezone,balance\n"
            "+12125550101,fine,,\n"
            "nonsense,x,,\n"
            ",x,,\n"
            "+12125550102,x,Mars/Olympus,\n"
            '+12125550103,"two\nlines",,\n'
            "+12125550104,x,,a lot\n"
            "+12125550105,too few\n"
            '+12125550106,a "stray" quote,,\n'
            "+12125550107,fine,Europe/Paris,-3\n")
        done = self.json("import", path, key=org.key, status=1)
        self.assertEqual((done["rows"], done["created"], done["rejected"]), (9, 3, 6))
        self.assertEqual([(e["row"], e["line"]) for e in done["errors"]],
                         [(3, 3), (4, 4), (5, 5), (7, 8), (8, 9), (9, 10)])
        for error, word in zip(done["errors"], ("primaryPhone", "primaryPhone", "timezone",
                                                "balance", "cells", "quote")):
            self.assertIn(word, error["message"])
        self.assertEqual(sorted(self.contacts(org)),
                         ["+12125550101", "+12125550103", "+12125550107"])
        done = self.ctl("import", path, key=org.key, status=1)
        self.assertIn("row 7 (line 8): balance", done.stderr)
        self.assertIn("9 rows: 0 created, 3 updated, 6 rejected", done.stdout)

    def test_thousands_of_rows_from_a_pipe(self):
        org = self.org()
        rows = [f"+1312555{i:04d},n{i}" for i in range(2500)]
        rows[1234] = "12,bad"
        done = self.json("import", "-", "--audience", "All", key=org.key, status=1,
                         text="primaryPhone,firstName\n" + "\n".join(rows))
        self.assertEqual((done["rows"], done["created"], done["rejected"]), (2500, 2499, 1))
        self.assertEqual(org.api.read("/api/audiences")["data"][0]["contactCount"], 2499)
        self.assertEqual([e["row"] for e in done["errors"]], [1236])

    def test_what_the_generator_makes(self):
        org = self.org()
        for name, kind in (("city", "string"), ("balance", "number"), ("customerSince", "date")):
            org.api.create("/api/custom-attributes", {"name": name, "type": kind})
        tool = os.path.join(SOURCE, "tools", "make-contacts")
        texts = [subprocess.run([tool, "--seed", seed, "--bad", "10", "1500"], check=True,
                                capture_output=True).stdout for seed in ("7", "7", "8")]
        self.assertEqual(texts[0], texts[1])
        self.assertNotEqual(texts[0], texts[2])
        done = self.json("import", self.file(texts[0]), key=org.key, status=1)
        self.assertEqual((done["rows"], done["created"], done["rejected"]), (1500, 1490, 10))
        rows = [error["row"] for error in done["errors"]]
        self.assertEqual(rows, sorted(rows))

    def test_another_delimiter_and_columns_to_ignore(self):
        org = self.org()
        path = self.file("primaryPhone;shoe size\n+12125550101;43\n")
        self.ctl("import", path, "-d", ";", key=org.key, status=2)
        self.ctl("import", path, "-d", ";", "--ignore-unknown", key=org.key)
        self.assertEqual(list(self.contacts(org)), ["+12125550101"])

    def test_files_that_are_none_exit_2_and_change_nothing(self):
        org = self.org()
        for content in ("", "phone\n+12125550101\n", "primaryPhone,primaryPhone\n1,2\n",
                        "primaryPhone,shoe\n+12125550101,43\n", '"primaryPhone\n+12125550101\n',
                        "primaryPhone\n+12125550101\n".encode("utf-16")):
            with self.subTest(content=content):
                done = self.ctl("import", self.file(content), "--audience", "A", key=org.key,
                                status=2)
                self.assertEqual(done.stdout, "")
        self.ctl("import", "/nowhere/at/all.csv", key=org.key, status=2)
        self.assertEqual(self.contacts(org), {})
        self.assertEqual(org.api.read("/api/audiences")["data"], [])

    def test_text_that_is_no_utf_8_is_a_bad_row(self):
        org = self.org()
        path = self.file(b"primaryPhone,firstName\n+12125550101,\xff\n+12125550102,ok\n")
        done = self.json("import", path, key=org.key, status=1)
        self.assertEqual([e["row"] for e in done["errors"]], [2])
        self.assertEqual(done["created"], 1)

    def test_an_audience_that_is_not_there_is_found_out_first(self):
        org = self.org()
        path = self.file("primaryPhone\n+12125550101\n")
        done = self.ctl("import", path, "--audience", unknown_id(), key=org.key, status=5)
        self.assertEqual(done.stdout, "")
        self.assertIn("AudienceNotFoundError", done.stderr)
        self.assertEqual(self.contacts(org), {})

    def test_a_refused_key_exits_5(self):
        path = self.file("primaryPhone\n+12125550101\n")
        done = self.ctl("import", path, key="od_wrong", status=5)
        self.assertEqual(done.stdout, "")


class Running(Case):
    def test_launch_and_watch_to_the_end(self):
        org = self.org()
        program = org.program(contacts=5, gateway="simulator")
        done = self.ctl("launch", program["name"], "--watch", key=org.key)
        lines = done.stdout.splitlines()
        self.assert_id(lines[0])
        self.assertIn(" completed 100.0% total=5 completed=5 failed=0", lines[-1])
        self.assertEqual(org.execution(lines[0])["status"], "completed")

    def test_launch_by_id_as_json(self):
        org = self.org()
        program = org.program(contacts=1, gateway="simulator")
        made = self.json("launch", program["id"], key=org.key)
        org.wait_status(made["executionId"], "completed")
        done = self.ctl("watch", made["executionId"], "--json", key=org.key)
        last = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(last["execution"]["status"], "completed")
        self.assertEqual(last["progress"], 1.0)

    def test_what_cannot_be_launched(self):
        org = self.org()
        self.ctl("launch", "no such program", key=org.key, status=2)
        self.ctl("launch", unknown_id(), key=org.key, status=5)
        program = org.program(contacts=0)
        done = self.ctl("launch", program["id"], key=org.key, status=5)
        self.assertIn("AudienceEmptyError", done.stderr)

    def test_pause_resume_cancel(self):
        org = self.org()
        execution = org.launch(3)
        other = org.launch(1)
        self.assertEqual(self.ctl("pause", execution, other, key=org.key).stdout,
                         f"{execution} paused\n{other} paused\n")
        done = self.ctl("pause", execution, key=org.key, status=5)
        self.assertIn("InvalidExecutionStateError", done.stderr)
        self.assertEqual(self.json("resume", execution, key=org.key)["status"], "running")
        self.assertEqual(self.json("cancel", execution, key=org.key),
                         {"id": execution, "status": "cancelled"})
        self.ctl("cancel", execution, key=org.key)
        self.ctl("resume", unknown_id(), other, key=org.key, status=5)
        self.assertEqual(org.execution(other)["status"], "running")
        self.ctl("cancel", other, key=org.key)

    def test_a_word_that_is_no_id_stops_all_of_it(self):
        org = self.org()
        execution = org.launch(3)
        for verb in ("pause", "cancel"):
            done = self.ctl(verb, execution, "nobody", key=org.key, status=2)
            self.assertEqual(done.stdout, "")
            self.assertIn("nobody", done.stderr)
            self.assertEqual(org.execution(execution)["status"], "running")
        org.cancel(execution)

    def test_watch_of_one_that_was_cancelled_exits_3(self):
        org = self.org()
        execution = org.launch(3)
        org.cancel(execution)
        done = self.ctl("watch", execution, key=org.key, status=3)
        self.assertIn(" cancelled ", done.stdout)
        self.ctl("watch", unknown_id(), key=org.key, status=5)

    def test_watch_all_until_none_is_active(self):
        org = self.org()
        self.assertIn("no execution is active", self.ctl("watch", key=org.key).stdout)
        executions = [org.launch(1), org.launch(1)]
        watch = subprocess.Popen(
            [program_path("OUTDIALCTL"), "watch", "--interval", "0.05", "--key", org.key, "--url",
             f"http://127.0.0.1:{self.daemon.port}"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        seen = set()
        while len(seen) < 2:  # both are watched before they end
            seen.add(watch.stdout.readline().split()[1])
        self.assertEqual(seen, set(executions))
        worker = self.worker()
        worker.finish_all(worker.claim_exactly(2))
        rest = watch.stdout.read()
        self.assertEqual(watch.wait(30), 0)
        for execution in executions:
            self.assertIn(f"{execution} completed 100.0%", rest)

    def test_a_terminal_gets_a_bar(self):
        org = self.org()
        execution = org.launch(org.program(contacts=4, gateway="simulator"))
        leader, follower = pty.openpty()
        watch = subprocess.Popen(
            [program_path("OUTDIALCTL"), "watch", execution, "--key", org.key, "--url",
             f"http://127.0.0.1:{self.daemon.port}"], stdout=follower,
            env={"TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]})
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(leader)
        self.assertEqual(watch.wait(30), 0)
        text = shown.decode()
        self.assertIn("█" * 44 + "\033[0m  100.0 %  4 of 4", text)
        self.assertIn("completed", text)


class Api(Case):
    share_daemon = True

    def test_any_request(self):
        org = self.org()
        made = self.ctl("api", "POST", "/api/flows", '{"name": "a"}', "--get", "id", key=org.key)
        flow = made.stdout.strip()
        self.assert_id(flow)
        self.ctl("api", "PATCH", f"/api/flows/{flow}", "-", key=org.key, text='{"name": "b"}')
        self.assertEqual(self.ctl("api", "GET", "/api/flows", "--get", "data.0.name",
                                  key=org.key).stdout, "b\n")
        self.assertEqual(self.ctl("api", "DELETE", f"/api/flows/{flow}", key=org.key).stdout, "")
        self.ctl("api", "GET", f"/api/flows/{flow}", key=org.key, status=5)
        self.ctl("api", "GET", "/api/flows", "--get", "data.0.name", key=org.key, status=1)

    def test_an_admin_acts_for_an_organisation(self):
        org = self.org()
        shown = self.ctl("api", "GET", "/api/organization", "--organization", org.id)
        self.assertEqual(json.loads(shown.stdout)["id"], org.id)


class Store(Case):
    def filled(self):
        org = self.org()
        org.contacts(50, firstName="Unmistakable")
        org.wait_status(org.launch(org.program(contacts=20, gateway="simulator")), "completed")
        return org

    def test_check_beside_the_daemon_and_at_rest(self):
        self.filled()
        self.assertIn("nothing found", self.ctl("check", "--data-dir", self.daemon.data).stdout)
        self.daemon.stop()
        self.assertEqual(self.json("check", "--data-dir", self.daemon.data),
                         {"count": 0, "findings": []})
        self.daemon.start()

    def test_a_backup_is_a_store_that_a_daemon_goes_on_from(self):
        org = self.filled()
        copy = self.start_daemon()
        copy.stop()
        for name in os.listdir(copy.data):
            os.remove(os.path.join(copy.data, name))
        path = os.path.join(copy.data, "data.mdb")
        done = self.json("backup", path, "--data-dir", self.daemon.data)
        self.assertEqual((done["path"], done["bytes"]), (path, os.path.getsize(path)))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.ctl("check", "--data-dir", copy.data)
        with open(os.path.join(copy.data, "admin.key"), "w", encoding="ascii") as file:
            file.write(self.admin.key)
        copy.start()
        contacts = copy.client(org.key).pages("/api/contacts")
        self.assertEqual(len(contacts), 70)

    def test_a_backup_overwrites_nothing(self):
        path = self.file("precious")
        done = self.ctl("backup", path, "--data-dir", self.daemon.data, status=1)
        self.assertEqual(done.stdout, "")
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_damaged_copy_is_found_out(self):
        self.filled()
        folder = os.path.dirname(self.file(""))
        path = os.path.join(folder, "data.mdb")
        self.ctl("backup", path, "--data-dir", self.daemon.data)
        with open(path, "r+b") as file:
            content = bytearray(file.read())
            content[content.index(b"Unmistakable")] ^= 1
            file.seek(0)
            file.write(content)
        done = self.ctl("check", "--data-dir", folder, status=1)
        self.assertIn("contacts", done.stdout)
        done = self.json("check", "--data-dir", folder, status=1)
        self.assertGreaterEqual(done["count"], 1)
        self.assertEqual(len(done["findings"]), done["count"])

    def test_no_store_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            for command in (["check"], ["backup", os.path.join(folder, "copy")]):
                done = self.ctl(*command, "--data-dir", os.path.join(folder, "none"), status=1)
                self.assertEqual(done.stdout, "")


class Text(str):
    """An answer of a stand-in that is no JSON."""


class StandIn:
    """Answers requests by a function (method, path, body) -> (status, headers, body)."""

    def __init__(self, answer):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                outer.requests.append((self.command, self.path, body))
                status, headers, content = answer(self.command, self.path, body)
                data = (content if isinstance(content, Text) else json.dumps(content)).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_request

            def log_message(self, *_arguments):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Answers(unittest.TestCase):
    def stand_in(self, answer):
        stand_in = StandIn(answer)
        self.addCleanup(stand_in.close)
        return stand_in

    def ctl(self, stand_in, *arguments, text=None):
        return run(*arguments, "--url", stand_in.url, text=text, OUTDIAL_KEY="x")

    def test_503_is_waited_out_for_what_may_be_repeated(self):
        answers = iter([(503, {"Retry-After": "1"}, {"error": "UnavailableError"})])
        stand_in = self.stand_in(lambda *_: next(answers, (200, {}, {"id": "a"})))
        done = self.ctl(stand_in, "api", "GET", "/api/flows/a")
        self.assertEqual((done.returncode, done.stdout), (0, '{"id":"a"}\n'), done.stderr)
        self.assertEqual(len(stand_in.requests), 2)

    def test_and_not_for_what_creates(self):
        stand_in = self.stand_in(lambda *_: (
            503, {"Retry-After": "1"}, {"error": "UnavailableError", "message": "full"}))
        done = self.ctl(stand_in, "org", "create", "--name", "a")
        self.assertEqual(done.returncode, 5)
        self.assertIn("503 UnavailableError: full", done.stderr)
        self.assertEqual(len(stand_in.requests), 1)

    def test_what_is_not_outdial_is_said_to_be_so(self):
        stand_in = self.stand_in(lambda *_: (502, {}, "<html>"))
        done = self.ctl(stand_in, "org", "list")
        self.assertEqual(done.returncode, 5)
        self.assertIn("502", done.stderr)

    def test_watch_tells_no_rate_of_calls_in_a_pause_window(self):
        queued = iter(range(0, 1000, 100))
        shown = iter([True, True, True])

        def answer(_method, path, _body):
            if path == "/metrics":
                return 200, {}, Text(f"outdial_calls_queued_total {next(queued)}\n")
            in_window = next(shown, False)
            return 200, {}, {"id": "a", "programId": "p", "inPauseWindow": in_window,
                             "status": "running" if in_window else "completed",
                             "totalContacts": 1}

        stand_in = self.stand_in(answer)
        done = self.ctl(stand_in, "watch", unknown_id(), "--interval", "0.05")
        lines = done.stdout.splitlines()
        self.assertIn(" in_pause_window", lines[1])
        self.assertNotIn("calls/s", lines[1])
        self.assertIn("calls/s", lines[-1])


if __name__ == "__main__":
    main()
