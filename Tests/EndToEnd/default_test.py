"""The first minute with Tocsin: no configuration at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import unittest

from support.stage import PROJECT, STAND_IN, TOCSIN, EndToEndTest
from support.waiting import wait_until
from support.web import free_port, get


@unittest.skipIf(STAND_IN, "Prometheus needs a configuration")
class DefaultTest(EndToEndTest):
    """`tocsin run` with nothing but another address to listen on."""

    seconds = 60

    def start(self):
        port = free_port()
        command = [TOCSIN, "run", "--web.listen-address", f"127.0.0.1:{port}"]
        return self.stage.service("tocsin", command, port, cwd=self.stage.folder)

    def test_watchdog_fires_within_fifteen_seconds(self):
        shutil.copytree(PROJECT / "rules", self.stage.folder / "rules")
        tocsin = self.start()
        alert = tocsin.wait_for_alert("Watchdog", "firing", 15)
        self.assertEqual(alert["labels"], {"alertname": "Watchdog", "severity": "none"})
        self.assertEqual(alert["value"], "1e+00")
        self.assertIn("告警", alert["annotations"]["description_zh"])
        self.assertIn(tocsin.base, tocsin.log, "it says where to look")
        rules = tocsin.rules()
        for name in ("Watchdog", "TargetDown", "HighConnectionWait", "ConnectionPoolExhausted", "PoolNearlyFull"):
            self.assertIn(name, rules)
        wait_until(lambda: tocsin.value("up") == 1, "it scrapes itself", 30)
        self.assertEqual([target["scrapeUrl"] for target in tocsin.targets().values()], [tocsin.base + "/metrics"])
        self.assertIn("Watchdog", get(tocsin.base + "/").text)

    def test_an_empty_folder(self):
        tocsin = self.start()
        self.assertEqual(get(tocsin.base + "/-/healthy").status, 200)
        wait_until(lambda: tocsin.value("up") == 1, "it scrapes itself", 30)
        self.assertEqual(tocsin.rules(), {})
        self.assertEqual(get(tocsin.base + "/").status, 200)

    def test_two_daemons_on_one_port(self):
        tocsin = self.start()
        command = [TOCSIN, "run", "--web.listen-address", tocsin.address, "--storage.path", self.stage.folder / "other"]
        second = self.stage.run("second", command, cwd=self.stage.folder)
        second.expected_exit = {1, 2}
        self.assertIn(second.wait(15), {1, 2})
        self.assertRegex(second.log, r"(?i)in use")
        self.assertEqual(get(tocsin.base + "/-/healthy").status, 200)

    def test_version_and_help(self):
        for arguments in (["--version"], ["run", "--help"]):
            with self.subTest(arguments=arguments):
                done = subprocess.run([TOCSIN, *arguments], capture_output=True, text=True, timeout=15, env=dict(os.environ))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"\d+\.\d+" if "--version" in arguments else r"--config\.file")

    def test_the_shipped_rules_watch_what_is_exposed(self):
        port, nobody = free_port(), f"127.0.0.1:{free_port()}"
        self.stage.write(
            "prometheus.yml",
            f"""
            global: {{scrape_interval: 1s, evaluation_interval: 1s}}
            rule_files: ['{PROJECT}/rules/self.yml', broken.yml]
            alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{nobody}']}}]}}]}}
            scrape_configs:
              - job_name: tocsin
                static_configs: [{{targets: ['127.0.0.1:{port}']}}]
            """,
        )
        self.stage.write("broken.yml", "groups: [{name: g, rules: [{alert: Broken, expr: 'up =='}]}]\n")
        self.stage.write("tocsin.yml", f"webhooks: [{{name: ops, url: 'http://{nobody}/'}}]\n")
        command = [TOCSIN, "run", "--web.listen-address", f"127.0.0.1:{port}", "--storage.path", "data"]
        tocsin = self.stage.service("tocsin", command, port, cwd=self.stage.folder)
        wait_until(lambda: tocsin.value("up") == 1, "it scrapes itself")
        for rule in tocsin.rules().values():
            for metric in re.findall(r"\b(?:tocsin|prometheus)_\w+", rule["query"]):
                with self.subTest(rule=rule["name"], metric=metric):
                    samples = tocsin.query(f"{{__name__={json.dumps(metric)}}}")
                    self.assertTrue(samples, "not exposed")
                    used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
                    self.assertLessEqual(used, set(samples[0][0]), "labels in its annotations")
        errors = f"alertmanager=~'.*{nobody}.*'"
        wait_until(lambda: tocsin.value(f"prometheus_notifications_errors_total{{{errors}}}") > 0, "errors are counted")
        wait_until(lambda: tocsin.value("tocsin_webhook_errors_total{webhook='ops'}") > 0, "errors are counted")
