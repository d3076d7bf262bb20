#!/usr/bin/env python3
"""HTTPS by configuration: what is refused, what is answered, and how connections end."""

import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from outdial_daemon import (Daemon, Organisation, free_port, main, program_path, read_response,
                            wait_until)


def make_certificate(folder, name="localhost"):
    certificate, key = (os.path.join(folder, f"{name}.{kind}") for kind in ("crt", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    return certificate, key




class Https(unittest.TestCase):
    """The daemon's harness speaks HTTP to find out whether it is ready: on the operations listener."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.certificate, cls.key = make_certificate(cls.folder.name)
        cls.context = ssl.create_default_context(cafile=cls.certificate)
        cls.ops_port = free_port()
        cls.api_port = free_port()
        cls.daemon = Daemon(config=f"[server]\ntls_certificate = {cls.certificate}\n"
                                   f"tls_key = {cls.key}\nops_listen = 127.0.0.1:{cls.ops_port}\n"
                                   "header_timeout_seconds = 1\nidle_timeout_seconds = 5\n")
        command = cls.daemon.command
        cls.daemon.command = lambda port: [
            f"127.0.0.1:{cls.api_port}" if word == f"127.0.0.1:{port}" else word
            for word in command(port)]
        cls.daemon.start(port=cls.ops_port)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()
        cls.folder.cleanup()

    def connect(self, context=None, timeout=30):
        raw = socket.create_connection(("127.0.0.1", self.api_port), timeout=timeout)
        try:
            return (context or self.context).wrap_socket(raw, server_hostname="localhost")
        except Exception:
            raw.close()
            raise

    def request(self, method, path, body=None, key=None, headers=None, connection=None):
        with contextlib.ExitStack() as stack:
            if connection is None:
                connection = http.client.HTTPSConnection(
                    "127.0.0.1", self.api_port, context=self.context, timeout=30)
                stack.callback(connection.close)
            sent = {"X-API-Key": key or self.daemon.admin.key,
                    "Content-Type": "application/json", **(headers or {})}
            connection.request(method, path,
                               json.dumps(body) if isinstance(body, dict) else body, sent)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None

    def organisation(self):
        status, organisation = self.request("POST", "/api/organizations", {"name": "TLS"})
        self.assertEqual(status, 201, organisation)
        status, key = self.request("POST", f"/api/organizations/{organisation['id']}/api-keys",
                                   {"name": "k", "role": "org"})
        self.assertEqual(status, 201, key)
        return key["key"]

    def test_requests_are_answered_on_a_kept_connection(self):
        key = self.organisation()
        connection = http.client.HTTPSConnection("127.0.0.1", self.api_port, context=self.context,
                                                 timeout=30)
        with contextlib.closing(connection):
            for i in range(20):
                status, contact = self.request("POST", "/api/contacts",
                                               {"primaryPhone": f"+1312555{i:04d}"}, key,
                                               connection=connection)
                self.assertEqual(status, 201, contact)
            status, page = self.request("GET", "/api/contacts?limit=100", None, key,
                                        connection=connection)
            self.assertEqual(len(page["data"]), 20)

    def test_large_bodies_chunks_and_imports(self):
        key = self.organisation()
        rows = [{"primaryPhone": f"+1312555{i:04d}", "firstName": "x" * 60} for i in range(1000)]
        status, answer = self.request("POST", "/api/contacts/upsert", {"data": rows}, key)
        self.assertEqual((status, answer["created"]), (200, 1000))
        text = "".join(json.dumps(row) + "\n" for row in rows * 5).encode()
        status, answer = self.request("POST", "/api/contacts/import", text, key,
                                      {"Content-Type": "application/x-ndjson"})
        self.assertEqual((status, answer["updated"]), (200, 5000))
        status, answer = self.request(
            "POST", "/api/contacts/import", (text[i:i + 7777] for i in range(0, len(text), 7777)),
            key, {"Content-Type": "application/x-ndjson"})
        self.assertEqual((status, answer["updated"]), (200, 5000))

    def test_byte_by_byte_and_pipelined(self):
        key = self.organisation()
        get = (f"GET /api/organization HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n").encode()
        row = b'{"primaryPhone": "+12125550101"}\n'
        put = (f"POST /api/contacts/import HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
               "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        put += b"%x\r\n%s\r\n0\r\n\r\n" % (len(row), row)
        for piece in (1, 1 << 20):
            with self.connect() as connection:
                data = get + put + get
                for i in range(0, len(data), piece):
                    connection.sendall(data[i:i + piece])
                seen = b""
                while seen.count(b'"createdAt"') < 2:
                    more = connection.recv(65536)
                    self.assertTrue(more, seen)
                    seen += more
                self.assertEqual(seen.count(b"HTTP/1.1 200"), 3)

    def test_an_error_of_the_guard_comes_through_tls_and_ends_it(self):
        for text in (b"GET //x HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nFOO //x HTTP/1.1\r\n\r\n",
                     b"POST /api/audiences HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
                     + b"x" * 100000):
            with self.connect() as connection:
                connection.sendall(text)
                seen = b""
                while more := connection.recv(65536):  # b"": closed as TLS wants it, not cut off
                    seen += more
                self.assertIn(b'"statusCode":', seen)
                self.assertIn(b"Connection: close\r\n", seen)

    def test_an_answer_before_the_end_of_the_body(self):
        with self.connect() as connection:
            connection.sendall(b"POST /api/contacts/import HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Length: 10000000\r\n\r\n" + b"x" * 50000)
            seen = b""
            while more := connection.recv(65536):
                seen += more
            self.assertTrue(seen.startswith(b"HTTP/1.1 401 "), seen)

    def test_tls_below_1_2_and_no_tls_are_not_spoken(self):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.connect(old)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            one = ssl.create_default_context(cafile=self.certificate)
            one.minimum_version = one.maximum_version = version
            with self.connect(one) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(read_response(connection).status, (200, 404))
        with socket.create_connection(("127.0.0.1", self.api_port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b"HTTP/1.1", connection.recv(65536))

    def test_a_handshake_that_dribbles_or_stands_still_is_cut_off(self):
        for feed in (b"", b"\x16\x03\x01\x02\x00"):
            with socket.create_connection(("127.0.0.1", self.api_port), timeout=0.2) as connection:
                begun = time.monotonic()
                with contextlib.suppress(ConnectionError, BrokenPipeError):
                    for byte in feed:
                        connection.sendall(bytes([byte]))
                    while time.monotonic() - begun < 30:
                        with contextlib.suppress(TimeoutError):
                            if feed:
                                connection.sendall(b"\x01")
                            if not connection.recv(100):
                                break
                self.assertLess(time.monotonic() - begun, 5)

    def test_a_claim_is_not_given_to_a_client_that_has_gone(self):
        """Two clients wait; the first goes; the call goes to the second."""
        admin = self.daemon.admin.key
        status, worker = self.request("POST", "/api/api-keys", {"name": "w", "role": "worker"})
        self.assertEqual(status, 201)
        key = self.organisation()
        claim = json.dumps({"max": 1, "waitMs": 20000, "gateway": "worker"})
        text = (f"POST /api/calls/claim HTTP/1.1\r\nHost: x\r\nX-API-Key: {worker['key']}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(claim)}\r\n\r\n{claim}")

        def waiting():
            connection = http.client.HTTPConnection("127.0.0.1", self.ops_port)
            with contextlib.closing(connection):
                connection.request("GET", "/metrics")
                found = re.search(r"^outdial_http_connections (\d+)",
                                  connection.getresponse().read().decode(), re.M)
            return int(found.group(1))

        before = waiting()
        gone, stays = self.connect(), self.connect()
        with contextlib.closing(gone), contextlib.closing(stays):
            gone.sendall(text.encode())
            stays.sendall(text.encode())
            wait_until(lambda: waiting() == before + 2, "both are connected")
            gone.close()
            wait_until(lambda: waiting() == before + 1, "the daemon sees that one has gone")
            made = {}
            for name, path, body in (
                    ("contact", "/api/contacts", {"primaryPhone": "+12125550101"}),
                    ("audience", "/api/audiences", {"name": "a"}),
                    ("flow", "/api/flows", {"name": "f"})):
                status, made[name] = self.request("POST", path, body, key)
                self.assertEqual(status, 201, made[name])
            status, did = self.request("POST", "/api/dids", {"number": "+18005550199"}, admin)
            self.assertEqual(status, 201, did)
            status, _ = self.request("POST", f"/api/audiences/{made['audience']['id']}/contacts",
                                     {"contactIds": [made["contact"]["id"]]}, key)
            self.assertEqual(status, 200)
            status, program = self.request("POST", "/api/programs", {
                "name": "p", "flowId": made["flow"]["id"], "audienceId": made["audience"]["id"],
                "didPool": [did["id"]], "gateway": "worker"}, key)
            self.assertEqual(status, 201, program)
            status, _ = self.request("POST", f"/api/programs/{program['id']}/launch", None, key)
            self.assertEqual(status, 201)
            answer = read_response(stays)
            self.assertEqual(len(answer.json["calls"]), 1)

    def test_outdialctl_trusts_the_file_that_it_is_told_to(self):
        ctl = program_path("OUTDIALCTL")
        environment = dict(os.environ, OUTDIAL_KEY=self.daemon.admin.key,
                           OUTDIAL_URL=f"https://127.0.0.1:{self.api_port}")
        done = subprocess.run([ctl, "org", "list"], env=environment, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 4, done)
        done = subprocess.run([ctl, "--ca-file", self.certificate, "--json", "org", "list"],
                              env=environment, capture_output=True, text=True, check=False,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done)
        json.loads(done.stdout)

    def test_so_does_outdial_replay(self):
        trace = os.path.join(self.folder.name, "trace")
        subprocess.run([program_path("OUTDIAL_TRACE"), "gen", "--contacts", "2", "--faults", "0",
                        "--retries", "0", "-o", trace], check=True, capture_output=True)
        command = [program_path("OUTDIAL_REPLAY"), "--json", "--key", self.daemon.admin.key,
                   "--http", f"https://127.0.0.1:{self.api_port}", trace]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("no answer", done.stderr)
        done = subprocess.run([*command, "--ca-file", self.certificate], capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(json.loads(done.stdout)["calls"]["ended"], 2)


class Configuration(unittest.TestCase):
    def run_daemon(self, config):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "outdial.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write(config.replace("FOLDER", folder))
            make_certificate(folder, "one")
            make_certificate(folder, "two")
            return subprocess.run(
                [program_path(), "--config", path, "--listen", f"127.0.0.1:{free_port()}",
                 "--data-dir", os.path.join(folder, "data")],
                capture_output=True, text=True, timeout=60, check=False)

    def test_files_that_will_not_do_are_named(self):
        for certificate, key, word in (("none.crt", "one.key", "none.crt"),
                                       ("one.key", "one.key", "one.key"),
                                       ("one.crt", "none.key", "none.key"),
                                       ("one.crt", "two.key", "two.key")):
            with self.subTest(certificate=certificate, key=key):
                done = self.run_daemon(f"[server]\ntls_certificate = FOLDER/{certificate}\n"
                                       f"tls_key = FOLDER/{key}\n")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(word, done.stderr)

    def test_one_without_the_other_is_a_fault_of_the_file(self):
        done = self.run_daemon("[server]\ntls_key = FOLDER/one.key\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("server.tls_key: needs tls_certificate too", done.stderr)


if __name__ == "__main__":
    main()
