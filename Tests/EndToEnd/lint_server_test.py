"""`tocsin check rules --server` against Debian's Prometheus: what it scrapes sharpens the findings."""

import json
import subprocess

from support.servers import Exporter, Page
from support.stage import TOCSIN, EndToEndTest, beyond_prometheus
from support.waiting import wait_until

CONFIG = """
    global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{site: north}}}}
    scrape_configs:
      - job_name: app
        metrics_path: /app
        static_configs: [{{targets: ['{target}']}}]
"""
PAGE = """# HELP db_pool_usage Connections by state.
# TYPE db_pool_usage gauge
db_pool_usage{state="active"} 1
db_pool_usage{state="idle"} 3
db_pool_usage{state="waiting"} 0
# HELP db_pool_size Connections at most.
# TYPE db_pool_size gauge
db_pool_size 4
# HELP db_query_total Queries.
# TYPE db_query_total counter
db_query_total{status="ok"} 20
# HELP db_busy Queries so far, under a name that does not say so.
# TYPE db_busy counter
db_busy 20
"""
RULES = """
    groups:
      - name: pool
        rules:
          - alert: Waiting
            expr: db_pool_usage{state="wating"} > 0
          - alert: Label
            expr: db_pool_usage{stat="idle"} > 0
          - alert: Metric
            expr: db_pool_sizes > 0
          - alert: Full
            expr: (db_pool_usage{state="active"} / db_pool_size) * 100 > 90
          - alert: Gauge
            expr: rate(db_pool_size[5m]) > 0
          - alert: Counter
            expr: db_busy > 10
          - alert: Window
            expr: rate(db_query_total[1s]) > 1
          - alert: Conflict
            expr: db_pool_size > 100
            labels: {site: south}
          - alert: Firing
            expr: db_pool_size > 3
          - alert: Fine
            expr: db_pool_usage{state="waiting"} > 0
            for: 1m
"""


@beyond_prometheus("check rules against a server")
class LintServerTest(EndToEndTest):
    def check(self, *arguments):
        """The findings as (check, severity, rule, message with its detail), and the exit code."""
        done = subprocess.run(
            [TOCSIN, "check", "rules", "-o", "json", *arguments], cwd=self.stage.folder, capture_output=True, text=True,
            timeout=60)  # fmt: skip
        self.assertEqual(done.stderr, "")
        found = {}
        for problem in json.loads(done.stdout)["problems"]:
            said = problem["message"] + " / " + (problem["detail"] or "")
            found.setdefault(problem["rule"], {})[problem["check"]] = (problem["severity"], said)
        return found, done.returncode

    def start(self):
        exporter = self.stage.add(Exporter(app=Page(PAGE)))
        self.stage.write("prometheus.yml", CONFIG.format(target=exporter.address))
        self.stage.write("rules.yml", RULES)

    def test_with_a_server(self):
        self.start()
        server = self.stage.prometheus()
        wait_until(lambda: server.query("db_busy"), "Prometheus scrapes")
        wait_until(lambda: server.api("metadata", metric="db_busy"), "Prometheus has metadata")
        wait_until(lambda: server.query("count_over_time(db_busy[1m]) > 2"), "Prometheus has scraped for a while")
        found, code = self.check("--server", server.base, "rules.yml")
        self.assertEqual(code, 1)
        severity, said = found["Waiting"]["live/value"]
        self.assertEqual(severity, "error")
        self.assertIn("did you mean `waiting`?", said)
        self.assertIn('seen: "active", "idle", "waiting"', said)
        severity, said = found["Label"]["live/label"]
        self.assertEqual(severity, "error")
        self.assertIn("did you mean `state`?", said)
        severity, said = found["Metric"]["live/metric"]
        self.assertEqual(severity, "error")
        self.assertIn("did you mean `db_pool_size`?", said)
        self.assertIn("error", [severity for severity, _ in found["Full"].values()])
        self.assertEqual(found["Gauge"]["promql/rate-of-gauge"][0], "error")
        self.assertIn("promql/raw-counter", found["Counter"])
        self.assertIn("live/external-label", found["Conflict"])
        self.assertIn("error", [severity for severity, _ in found["Window"].values()])
        self.assertNotIn("Fine", found)
        self.assertNotIn("live/alerts", found.get("Firing", {}))

        found, _ = self.check("--server", server.base, "--alerts", "rules.yml")
        self.assertIn("would have fired 1 time over the last day", found["Firing"]["live/alerts"][1])
        self.assertIn("would have fired 0 times", found["Fine"]["live/alerts"][1])

    def test_with_a_configuration(self):
        self.start()
        found, _ = self.check("rules.yml")
        self.assertNotIn("Window", found)
        self.assertNotIn("Conflict", found)
        found, code = self.check("--prometheus.yml", "prometheus.yml", "rules.yml")
        self.assertEqual(code, 1)
        self.assertIn("error", [severity for severity, _ in found["Window"].values()])
        self.assertIn("live/external-label", found["Conflict"])
        self.assertNotIn("Waiting", found)

    def test_a_server_that_is_not_there(self):
        self.stage.write("rules.yml", RULES)
        done = subprocess.run(
            [TOCSIN, "check", "rules", "--server", "http://127.0.0.1:1", "rules.yml"], cwd=self.stage.folder,
            capture_output=True, text=True, timeout=60)  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertTrue(done.stderr.startswith("tocsin: "), done.stderr)
