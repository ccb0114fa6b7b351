"""The same targets, scraped by Tocsin and by Debian's Prometheus: the same questions get the same answers.

Two pages make answers comparable although the two scrape at different moments. One is constant, but for one switch from
`CALM` to `BUSY` that both have seen. The other carries timestamps of its own, so both store the very same samples. Every
range is read half-way between two samples: Prometheus 2 still counted a sample on the left edge, Prometheus 3 does not.
"""

from __future__ import annotations

import math
import subprocess
import time
import unittest

from query_cases import (
    BUSY, CALM, CONFIG, EXPRESSIONS, REFUSED, RULES, SLOT, STAMP, STEPPED,
    STILL, TOCSIN_YML, WINDOW,
)
from support.servers import Exporter, Page
from support.stage import STAND_IN, TOCSIN, Stage
from support.waiting import time_limit, wait_until
from support.web import free_port, get, post_form


def stamped_page():
    """What the exporter shows now: the newest sample of every stamped series."""
    number = math.floor((time.time() - STAMP) / SLOT)
    phase = number % 1_000_000
    at = int((number * SLOT + STAMP) * 1000)
    lines = [
        f'stamped_total{{kind="even"}} {phase * 4}',
        f'stamped_total{{kind="odd"}} {phase * 3 + phase % 3}',
        f'stamped_total{{kind="reset"}} {phase % 4 * 10}',
        f'stamped_gauge{{job="honoured"}} {(phase * 7919) % 101 / 4}',
        f'stamped_seconds_bucket{{le="0.1"}} {phase * 5}',
        f'stamped_seconds_bucket{{le="0.5"}} {phase * 8 + phase % 2}',
        f'stamped_seconds_bucket{{le="+Inf"}} {phase * 9 + phase % 2}',
        f"stamped_seconds_sum {phase * 2.5}",
        f"stamped_seconds_count {phase * 9 + phase % 2}",
    ]
    return "".join(f"{line} {at}\n" for line in lines)


def quiet_moment():
    """A time between two stamped samples that both servers have scraped by now."""
    slot = math.floor(time.time() / SLOT) - 2
    return slot * SLOT + STAMP + SLOT / 2


class Pair:
    """Tocsin and Prometheus on the same files, started once for all tests of this module."""

    stage = None
    failed = False

    @classmethod
    def start(cls):
        stage = cls.stage = Stage("query")
        exporter = stage.add(Exporter(still=Page(STILL + CALM), stamped=Page(stamped_page)))
        stage.write("prometheus.yml", CONFIG.format(address=exporter.address))
        stage.write("tocsin.yml", TOCSIN_YML)
        stage.write("rules.yml", RULES)
        cls.theirs = stage.prometheus("--rules.alert.resend-delay=1s")
        cls.ours = stage.tocsin()
        cls.both = [cls.ours, cls.theirs]
        for server in cls.both:
            wait_until(lambda: len(server.query("up == 1")) == 2, f"{server.name} scrapes", 30)
            wait_until(lambda: server.query("count_over_time(load[1m]) > 1"), f"{server.name} has seen it calm", 10)
        first = time.time()
        exporter["still"] = Page(STILL + BUSY)
        for server in cls.both:
            wait_until(lambda: server.value('load{host="a"}') == 9, f"{server.name} has seen it busy", 10)
            server.wait_for_alert("RoomTooWarm", "firing")
        time.sleep(max(0.0, first + WINDOW + 3 * SLOT - time.time()))

    @classmethod
    def stop(cls):
        cls.stage.close()
        if cls.failed:
            cls.stage.tell()
        else:
            cls.stage.remove()


def setUpModule():
    try:
        with time_limit(90, "starting both"):
            Pair.start()
    except BaseException:
        Pair.failed = True
        Pair.stop()
        raise


def tearDownModule():
    with time_limit(60, "stopping both"):
        Pair.stop()


class PairTest(unittest.TestCase):
    maxDiff = None

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        with time_limit(60, self.id()):
            super().run(result)
        Pair.failed |= len(result.failures) + len(result.errors) > before
        return result

    def both(self, path, **params):
        return [server.api(path, **params) for server in Pair.both]

    def tearDown(self):
        self.assertEqual([server.exit_code for server in Pair.both], [None, None], "nothing crashes")


def same_value(one, other):
    """Equal as numbers up to rounding, and written the same way when they are equal."""
    if one == other:
        return True
    a, b = float(one), float(other)
    return a != b and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def by_labels(result):
    return sorted(result, key=lambda sample: sorted(sample["metric"].items()))


def difference(ours, theirs, ordered):
    """None if two `data` objects agree, otherwise what does not."""
    if ours["resultType"] != theirs["resultType"]:
        return f"type {ours['resultType']}, not {theirs['resultType']}"
    kind = ours["resultType"]
    one, other = ours["result"], theirs["result"]
    if kind in ("scalar", "string"):
        same = one[0] == other[0] and (one[1] == other[1] if kind == "string" else same_value(one[1], other[1]))
        return None if same else f"{one}, not {other}"
    if not ordered:
        one, other = by_labels(one), by_labels(other)
    if [sample["metric"] for sample in one] != [sample["metric"] for sample in other]:
        return f"series {[s['metric'] for s in one]}, not {[s['metric'] for s in other]}"
    for mine, yours in zip(one, other):
        if set(mine) != set(yours):
            return f"keys {sorted(mine)}, not {sorted(yours)}"
        a = mine["values"] if kind == "matrix" else [mine["value"]]
        b = yours["values"] if kind == "matrix" else [yours["value"]]
        if [t for t, _ in a] != [t for t, _ in b] or not all(same_value(x, y) for (_, x), (_, y) in zip(a, b)):
            return f"{mine['metric']}: {a}, not {b}"
    return None


class QueryTest(PairTest):
    """Answers of the query API."""

    def test_instant_queries(self):
        at = quiet_moment()
        empty = []
        for expr in EXPRESSIONS:
            with self.subTest(expr=expr):
                params = {"query": expr, "time": repr(at)}
                answers = [get(server.base + "/api/v1/query", **params) for server in Pair.both]
                ours, theirs = (answer.json() for answer in answers)
                self.assertEqual((answers[0].status, ours["status"]), (answers[1].status, theirs["status"]), ours)
                if theirs["status"] == "error":
                    self.assertEqual(ours["errorType"], theirs["errorType"], (ours, theirs))
                    empty.append(expr)
                    continue
                ordered = expr.startswith(("sort", "topk"))
                self.assertIsNone(difference(ours["data"], theirs["data"], ordered))
                if not theirs["data"]["result"]:
                    empty.append(expr)
        # A comparison of nothing with nothing proves nothing: these, and no others, have no answer.
        self.assertEqual(empty, ["noise_total", "absent(temperature_celsius)"])

    def test_the_present(self):
        for expr in ("temperature_celsius", "sum(limit_celsius)", "vector(time()) > 0", "1"):
            with self.subTest(expr=expr):
                answers = []
                for server in Pair.both:
                    data = server.api("query", query=expr)
                    samples = data["result"] if data["resultType"] == "vector" else [{"value": data["result"]}]
                    for sample in samples:
                        self.assertAlmostEqual(sample["value"][0], time.time(), delta=2)
                    answers.append(by_labels([{"metric": s.get("metric", {}), "n": len(s["value"])} for s in samples]))
                self.assertEqual(*answers)

    def test_post_and_time_formats(self):
        at = round(quiet_moment())
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        for when in (str(at), f"{at}.25", stamp, stamp.replace("Z", "+00:00")):
            with self.subTest(time=when):
                answers = [
                    post_form(server.base + "/api/v1/query", query="time()", time=when).json()["data"]
                    for server in Pair.both
                ]
                self.assertEqual(*answers)

    def test_range_queries(self):
        end = quiet_moment()
        for expr in STEPPED:
            for step in ("2", "800ms", "4s"):
                with self.subTest(expr=expr, step=step):
                    params = {"query": expr, "start": repr(end - 6), "end": repr(end), "step": step}
                    ours, theirs = self.both("query_range", **params)
                    self.assertTrue(theirs["result"])
                    self.assertIsNone(difference(ours, theirs, False))

    def test_refusals(self):
        at = repr(quiet_moment())
        for expr, status in REFUSED.items():
            with self.subTest(expr=expr):
                answers = [get(server.base + "/api/v1/query", query=expr, time=at) for server in Pair.both]
                ours, theirs = (answer.json() for answer in answers)
                self.assertEqual(answers[0].status, answers[1].status, ours)
                self.assertEqual(answers[1].status, status)
                self.assertEqual(ours["status"], theirs["status"])
                self.assertEqual(ours.get("errorType"), theirs.get("errorType"))
                self.assertEqual("parse error" in ours.get("error", ""), "parse error" in theirs.get("error", ""), ours)
        bad = {
            "query_range": {"query": "up", "start": "2", "end": "1", "step": "1"},
            "query_range ": {"query": "up", "start": "1", "end": "2", "step": "0"},
            "query_range  ": {"query": "up", "start": "0", "end": "100000", "step": "1"},
            "query_range   ": {"query": "up[1m]", "start": "0", "end": "1", "step": "1"},
            "query": {"query": "up", "time": "yesterday"},
            "query ": {"query": "up", "timeout": "soon"},
            "series": {},
            "series ": {"match": ["sum("]},
            "series  ": {"match": ["{}"]},
            "rules": {"type": "neither"},
        }
        for path, params in bad.items():
            with self.subTest(path=path.strip(), params=params):
                answers = [get(f"{server.base}/api/v1/{path.strip()}", **params) for server in Pair.both]
                ours, theirs = (answer.json() for answer in answers)
                self.assertEqual(
                    (answers[0].status, ours["status"], ours["errorType"]),
                    (answers[1].status, theirs["status"], theirs["errorType"]),
                    ours,
                )


OF_EVALUATIONS = {"evaluationNanoseconds", "seriesTouched", "samplesTouched", "shapeRebuilds"}
NEWER_KEYS = {
    "rules": {"groupNextToken", "keepFiringFor", "keepFiringSince"} | OF_EVALUATIONS,
    "alerts": {"keepFiringSince"},
    "targets": {"droppedTargetCounts", "scrapePool"},
    "buildinfo": set(),
}


def shape(value, path=""):
    """Every key path of a JSON value with the kind of value there. Objects whose keys are data are leaves."""
    if isinstance(value, dict) and not path.endswith(("abels", "notations", "Counts")):
        found = set()
        for key, inner in value.items():
            found |= shape(inner, f"{path}.{key}")
        return found | {(path, "object")}
    if isinstance(value, list):
        found = {(path, "array")}
        for inner in value:
            found |= shape(inner, path + "[]")
        return found
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object", type(None): "null"}
    return {(path, kinds[type(value)])}


class ApiTest(PairTest):
    """Shapes of the other answers: every key Prometheus has, with the same kind of value, and the same facts."""

    def check_shape(self, name, ours, theirs):
        mine, yours = shape(ours), shape(theirs)
        self.assertEqual(sorted(yours - mine), [], f"{name}: Prometheus has these as well")
        extra = {path.rsplit(".", 1)[-1] for path, _ in mine - yours}
        self.assertEqual(sorted(extra - NEWER_KEYS[name]), [], f"{name}: Prometheus does not have these")

    def test_rules(self):
        ours, theirs = self.both("rules")
        self.check_shape("rules", ours, theirs)
        facts = []
        for data in (ours, theirs):
            groups = []
            for group in data["groups"]:
                rules = [
                    {
                        key: rule.get(key)
                        for key in ("name", "query", "type", "labels", "annotations", "duration", "keepFiringFor", "state")
                    }
                    for rule in group["rules"]
                    if group["name"] != "slow"
                ]
                groups.append((group["name"], group["file"].rsplit("/", 1)[-1], group["interval"], group["limit"], rules))
            facts.append(groups)
        self.assertEqual(*facts)

    def test_rule_filters(self):
        def names(data):
            return [rule["name"] for group in data["groups"] for rule in group["rules"]]

        for kind in ("alert", "record"):
            ours, theirs = self.both("rules", type=kind)
            self.assertEqual(names(ours), names(theirs))

    def test_alerts(self):
        ours, theirs = self.both("alerts")
        self.check_shape("alerts", ours, theirs)
        facts = [
            sorted(
                (a["labels"]["alertname"], sorted(a["labels"].items()), a["annotations"], a["state"], a["value"])
                for a in data["alerts"]
                if a["labels"]["alertname"] == "RoomTooWarm"
            )
            for data in (ours, theirs)
        ]
        self.assertEqual(*facts)
        self.assertEqual(facts[0][0][4], "2.225e+01")

    def test_targets(self):
        ours, theirs = self.both("targets")
        self.check_shape("targets", ours, theirs)
        keys = ("discoveredLabels", "labels", "scrapePool", "scrapeUrl", "health", "scrapeInterval", "scrapeTimeout")
        facts = [
            sorted(([target[key] for key in keys] for target in data["activeTargets"]), key=lambda f: f[2])
            for data in (ours, theirs)
        ]
        self.assertEqual(*facts)
        ours, theirs = self.both("targets", state="dropped")
        self.assertEqual((ours["activeTargets"], ours["droppedTargets"]), ([], []))

    def test_labels_and_series(self):
        self.assertEqual(*self.both("labels"))
        for name in ("room", "__name__", "job", "tier", "nothing"):
            with self.subTest(label=name):
                self.assertEqual(*self.both(f"label/{name}/values"))
        for match in (["temperature_celsius"], ['{room=~"k.+"}', "up"], ["nothing"]):
            with self.subTest(match=match):
                ours, theirs = self.both("series", match=match)
                key = lambda labels: sorted(labels.items())
                self.assertEqual(sorted(ours, key=key), sorted(theirs, key=key))
                self.assertEqual(*self.both("labels", match=match))
                self.assertEqual(*self.both("label/room/values", match=match))

    def test_build_information(self):
        ours, theirs = self.both("status/buildinfo")
        self.check_shape("buildinfo", {"version": ours["version"]}, {"version": theirs["version"]})
        self.assertTrue(ours["version"])

    def test_headers_and_unknown_paths(self):
        paths = ["/api/v1/query?query=1", "/api/v1/rules", "/metrics", "/-/healthy", "/-/ready", "/api/v1/nothing", "/nothing"]
        for path in paths:
            with self.subTest(path=path):
                ours, theirs = (get(server.base + path) for server in Pair.both)
                self.assertEqual(ours.status, theirs.status)
                if ours.status == 200:
                    kinds = [answer.headers["Content-Type"].split(";")[0] for answer in (ours, theirs)]
                    self.assertEqual(*kinds)

    def test_a_page_for_people(self):
        page = get(Pair.ours.base + "/")
        if STAND_IN:
            return
        self.assertEqual(page.status, 200)
        self.assertIn("text/html", page.headers["Content-Type"])
        for word in ("derived", "RoomTooWarm", "room:temperature_celsius:max"):
            self.assertIn(word, page.text)

    def test_own_metrics(self):
        wanted = {
            "prometheus_rule_evaluations_total", "prometheus_rule_evaluation_failures_total",
            "prometheus_rule_group_iterations_total", "prometheus_rule_group_iterations_missed_total",
            "prometheus_rule_group_last_duration_seconds", "prometheus_rule_group_interval_seconds",
            "prometheus_rule_group_rules", "prometheus_config_last_reload_successful",
            "prometheus_config_last_reload_success_timestamp_seconds", "process_start_time_seconds",
            "process_resident_memory_bytes", "process_cpu_seconds_total",
        }  # fmt: skip
        for server in Pair.both:
            text = get(server.base + "/metrics").text
            names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and line[0] != "#"}
            self.assertEqual(sorted(wanted - names), [], server.name)



@unittest.skipIf(STAND_IN, "a command of Tocsin")
class QueryCommandTest(PairTest):
    """`tocsin query` asks either server and prints the same."""

    def ask(self, server, *arguments):
        command = [TOCSIN, "query", *arguments[:-1], server.base, arguments[-1]]
        return subprocess.run(command, capture_output=True, text=True, timeout=15)

    def test_answers(self):
        at = repr(quiet_moment())
        cases = [
            ("instant", "--time", at, "sort(temperature_celsius)"),
            ("instant", "--time", at, "-o", "json", "sort(temperature_celsius)"),
            ("instant", "--time", at, "stamped_total[8s]"),
            ("instant", "--time", at, "1 + 1"),
            ("instant", "--time", at, "nothing"),
            ("range", "--start", repr(float(at) - 6), "--end", at, "--step", "2s", "sum(rate(stamped_total[10s]))"),
        ]
        for case in cases:
            with self.subTest(arguments=case):
                ours, theirs = (self.ask(server, *case) for server in Pair.both)
                self.assertEqual((ours.returncode, ours.stderr), (0, ""))
                self.assertEqual(ours.stdout, theirs.stdout)
        self.assertIn("厨房", self.ask(Pair.ours, "instant", 'room_info{room="kitchen"}').stdout)

    def test_problems(self):
        refused = self.ask(Pair.ours, "instant", "sum(")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("<expr>:1:5: error: unclosed left parenthesis", refused.stdout + refused.stderr)
        nobody = subprocess.run(
            [TOCSIN, "query", "instant", f"http://127.0.0.1:{free_port()}", "up"], capture_output=True, text=True, timeout=15
        )
        self.assertIn(nobody.returncode, {1, 2})
        self.assertIn("refused", nobody.stderr)
