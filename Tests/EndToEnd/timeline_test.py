"""Alerts with no `for` and a small one against the running daemon: what is told when, in real time.

A timeline of samples every 15 s and evaluations every 30 s; by default fifty times faster. With TOCSIN_REAL_TIME=1 it takes
its true half an hour.
"""

from __future__ import annotations

import json
import os
import time

from support.servers import Exporter, Page, Server
from support.stage import EndToEndTest, beyond_prometheus
from support.times import timestamp

REAL = os.environ.get("TOCSIN_REAL_TIME") == "1"
SCALE = 1.0 if REAL else 0.02
STEP = 15 * SCALE
INTERVAL = 30 * SCALE
RESEND = 60 * SCALE
RETENTION = 15 * 60
LAST = 127
# The scrape, the evaluation, and what a busy machine adds.
SLACK = INTERVAL + (5 + 10 if REAL else 1.5)

SAMPLES = [(0, 3), (1, 5), (4, 9), (8, 15), (21, 9), (93, 11), (106, 9)]
VALUES = r"""{{ humanize 1048576.0 }} {{ humanize1024 1048576.0 }} {{ humanizeDuration 135.0 }} \
{{ humanizePercentage 0.959 }} {{ humanizeTimestamp 1643114203.0 }}"""
QUERY = r"""{{ define "told" }}Args are: {{ .arg0 }} {{ .arg1 }} {{ .arg2 }}.{{ end }}{{ template "told" (args "foo" "bar" 99) }} \
{{ with query "suite{for='template'}" | sortByLabel "id" }}first_id:{{ . | first | label "id" }},\
{{ range . }}{{ . | label "id" }}:{{ . | value }},{{ end }}{{ end }}"""
TEXTS = r"""{{ "this part" | title }} {{ "is testing" | toUpper }} {{ "THE STRINGS" | toLower }}. \
{{ stripPort "[::1]:6060" }} {{ stripPort "127.0.0.1:6060" }}. {{ "2h10m15s" | parseDuration }}. \
{{ if match "[0-9]+" "a1b" }}{{ reReplaceAll "[0-9]+" " " "replaced12text" }}{{ end }}."""

RULES = {
    "groups": [
        {
            "name": "small",
            "interval": f"{int(INTERVAL * 1000)}ms",
            "labels": {"rulegroup": "small"},
            "rules": [
                {
                    "alert": "ZeroFor",
                    "expr": 'suite{alertname="ZeroFor"} > 10',
                    "labels": {"foo": "bar"},
                    "annotations": {"values": VALUES.replace("\\\n", ""), "queried": QUERY.replace("\\\n", "")},
                },
                {
                    "alert": "SmallFor",
                    "expr": 'suite{alertname="SmallFor"} > 13',
                    "for": f"{int(15 * SCALE * 1000)}ms",
                    "labels": {"ba_dum": "tss"},
                    "annotations": {"texts": TEXTS.replace("\\\n", "")},
                },
            ],
        }
    ]
}
CONFIG = """
    global: {{scrape_interval: {scrape}ms, scrape_timeout: {scrape}ms, evaluation_interval: {interval}ms}}
    rule_files: [rules.yml]
    scrape_configs:
      - job_name: app
        metrics_path: /app
        static_configs: [{{targets: ['{target}']}}]
        metric_relabel_configs: [{{regex: 'job|instance', action: labeldrop}}]
    alerting:
      alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]
"""


class Alertmanager(Server):
    """Writes down every alert it is told of, and when."""

    def __init__(self):
        self.told = []
        super().__init__()

    def handle(self, handler, body):
        now = time.time()
        for alert in json.loads(body):
            self.told.append((now, alert))
        handler.send(200, b"{}", "application/json")


@beyond_prometheus("take intervals below a second")
class SmallForTest(EndToEndTest):
    seconds = 60 + LAST * STEP

    def page(self):
        k = (time.time() - self.zero) / STEP
        value = next((v for at, v in reversed(SAMPLES) if at <= k), 3)
        lines = [f'suite{{alertname="{name}"}} {value}\n' for name in ("ZeroFor", "SmallFor") if k < 107]
        factor = 1 if k < 28 else 2
        lines += [f'suite{{for="template",id="10{i}"}} {i * factor}\n' for i in (1, 2, 3)]
        return "".join(lines) or "\n"

    def at(self, k):
        return self.zero + k * STEP

    def states(self, alerts):
        return {name: next((a["state"] for a in alerts if a["labels"]["alertname"] == name), "inactive") for name in ("ZeroFor", "SmallFor")}

    def possible(self, name, now):
        """The states a rule may have now: what it became lately, and what it was before that."""
        changes = {
            "ZeroFor": [(-1e9, "inactive"), (8, "firing"), (21, "inactive"), (93, "firing"), (106, "inactive")],
            "SmallFor": [(-1e9, "inactive"), (8, "pending"), (8, "firing"), (21, "inactive")],
        }[name]
        allowed = set()
        for (start, state), end in zip(changes, [start for start, _ in changes[1:]] + [1e9]):
            # A pending alert fires at the next evaluation only.
            late = SLACK + (INTERVAL if state == "pending" else 0)
            if self.at(start) <= now < self.at(end) + late:
                allowed.add(state)
        return allowed

    def test_told_in_time(self):
        self.zero = time.time() + 1e6
        receiver = self.stage.add(Alertmanager())
        exporter = self.stage.add(Exporter(app=Page(self.page)))
        scrape = 5000 if REAL else 100
        self.stage.write("rules.yml", json.dumps(RULES))
        self.stage.write(
            "prometheus.yml",
            CONFIG.format(scrape=scrape, interval=int(INTERVAL * 1000), target=exporter.address, alertmanager=receiver.address),
        )
        tocsin = self.stage.tocsin("--rules.alert.resend-delay", f"{int(RESEND * 1000)}ms")
        self.zero = time.time() + 1
        active = {}
        while time.time() < self.at(LAST):
            time.sleep(max(0.1, INTERVAL / 4))
            # Between question and answer the state may change: both moments count.
            before = time.time()
            alerts = tocsin.api("alerts")["alerts"]
            after = time.time()
            for name, state in self.states(alerts).items():
                allowed = self.possible(name, before) | self.possible(name, after)
                self.assertIn(state, allowed, f"{name} at sample {(before - self.zero) / STEP:.1f}")
            for alert in alerts:
                active.setdefault(alert["labels"]["alertname"], set()).add(alert["activeAt"])
        self.assertEqual((len(active["ZeroFor"]), len(active["SmallFor"])), (2, 1))
        for name in active:
            begin = min(timestamp(text) for text in active[name])
            self.assertTrue(self.at(8) - 0.1 <= begin <= self.at(8) + SLACK, name)
        self.check_zero([m for m in receiver.told if m[1]["labels"]["alertname"] == "ZeroFor"])
        self.check_small([m for m in receiver.told if m[1]["labels"]["alertname"] == "SmallFor"])
        for rule in tocsin.rules().values():
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""))

    def split(self, told):
        """Firing and resolved messages."""
        firing = [(at, a) for at, a in told if timestamp(a["endsAt"]) > at]
        return firing, [(at, a) for at, a in told if timestamp(a["endsAt"]) <= at]

    def check_row(self, row, start, end):
        """From start to end, as often as the resend delay asks: at the first slot strictly behind it."""
        self.assertTrue(row, f"something is told from sample {(start - self.zero) / STEP:.0f}")
        times = [at for at, _ in row]
        self.assertTrue(start - 0.1 <= times[0] <= start + SLACK + INTERVAL)
        self.assertGreaterEqual(times[-1], end - RESEND - 2 * INTERVAL - SLACK)
        self.assertLessEqual(times[-1], end + SLACK + INTERVAL)
        for a, b in zip(times, times[1:]):
            self.assertGreater(b - a, RESEND - 0.4, "not too often")
            self.assertLess(b - a, RESEND + INTERVAL + SLACK, "not too seldom")

    def check_zero(self, told):
        firing, resolved = self.split(told)
        first = [m for m in firing if m[0] < self.at(21) + SLACK]
        again = [m for m in firing if m[0] >= self.at(93)]
        self.assertEqual(len(first) + len(again), len(firing), "nothing fires in between")
        self.check_row(first, self.at(8), self.at(21))
        self.check_row(again, self.at(93), self.at(106))
        ended = [m for m in resolved if m[0] < self.at(93) + SLACK]
        self.check_row(ended, self.at(21), min(self.at(93), self.at(21) + RETENTION))
        self.check_row([m for m in resolved if m[0] >= self.at(106)], self.at(106), self.at(LAST))
        self.assertEqual(first[0][1]["labels"], {"alertname": "ZeroFor", "foo": "bar", "rulegroup": "small"})
        self.assertEqual(
            first[0][1]["annotations"],
            {
                "values": "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC",
                "queried": "Args are: foo bar 99. first_id:101,101:1,102:2,103:3,",
            },
        )
        self.assertTrue(again[-1][1]["annotations"]["queried"].endswith("101:2,102:4,103:6,"))
        self.assertEqual(len({a["startsAt"] for _, a in first}), 1)
        for at, alert in firing:
            self.assertAlmostEqual(timestamp(alert["endsAt"]) - at, 4 * RESEND, delta=SLACK)

    def check_small(self, told):
        firing, resolved = self.split(told)
        self.check_row(firing, self.at(8) + INTERVAL - SLACK, self.at(21))
        self.assertLess(firing[-1][0], self.at(21) + SLACK)
        self.check_row(resolved, self.at(21), min(self.at(LAST), self.at(21) + RETENTION))
        self.assertEqual(
            firing[0][1]["annotations"]["texts"], "This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text."
        )
