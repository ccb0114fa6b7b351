"""`tocsin test` as a process: watching files, live series, the name promtool."""

import http.server
import json
import os
import signal
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree as ET

from support.stage import STAND_IN, TOCSIN
from support.waiting import wait_until

RULES = """groups:
  - name: g
    rules:
      - alert: Down
        expr: up == 0
"""
TEST = """rule_files: [rules.yml]
tests:
  - name: down
    input_series: [{series: 'up{job="a"}', values: '0x3'}]
    alert_rule_test: [{eval_time: 1m, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}]
"""


class LiveServer(http.server.BaseHTTPRequestHandler):
    """Has one series for everybody who asks."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        series = {"metric": {"__name__": "up", "job": "live"}, "values": [[60, "0"], [120, "0"], [180, "1"]]}
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [series]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@unittest.skipIf(STAND_IN, "only Tocsin watches")
class TestRulesTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("rules.yml", RULES)
        self.write("t.yml", TEST)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        # As editors do: another file takes the place of the old one.
        with open(self.path(name + "~"), "w") as file:
            file.write(text)
        os.replace(self.path(name + "~"), self.path(name))

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def test_watching_sees_every_change_and_ends_in_peace(self):
        with open(self.path("out"), "w") as out:
            tool = subprocess.Popen(
                [TOCSIN, "test", "rules", "--watch", "t.yml"],
                cwd=self.folder.name, stdout=out, stderr=subprocess.STDOUT)
        self.addCleanup(tool.kill)

        def rounds(passed, failed):
            text = self.read("out")
            return (text.count("none failed"), text.count("1 failed")) == (passed, failed) \
                and text.endswith("Ctrl-C ends.\n")

        wait_until(lambda: rounds(1, 0), "the first round", 30)
        self.write("rules.yml", RULES.replace("== 0", "== 1"))
        wait_until(lambda: rounds(1, 1), "a round after a change of the rules", 30)
        self.write("t.yml", TEST.replace("0x3", "1x3"))
        wait_until(lambda: rounds(2, 1), "a round after a change of the test", 30)
        tool.send_signal(signal.SIGINT)
        self.assertEqual(tool.wait(10), 0)

    def test_a_first_test_has_live_series_and_passes(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), LiveServer)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        run = subprocess.run(
            [TOCSIN, "test", "init", "--server", url, "-o", "first.yml", "rules.yml"],
            cwd=self.folder.name, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("series: 'up{job=\"live\"}'\n        values: '0 0 1'", self.read("first.yml"))
        run = subprocess.run(
            [TOCSIN, "test", "rules", "first.yml"], cwd=self.folder.name, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout)
        run = subprocess.run(
            [TOCSIN, "test", "init", "--server", "127.0.0.1:1", "rules.yml"],
            cwd=self.folder.name, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout), (2, ""))

    def test_the_name_promtool_has_its_words(self):
        os.symlink(TOCSIN, self.path("promtool"))
        self.write("bad.yml", TEST.replace("job: a", "job: b"))
        run = subprocess.run(
            ["./promtool", "test", "--junit=r.xml", "rules", "t.yml", "bad.yml"],
            cwd=self.folder.name, capture_output=True, text=True, executable=self.path("promtool"))
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stdout, "Unit Testing:  t.yml\n  SUCCESS\n\nUnit Testing:  bad.yml\n\n")
        self.assertTrue(run.stderr.startswith("  FAILED:\n    name: down,\n    alertname: Down, time: 1m"))
        suites = ET.parse(self.path("r.xml")).getroot()
        self.assertEqual([s.get("failures") for s in suites], ["0", "1"])
        self.write("own.yml", TEST + "    tocsin: {}\n")
        run = subprocess.run(
            [self.path("promtool"), "test", "rules", "own.yml"],
            cwd=self.folder.name, capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("field tocsin not found", run.stderr)


if __name__ == "__main__":
    unittest.main()
