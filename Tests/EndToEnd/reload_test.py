"""Reloads of the running daemon: what is kept, what is quarantined, what is foreseen."""

from __future__ import annotations

import json
import os
import signal
import subprocess

from support.configs import ONE_APP
from support.servers import Exporter, Page, Receiver
from support.stage import TOCSIN, EndToEndTest, beyond_prometheus
from support.waiting import wait_until

RULES = """
    groups:
      - name: app
        rules:
          - {alert: QueueTooLong, expr: queue_length > 10, labels: {severity: page}}
          - {alert: QueueGrows, expr: queue_length > 5, for: 1h}
          - {record: queue:sum, expr: sum(queue_length)}
"""
BROKEN = RULES.replace("queue_length > 10", "queue_length >")
LAST_RELOAD = "prometheus_config_last_reload_successful"
HOOK = "webhooks: [{{name: ops, url: '{url}', group_interval: 1s}}]\n"


@beyond_prometheus("quarantine rules or foresee reloads")
class ReloadTest(EndToEndTest):
    seconds = 90

    def start(self, *flags):
        exporter = self.stage.add(Exporter(app=Page('# TYPE queue_length gauge\nqueue_length{queue="mail"} 12\n')))
        self.receiver = self.stage.add(Receiver())
        self.stage.write("prometheus.yml", ONE_APP.format(target=exporter.address))
        self.stage.write("rules.yml", RULES)
        self.stage.write("tocsin.yml", HOOK.format(url=self.receiver.url()))
        tocsin = self.stage.tocsin("--web.enable-lifecycle", *flags)
        tocsin.wait_for_alert("QueueTooLong", "firing")
        return tocsin

    def cli(self, tocsin, *arguments):
        return subprocess.run(
            [TOCSIN, "reload", "--url", tocsin.base, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=self.stage.folder,
        )

    def test_quarantine(self):
        tocsin = self.start()
        began = tocsin.alerts("QueueTooLong")[0]["activeAt"]
        self.stage.write("rules.yml", BROKEN)
        answer = tocsin.post("/-/reload")
        self.assertEqual(answer.status, 500)
        self.assertIn("rules.yml:4:", answer.text)
        rule = tocsin.rules()["QueueTooLong"]
        self.assertEqual((rule["health"], rule["query"]), ("err", "queue_length > 10"))
        self.assertIn("rules.yml:4:", rule["lastError"])
        self.assertEqual(tocsin.metric("tocsin_rules_quarantined", rule="QueueTooLong"), 1)
        self.assertEqual(tocsin.metric(LAST_RELOAD), 0)
        evaluated = rule["lastEvaluation"]
        wait_until(lambda: tocsin.rules()["QueueTooLong"]["lastEvaluation"] > evaluated, "it is still evaluated")
        self.assertEqual(tocsin.alerts("QueueTooLong")[0]["activeAt"], began)
        self.assertEqual(tocsin.rules()["QueueGrows"]["health"], "ok")
        self.stage.write("rules.yml", "no: [yaml")
        outcome = self.cli(tocsin)
        self.assertEqual(outcome.returncode, 1)
        self.assertIn("rules.yml:1:", outcome.stdout)
        self.assertEqual(tocsin.alerts("QueueTooLong")[0]["activeAt"], began)
        self.stage.write("rules.yml", RULES)
        outcome = self.cli(tocsin)
        self.assertEqual((outcome.returncode, outcome.stdout), (0, "Configuration reloaded.\n"), outcome.stderr)
        self.assertEqual(tocsin.rules()["QueueTooLong"]["health"], "ok")
        self.assertEqual(tocsin.alerts("QueueTooLong")[0]["activeAt"], began)
        self.assertEqual((tocsin.metric(LAST_RELOAD), tocsin.metric("tocsin_rules_quarantined")), (1, 0))
        self.assertNotIn("Alert resolved", tocsin.log)

    def test_strict(self):
        tocsin = self.start("--rules.strict")
        self.stage.write("rules.yml", BROKEN)
        tocsin.signal(signal.SIGHUP)
        tocsin.wait_for_log("the old one stays in force")
        self.assertEqual(tocsin.rules()["QueueTooLong"]["health"], "ok")
        self.assertEqual(tocsin.metric(LAST_RELOAD), 0)
        process = self.stage.run(
            "refused",
            [TOCSIN, "run", "--config.file", self.stage.folder / "prometheus.yml", "--rules.strict", "--web.listen-address", "127.0.0.1:0"],
            cwd=self.stage.folder,
        )
        process.expected_exit = {1}
        self.assertEqual(process.wait(15), 1)

    def test_changes_are_noticed(self):
        tocsin = self.start("--enable-feature", "auto-reload-config", "--config.auto-reload-interval", "1s")
        self.stage.write("rules.yml", RULES.replace("severity: page", "severity: ticket"))
        self.receiver.wait_for("QueueTooLong", "resolved")
        wait_until(lambda: [a["labels"]["severity"] for a in tocsin.alerts("QueueTooLong")] == ["ticket"], "the label is new")
        path = self.stage.folder / "rules.yml"
        os.utime(path)
        reloads = len(tocsin.log_lines("Configuration applied"))
        wait_until(lambda: tocsin.value("count_over_time(up[3s])") >= 2, "a while")
        self.assertEqual(len(tocsin.log_lines("Configuration applied")), reloads, "content counts, not time")

    def test_foreseen(self):
        tocsin = self.start()
        (self.stage.folder / "new").mkdir()
        self.stage.write(
            "new/rules.yml",
            RULES.replace("severity: page", "severity: ticket").replace("> 5, for: 1h", "> 50, for: 1h")
            + "          - {alert: Fresh, expr: queue_length > 11}\n",
        )
        plan = self.cli(tocsin, "--plan", "new/rules.yml", "-o", "json")
        self.assertEqual(plan.returncode, 0, plan.stderr + plan.stdout)
        data = json.loads(plan.stdout)["data"]
        found = sorted((a["outcome"], a["rule"], a["labels"].get("severity", "")) for a in data["alerts"])
        self.assertEqual(
            found,
            [
                ("new", "Fresh", ""),
                ("new", "QueueTooLong", "ticket"),
                ("resolved", "QueueGrows", ""),
                ("resolved", "QueueTooLong", "page"),
            ],
        )
        text = self.cli(tocsin, "--plan", "new/rules.yml").stdout
        self.assertIn("alerts: 0 kept, 0 reset, 2 resolved, 2 new\n", text)
        self.assertIn("groups: 0 unchanged, 1 changed, 0 added, 0 removed\n", text)
        same = json.loads(self.cli(tocsin, "--plan", "prometheus.yml", "-o", "json").stdout)["data"]
        self.assertEqual({a["outcome"] for a in same["alerts"]}, {"kept"})
        self.assertEqual(same["groups"]["unchanged"], 1)
        broken = self.stage.write("broken.yml", "global: {no: 1}\n")
        refused = self.cli(tocsin, "--plan", broken)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("would be refused", refused.stdout)
        self.assertEqual(tocsin.rules()["QueueTooLong"]["health"], "ok")
        self.assertEqual(len(tocsin.log_lines("Configuration applied")), 1)
