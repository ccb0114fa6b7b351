"""The HTTP API: side by side with Debian's Prometheus, and what is Tocsin's own."""

from __future__ import annotations

import json
import re
import subprocess
import unittest
import urllib.request

from support.servers import Exporter, Page, Receiver
from support.stage import PROJECT, STAND_IN, TOCSIN, Stage
from support.waiting import time_limit, wait_until
from support.web import free_port, get, request

CONFIG = """
    global:
      scrape_interval: 1s
      evaluation_interval: 1s
      external_labels: {{site: here}}
    rule_files: [rules.yml]
    alerting:
      alertmanagers:
      - static_configs: [{{targets: ['{manager}', 'drop:1']}}]
        relabel_configs: [{{source_labels: [__address__], regex: drop.*, action: drop}}]
        basic_auth: {{username: somebody, password: hush-1}}
    scrape_configs:
    - job_name: page
      authorization: {{credentials: hush-2}}
      static_configs: [{{targets: ['{page}', 'dropme:1']}}]
      relabel_configs: [{{source_labels: [__address__], regex: dropme.*, action: drop}}]
    - job_name: dead
      params: {{a: [b], token: [t]}}
      static_configs: [{{targets: ['127.0.0.1:1'], labels: {{x: y}}}}]
"""
RULES = """
    groups:
    - name: g
      rules:
      - {alert: Down, expr: up == 0, labels: {severity: page}, annotations: {summary: "{{ $value }}"}}
      - {alert: Wait, expr: up == 0, for: 1h}
      - {record: 'a:b', expr: sum(up)}
      - {record: bad, expr: up + on() up}
"""
# Same status and, where it is an error, the same words.
PATHS = """
    status/config status/runtimeinfo status/buildinfo status/tsdb status/walreplay alertmanagers targets rules alerts
    scrape_pools metadata?metric=up metadata?metric=page_total metadata?limit=x
    targets/metadata?metric=page_total&match_target=%7Bjob=%22page%22%7D targets/metadata targets/metadata?limit=x
    targets/metadata?match_target=x( targets?state=foo targets?state=active targets?state=dropped
    targets?scrapePool=dead&state=active
    query?query=up&stats=all query?query=1&stats=true query?query=up%5B5s%5D query?query=up&time=x
    query?query=up&timeout=x query?query=up&timeout=9e99 query?query=sum(
    query_range?query=up query_range?query=up&start=1&end=2&step=x query_range?query=up&start=2&end=1&step=1
    query_range?query=up&start=1&end=2&step=0 query_range?query=up&start=0&end=99999&step=1
    series series?match[]=up series?match[]=up&start=1&end=2 series?match[]=x( series?match[]=%7B%7D
    series?match[]=up&start=x labels labels?start=1&end=2 labels?start=x labels?end=x labels?match[]=x(
    labels?match[]=%7B%7D labels?start=5&end=2 label/job/values label/job/values?start=1&end=2
    label/job/values?match[]=x( label/job/values?match[]=up%7Bx=%22y%22%7D
    format_query?query=sum(up)by(x) format_query?query=sum( query_exemplars?query=up
    query_exemplars?query=up&start=3&end=2 query_exemplars?query=up&start=x query_exemplars?query=sum(
    rules?type=record rules?type=ALERT rules?type=neither nothing status/nothing
""".split()
# Keys that Prometheus 3 has and 2.42 has not, and what is ours.
NEWER = {
    "GOMEMLIMIT", "hostname", "serverTime", "application", "droppedTargetCounts", "scrapePool",
    "evaluationNanoseconds", "seriesTouched", "samplesTouched", "shapeRebuilds",
}


def shape(value, path=""):
    """Every key path with the kind of value there; objects whose keys are data are leaves."""
    if isinstance(value, dict) and not path.endswith(("abels", "notations", "Counts", "metric")):
        return {(f"{path}.{key}", None) for key in value if key not in NEWER}.union(
            *(shape(inner, f"{path}.{key}") for key, inner in value.items() if key not in NEWER)
        )
    if isinstance(value, list):
        return {(path, "list")}.union(*(shape(inner, path + "[]") for inner in value))
    if isinstance(value, bool):
        return {(path, "boolean")}
    kinds = {int: "number", float: "number", str: "string", dict: "object", type(None): "null"}
    return {(path, kinds[type(value)])}


def keys_in_order(value, path=""):
    """The keys of every object in the order written."""
    if isinstance(value, dict):
        found = [(path, [key for key in value if key not in NEWER])]
        for key, inner in value.items():
            if key not in NEWER:
                found += keys_in_order(inner, f"{path}.{key}")
        return found
    if isinstance(value, list) and value:
        return keys_in_order(value[0], path + "[]")
    return []


def families(text):
    """Name, type and labels of every family of an exposition."""
    found, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
            found[name] = set()
        elif not line.startswith("#"):
            name, labels = re.match(r"([\w:]+)(\{.*\})? ", line).groups()
            base = name if name in found else re.sub(r"_(bucket|sum|count)$", "", name)
            found[base] |= set(re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', labels or "")) - {"le", "quantile"}
    return {name: (kinds[name], labels) for name, labels in found.items()}


class Place:
    """Tocsin and Prometheus on the same files, started once for all tests of this module."""

    stage = None

    @classmethod
    def start(cls):
        stage = cls.stage = Stage("api")
        exporter = stage.add(
            Exporter(metrics=Page("# HELP page_total Pages \\\\ told.\n# TYPE page_total counter\npage_total 1\n"))
        )
        cls.receiver = stage.add(Receiver())
        manager = f"127.0.0.1:{free_port()}"
        stage.write("prometheus.yml", CONFIG.format(page=exporter.address, manager=manager))
        stage.write("rules.yml", RULES)
        hook = cls.receiver.url("/hook")
        stage.write("tocsin.yml", f"webhooks:\n- {{name: ops, url: '{hook}'}}\n")
        cls.theirs = stage.prometheus()
        cls.ours = stage.tocsin()
        for server in (cls.ours, cls.theirs):
            wait_until(lambda: len(server.query("up")) == 2, f"{server.name} scrapes", 30)
            wait_until(lambda: server.alerts("Down"), f"{server.name} evaluates", 15)
            # Its two series may have been one at the first evaluation.
            wait_until(lambda: cls.failing(server), f"{server.name} says that a rule fails", 15)

    @staticmethod
    def failing(server):
        groups = server.api("rules")["groups"]
        return [rule for group in groups for rule in group["rules"] if rule.get("lastError")]


def setUpModule():
    try:
        with time_limit(90, "starting both"):
            Place.start()
    except BaseException:
        Place.stage.close()
        raise


def tearDownModule():
    with time_limit(60, "stopping both"):
        Place.stage.close()
        Place.stage.remove()


class SideBySideTest(unittest.TestCase):
    """Status, keys, their order, kinds of values, and the words of errors."""

    maxDiff = None

    def test_every_shared_path(self):
        for path in PATHS:
            with self.subTest(path=path):
                ours, theirs = (get(f"{server.base}/api/v1/{path}") for server in (Place.ours, Place.theirs))
                self.assertEqual(ours.status, theirs.status, ours.text[:500])
                self.assertEqual(ours.headers["Content-Type"], theirs.headers["Content-Type"])
                if not theirs.headers["Content-Type"].startswith("application/json"):
                    self.assertEqual(ours.text, theirs.text)
                    continue
                if theirs.status != 200:
                    self.assertEqual(ours.json(), theirs.json())
                    continue
                self.assertEqual(sorted(map(str, shape(ours.json()))), sorted(map(str, shape(theirs.json()))))
                if not path.startswith("status/tsdb"):
                    self.assertEqual(keys_in_order(ours.json()), keys_in_order(theirs.json()))

    def test_other_methods(self):
        for method, path in [("POST", "rules"), ("HEAD", "rules"), ("PUT", "query"), ("POST", "x")]:
            with self.subTest(method=method, path=path):
                ours, theirs = (
                    request(method, f"{server.base}/api/v1/{path}") for server in (Place.ours, Place.theirs)
                )
                self.assertEqual(ours.status, theirs.status)

    def test_foreign_origins(self):
        for method, path in [("GET", "/api/v1/alerts"), ("OPTIONS", "/api/v1/query"), ("GET", "/-/healthy")]:
            with self.subTest(method=method, path=path):
                answers = [
                    request(method, server.base + path, headers={"Origin": "http://elsewhere"})
                    for server in (Place.ours, Place.theirs)
                ]
                self.assertEqual(answers[0].status, answers[1].status)
                for name in ("Allow-Headers", "Allow-Methods", "Allow-Origin", "Expose-Headers"):
                    name = "Access-Control-" + name
                    self.assertEqual(answers[0].headers.get(name), answers[1].headers.get(name), name)

    def test_secrets_stay_secret(self):
        for server in (Place.ours, Place.theirs):
            text = server.api("status/config")["yaml"]
            self.assertNotIn("hush", text)
            self.assertIn("password: <secret>", text)
            self.assertIn("credentials: <secret>", text)
            self.assertRegex(text, r"(?m)^  external_labels:\n    site: here$")
        self.assertNotIn("hush", get(Place.ours.base + "/").text)


@unittest.skipIf(STAND_IN, "Prometheus has nothing of this")
class OwnTest(unittest.TestCase):
    """What Prometheus does not have."""

    maxDiff = None

    def test_every_flag_has_a_value(self):
        usage = subprocess.run([TOCSIN, "run", "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"(?m)^  (?:-\w, )?--([a-z][\w.-]+)", usage)) - {"help", "version"}
        self.assertEqual(set(Place.ours.api("status/flags")), options)

    def test_transitions(self):
        found = Place.ours.api("transitions", alert="Down")["transitions"]
        self.assertEqual([(t["from"], t["to"]) for t in found], [("inactive", "pending"), ("pending", "firing")])
        self.assertEqual(found[0]["labels"]["job"], "dead")
        lines = get(Place.ours.base + "/api/v1/transitions", format="jsonl", match=[]).text.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual([json.loads(line)["sequence"] for line in lines], sorted(json.loads(l)["sequence"] for l in lines))
        self.assertEqual(Place.ours.api("transitions", end="1")["transitions"], [])
        self.assertEqual(len(Place.ours.api("transitions", limit="1")["transitions"]), 1)

    def test_deliveries(self):
        def accepted():
            log = Place.ours.api("notifications/log", receiver="ops")["notifications"]
            return [entry for entry in log if entry["outcome"] == "accepted"]

        entry = wait_until(accepted, "the webhook takes it", 15)[0]
        self.assertEqual((entry["status"], entry["alertCount"], entry["attempt"]), (200, 1, 1))
        self.assertEqual(entry["alerts"][0]["labels"]["alertname"], "Down")
        self.assertEqual(Place.ours.api("notifications/log", alert="Nobody")["notifications"], [])
        failed = Place.ours.api("notifications/log")["notifications"]
        self.assertIn("alertmanager", {entry["kind"] for entry in failed})

    def test_following(self):
        """Entries come as they happen: the Alertmanager that is not there keeps failing."""
        url = Place.ours.base + "/api/v1/notifications/log?follow=true&limit=1"
        with urllib.request.urlopen(url, timeout=20) as stream:
            self.assertEqual(stream.headers["Content-Type"], "application/x-ndjson")
            first, second = (json.loads(line) for line in [stream.readline(), stream.readline()])
        self.assertLess(first["sequence"], second["sequence"])

    def test_the_metrics_page_is_true(self):
        shown = families(get(Place.ours.base + "/metrics").text)
        page = {}
        for line in (PROJECT / "docs" / "metrics.md").read_text().splitlines():
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if len(cells) == 4 and cells[0].startswith("`"):
                page[cells[0].strip("`")] = (cells[1], set(re.findall(r"`(\w+)`", cells[2])))
        for name in shown.keys() | page.keys():
            with self.subTest(metric=name):
                self.assertIn(name, page, f"add to docs/metrics.md: {shown.get(name)}")
                self.assertIn(name, shown, "docs/metrics.md has it, /metrics has not")
                self.assertEqual(shown[name][0], page[name][0])
                # A metric without samples so far shows no labels.
                if shown[name][1]:
                    self.assertEqual(shown[name][1], page[name][1])


if __name__ == "__main__":
    unittest.main()
