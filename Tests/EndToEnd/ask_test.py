"""`tocsin query` against Debian's Prometheus: every subject, every form, and what goes wrong."""

import csv
import io
import json
import subprocess
import unittest

from support.servers import Exporter, Page
from support.stage import STAND_IN, TOCSIN, Stage
from support.waiting import wait_until

CONFIG = """global: {{scrape_interval: 250ms}}
scrape_configs:
  - job_name: app
    static_configs: [{{targets: ["{address}"]}}]
"""
PAGE = '# HELP load How busy.\n# TYPE load gauge\nload{host="a"} 1\nload{host="b"} 2\n'


@unittest.skipIf(STAND_IN, "only Tocsin asks")
class AskTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stage = cls.stage = Stage("ask")
        cls.addClassCleanup(stage.close)
        exporter = stage.add(Exporter(metrics=Page(PAGE)))
        stage.write("prometheus.yml", CONFIG.format(address=exporter.address))
        cls.server = stage.prometheus()
        wait_until(lambda: len(cls.server.query("load")) == 2, "Prometheus scrapes", 30)

    def ask(self, subject, *arguments, status=0):
        subject, *flags = subject.split()
        done = subprocess.run(
            [TOCSIN, "query", subject, *flags, self.server.base, *arguments],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def test_instant(self):
        lines = self.ask("instant", "sort(sum by (host) (load))").splitlines()
        self.assertEqual(lines, ['{host="a"}  1', '{host="b"}  2'])
        answer = json.loads(self.ask("instant -o json", "load"))
        self.assertEqual(len(answer["data"]["result"]), 2)
        self.assertEqual(self.ask("instant", "absent_metric"), "no data\n")

    def test_csv(self):
        rows = list(csv.DictReader(io.StringIO(self.ask("instant -o csv", "load"))))
        self.assertEqual({row["host"]: row["value"] for row in rows}, {"a": "1", "b": "2"})

    def test_plot(self):
        picture = self.ask("range --plot --step 1", "sum(load)")
        self.assertIn("┤", picture)
        self.assertIn("UTC", picture)
        self.assertNotIn("\x1b", picture)

    def test_lists(self):
        self.assertEqual(self.ask("labels", "host"), "a\nb\n")
        self.assertIn("job\n", self.ask("labels"))
        self.assertEqual(len(self.ask("series", "load").splitlines()), 2)
        self.assertEqual(self.ask("metadata", "load"), "load  gauge  How busy.\n")

    def test_mistakes(self):
        said = self.ask("instant", "sum(load", status=1)
        self.assertIn("sum(load\n", said)
        self.assertIn("^", said)
        self.assertIn("bad_data", self.ask("series", "{", status=1))
        self.ask("instant --http.config.file nowhere.yml", "load", status=2)


if __name__ == "__main__":
    unittest.main()
