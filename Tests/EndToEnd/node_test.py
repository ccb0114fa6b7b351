"""Debian's node-exporter as the target, Debian's Alertmanager as the receiver."""

from __future__ import annotations

import time
import urllib.parse

from support import peers
from support.payload import fingerprint
from support.stage import EndToEndTest
from support.times import timestamp
from support.waiting import wait_until
from support.web import free_port, get

EXTERNAL_URL = "http://tocsin.example:9190"
RULES = """
    groups:
      - name: node
        interval: 1s
        rules:
          - record: instance:node_memory_utilisation:ratio
            expr: 1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes
          - record: instance:node_cpu_utilisation:rate5s
            expr: 1 - avg without (cpu, mode) (rate(node_cpu_seconds_total{mode="idle"}[5s]))
          - alert: NodeMemoryInUse
            expr: >-
              instance:node_memory_utilisation:ratio
                * on (instance) group_left (nodename) node_uname_info * 100 > 0
            for: 2s
            labels:
              severity: '{{ if gt $value 100.0 }}impossible{{ else }}page{{ end }}'
            annotations:
              summary: '{{ $labels.nodename }} uses {{ printf "%.0f" $value }} % of its memory'
              summary_zh: '主机 {{ $labels.nodename }}（{{ $labels.instance }}）内存使用率 {{ printf "%.0f" $value }}%'
              origin: '{{ $externalLabels.cluster }} {{ .ExternalURL }}'
          - alert: NodeBusy
            expr: count by (instance) (instance:node_cpu_utilisation:rate5s >= 0) and on (instance) node_load1 >= 0
            labels: {severity: info}
          - alert: NodeFilesystemFull
            expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0
          - alert: NodeClockSkew
            expr: abs(node_time_seconds - timestamp(node_time_seconds)) > 3600
          - alert: NodeDown
            expr: up{job="node"} == 0
            for: 1s
            labels: {severity: page}
"""


class NodeTest(EndToEndTest):
    seconds = 90

    def test_alertmanager_lists_the_alert(self):
        stage = self.stage
        stage.write("alertmanager.yml", "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n")
        alertmanager = stage.alertmanager()
        port = free_port()
        node = f"127.0.0.1:{port}"
        exporter = stage.service(
            "node-exporter", [peers.path("prometheus-node-exporter"), f"--web.listen-address={node}"], port, ready="/"
        )
        exporter.expected_exit = {0, -15}
        self.configure(node, alertmanager.address)
        began = time.time()
        tocsin = stage.tocsin("--web.external-url", EXTERNAL_URL)

        listed = wait_until(lambda: self.listed(alertmanager, "NodeMemoryInUse"), "Alertmanager lists the alert", 30)
        own = tocsin.wait_for_alert("NodeMemoryInUse", "firing")
        self.assertEqual(tocsin.value('count(node_cpu_seconds_total{mode="idle"}) > 0') > 0, True)
        self.check_alert(listed, own, node, began)
        wait_until(lambda: self.listed(alertmanager, "NodeBusy"), "Alertmanager lists an alert without annotations", 15)
        self.assertEqual({name for name in self.names(alertmanager)}, {"NodeMemoryInUse", "NodeBusy"})
        self.assertEqual({rule["health"] for rule in tocsin.rules().values()}, {"ok"})

        exporter.stop()
        down = wait_until(lambda: self.listed(alertmanager, "NodeDown"), "Alertmanager lists NodeDown", 20)
        self.assertEqual(down["labels"]["instance"], node)
        wait_until(
            lambda: self.names(alertmanager) == {"NodeDown"}, "the alerts of vanished series resolve in Alertmanager", 20
        )
        self.assertEqual(tocsin.query("instance:node_memory_utilisation:ratio"), [], "a recorded series turns stale")
        url = f"http://{alertmanager.address}/api/v2/alerts"
        self.assertGreaterEqual(tocsin.metric("prometheus_notifications_sent_total", alertmanager=url), 3)
        self.assertEqual(tocsin.metric("prometheus_notifications_errors_total", alertmanager=url), 0)
        self.assertEqual(tocsin.metric("prometheus_notifications_dropped_total", alertmanager=url), 0)

    def configure(self, node, alertmanager):
        self.stage.write("node.yml", RULES)
        self.stage.write(
            "prometheus.yml",
            f"""
            global:
              scrape_interval: 1s
              scrape_timeout: 1s
              evaluation_interval: 1s
              external_labels: {{cluster: shop, replica: a}}
            rule_files: [nod*.yml]
            alerting:
              alert_relabel_configs:
                - {{action: labeldrop, regex: replica}}
              alertmanagers:
                - static_configs:
                    - targets: ['{alertmanager}']
            scrape_configs:
              - job_name: node
                static_configs:
                  - targets: ['{node}']
                    labels: {{room: '机房'}}
            """,
        )

    def check_alert(self, listed, own, node, began):
        labels = listed["labels"]
        self.assertEqual(
            labels,
            {
                "alertname": "NodeMemoryInUse",
                "cluster": "shop",
                "instance": node,
                "job": "node",
                "nodename": own["labels"]["nodename"],
                "room": "机房",
                "severity": "page",
            },
        )
        self.assertEqual(listed["fingerprint"], fingerprint(labels))
        name = labels["nodename"]
        annotations = listed["annotations"]
        self.assertEqual(set(annotations), {"summary", "summary_zh", "origin"})
        self.assertRegex(annotations["summary"], rf"^{name} uses \d+ % of its memory$")
        self.assertRegex(annotations["summary_zh"], rf"^主机 {name}（{node}）内存使用率 \d+%$")
        self.assertEqual(annotations["origin"], f"shop {EXTERNAL_URL}")
        starts, ends = timestamp(listed["startsAt"]), timestamp(listed["endsAt"])
        self.assertAlmostEqual(starts - timestamp(own["activeAt"]), 2.0, delta=0.01)
        self.assertTrue(began < starts < time.time(), listed)
        self.assertTrue(180 < ends - starts < 360, "valid for four times the resend delay")
        self.assertEqual(listed["status"]["state"], "active")
        link = urllib.parse.urlsplit(listed["generatorURL"])
        self.assertEqual(f"{link.scheme}://{link.netloc}{link.path}", EXTERNAL_URL + "/graph")
        self.assertEqual(
            urllib.parse.parse_qs(link.query),
            {
                "g0.expr": [
                    "instance:node_memory_utilisation:ratio * on (instance) group_left (nodename) node_uname_info"
                    " * 100 > 0"
                ],
                "g0.tab": ["1"],
            },
        )

    def all_listed(self, alertmanager):
        return get(f"{alertmanager.base}/api/v2/alerts", active="true").json()

    def names(self, alertmanager):
        return {alert["labels"]["alertname"] for alert in self.all_listed(alertmanager)}

    def listed(self, alertmanager, name):
        found = [alert for alert in self.all_listed(alertmanager) if alert["labels"]["alertname"] == name]
        return found[0] if len(found) == 1 else None
