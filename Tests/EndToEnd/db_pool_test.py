"""The story: an application on SQLite runs out of connections under load, is told by webhook, and recovers."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
import urllib.parse

from support.payload import check_payload
from support.peers import missing
from support.stage import PROJECT, TOCSIN, EndToEndTest
from support.times import timestamp

DEMO = PROJECT / "examples" / "db-pool" / "demo.py"
PENDING_FOR = {"HighConnectionWait": 4.0, "ConnectionPoolExhausted": 5.0}
SEVERITY = {"HighConnectionWait": "warning", "ConnectionPoolExhausted": "critical", "PoolNearlyFull": "warning"}
CHINESE = {"HighConnectionWait": "个请求在等待数据库连接", "ConnectionPoolExhausted": "的数据库连接池已耗尽"}
SLACK = 1.6  # one evaluation and two polls of the observer


class DatabasePoolTest(EndToEndTest):
    seconds = 400  # the first run of all installs the application's packages

    @unittest.skipIf(sys.version_info < (3, 11), "the application needs Python 3.11")
    def test_pending_firing_webhook_resolved(self):
        prepared = subprocess.run([sys.executable, str(DEMO), "--setup-only"], capture_output=True, text=True, timeout=330)
        if prepared.returncode != 0:
            missing(f"no packages for the application: {prepared.stderr.strip()}")
        transcript = self.stage.folder / "transcript.json"
        flags = ["--load-seconds", "16", "--timeout", "70", "--json", transcript]
        demo = self.stage.run("demo", [sys.executable, DEMO, "--tocsin", TOCSIN, *flags])
        code = demo.wait(110)
        story = json.loads(transcript.read_text(encoding="utf-8")) if transcript.exists() else {}
        self.assertEqual((code, story.get("missing")), (0, []))
        self.assertEqual(story["rule_errors"], {})
        self.assertEqual(story["exit_codes"]["tocsin"], 0, "SIGTERM ends the daemon with 0")
        for name in PENDING_FOR:
            with self.subTest(alert=name):
                self.check_timeline(name, story)
        for webhook in story["webhooks"]:
            self.check_webhook(webhook["payload"])
        grown = [webhook for webhook in story["webhooks"] if webhook["pool_after"] > webhook["pool_before"]]
        self.assertEqual((grown[0]["pool_before"], grown[0]["pool_after"]), (3, 4))

    def check_timeline(self, name, story):
        steps = [step for step in story["transitions"] if step["alert"] == name]
        walk = [(step["old"], step["new"]) for step in steps]
        fired = walk.index(("pending", "firing"))
        self.assertEqual(walk[fired - 1], ("inactive", "pending"))
        self.assertEqual(walk[fired + 1], ("firing", "resolved"))
        self.assertIn(walk[-1][1], {"resolved", "inactive"}, "nothing is left over")
        pending, firing = steps[fired - 1], steps[fired]
        self.assertGreaterEqual(firing["at"] - pending["at"], PENDING_FOR[name] - SLACK)
        self.assertLessEqual(firing["at"] - pending["at"], PENDING_FOR[name] + SLACK + 1)
        self.assertEqual(firing["active_at"], pending["active_at"], "activeAt is the start of pending")

        received = [
            (webhook["at"], alert)
            for webhook in story["webhooks"]
            for alert in webhook["payload"]["alerts"]
            if alert["labels"]["alertname"] == name
        ]
        at, first = received[0]
        self.assertEqual(first["status"], "firing")
        self.assertLess(abs(at - firing["at"]), 2.0, "the webhook leaves at once")
        activeAt = timestamp(firing["active_at"])
        self.assertAlmostEqual(timestamp(first["startsAt"]) - activeAt, PENDING_FOR[name], delta=1.01)
        self.assertEqual(received[-1][1]["status"], "resolved")
        self.assertGreater(timestamp(received[-1][1]["endsAt"]), timestamp(received[-1][1]["startsAt"]))
        self.assertIn(CHINESE[name], first["annotations"]["description_zh"])
        self.assertIn(first["labels"]["instance"], first["annotations"]["description_zh"])

    def check_webhook(self, payload):
        check_payload(self, payload, receiver="db-pool", group_by=["alertname"])
        for alert in payload["alerts"]:
            name = alert["labels"]["alertname"]
            self.assertEqual(set(alert["labels"]) - {"state"}, {"alertname", "instance", "job", "severity"})
            self.assertEqual((alert["labels"]["job"], alert["labels"]["severity"]), ("db-pool", SEVERITY[name]))
            self.assertEqual(set(alert["annotations"]), {"summary", "description", "description_zh"})
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(alert["generatorURL"]).query)
            self.assertEqual(query["g0.tab"], ["1"])
            self.assertIn("db_", query["g0.expr"][0])
