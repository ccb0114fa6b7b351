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

from support.servers import Exporter, Page
from support.stage import STAND_IN, TOCSIN, Stage
from support.waiting import time_limit, wait_until
from support.web import free_port, get, post_form

SLOT = 2.0  # seconds between two stamped samples
STAMP = 0.5  # where in its slot a sample is
WINDOW = 14.0  # the longest range below, and a sample more

CONFIG = """
    global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {{site: a}}}}
    rule_files: [rules.yml]
    scrape_configs:
      - job_name: still
        metrics_path: /still
        params: {{module: [a, b], empty: ['']}}
        static_configs:
          - targets: ['{address}']
            labels: {{zone: east, tier: 前端}}
        relabel_configs:
          - {{source_labels: [zone, __address__], regex: '(.).*;.*:(\\d+)', target_label: short, replacement: '$1-$2'}}
        metric_relabel_configs:
          - {{source_labels: [__name__], regex: 'noise_.*', action: drop}}
          - {{regex: 'secret', action: labeldrop}}
      - job_name: stamped
        honor_labels: true
        metrics_path: /stamped
        static_configs: [{{targets: ['{address}']}}]
      - job_name: dead
        static_configs: [{{targets: ['127.0.0.1:1']}}]
"""
TOCSIN_YML = "storage: {keep: all, retention: 10m}\n"
RULES = r"""
    groups:
      - name: derived
        interval: 1s
        rules:
          - record: room:temperature_celsius:max
            expr: max by (room) (temperature_celsius)
            labels: {unit: '{{ "°C" }}'}
          - alert: RoomTooWarm
            expr: room:temperature_celsius:max{room!~"sauna|oven"}>22 unless on(room) silenced==1
            for: 1s
            keep_firing_for: 2s
            labels: {severity: page, "where": '{{ $labels.room | toUpper }}'}
            annotations:
              summary: '{{ $labels.room }} {{ $value | printf "%.2f" }} {{ with query "vector(7)" }}{{ . | first | value }}{{ end }}'
          - alert: NeverFires
            expr: absent(up) > 1 or temperature_celsius{room="attic"}
            for: 1h
      - name: slow
        interval: 1d
        limit: 10
        rules:
          - alert: NotEvaluatedYet
            expr: up == 0
"""
STILL = """
# HELP temperature_celsius Temperature by sensor.
# TYPE temperature_celsius gauge
temperature_celsius{room="kitchen",sensor="1"} 21.5
temperature_celsius{room="kitchen",sensor="2"} 22.25
temperature_celsius{room="sauna",sensor="1"} 88
temperature_celsius{room="cellar",sensor="1"} -3.5
temperature_celsius{room="broken",sensor="1"} NaN
limit_celsius{room="kitchen",job="sneaky",secret="x"} 22
limit_celsius{room="sauna",job="sneaky",secret="x"} 95
silenced{room="oven"} 1
room_info{room="kitchen",floor="ground",note="a \\"quoted\\" \\\\ note\\nwith two lines, 厨房"} 1
room_info{room="sauna",floor="cellar"} 1
noise_total 5
big_number 1.7976931348623157e+308
small_number 5e-324
exponent_number 1e21
minus_zero -0
infinite_number +Inf
# TYPE request_seconds histogram
request_seconds_bucket{path="/a",le="0.1"} 10
request_seconds_bucket{path="/a",le="0.5"} 60
request_seconds_bucket{path="/a",le="2.5"} 90
request_seconds_bucket{path="/a",le="+Inf"} 100
request_seconds_sum{path="/a"} 57.5
request_seconds_count{path="/a"} 100
request_seconds_bucket{path="/b",le="0.1"} 1
request_seconds_bucket{path="/b",le="0.5"} 1
request_seconds_bucket{path="/b",le="2.5"} 4
request_seconds_bucket{path="/b",le="+Inf"} 4
request_seconds_sum{path="/b"} 6.25
request_seconds_count{path="/b"} 4
"""
CALM = 'load{host="a"} 1\nload{host="b"} 40\nrestarts_total{host="a"} 100\n'
BUSY = 'load{host="a"} 9\nload{host="b"} 4\nrestarts_total{host="a"} 3\n'

EXPRESSIONS = [
    # Selectors and what a scrape leaves behind.
    'temperature_celsius',
    '{__name__=~"limit_.+|silenced", zone="east"}',
    'room_info{floor!="cellar", room=~"k.*n"}',
    'up',
    'up{job="dead"} == 0',
    'scrape_samples_scraped{job=~"still|stamped"}',
    'scrape_samples_post_metric_relabeling{job="still"}',
    'noise_total',
    'big_number or small_number or exponent_number or minus_zero or infinite_number',
    # Arithmetic, comparison, logic.
    'temperature_celsius * 1.8 + 32',
    '-temperature_celsius{room="kitchen"} ^ 2 % 7',
    'temperature_celsius > 22',
    'temperature_celsius >= bool 22',
    'temperature_celsius != temperature_celsius',
    '1 + 2 * 3 ^ 2 ^ 0.5 - -1',
    '22 < bool 21',
    'vector(time()) > 1e9 and vector(1)',
    'temperature_celsius and on (room) room_info',
    'temperature_celsius unless on (room) limit_celsius',
    'limit_celsius or ignoring (exported_job) temperature_celsius{sensor="2"} or vector(1)',
    'vector(3) atan2 vector(4)',
    # Joins.
    'temperature_celsius - ignoring (sensor, exported_job) group_left limit_celsius',
    'temperature_celsius * on (room) group_left (floor, note) room_info',
    'room_info * on (room) group_right (floor) temperature_celsius > 0',
    'sum by (room) (temperature_celsius) / on (room) sum by (room) (limit_celsius) * 100 > 90',
    # Aggregation.
    'sum(temperature_celsius{room!="broken"})',
    'avg without (sensor, room) (temperature_celsius{room!="broken"})',
    'count by (room, absent_label) (temperature_celsius)',
    'stddev by (job) (temperature_celsius{room!="broken"}) + stdvar by (job) (temperature_celsius{room!="broken"})',
    'topk(2, temperature_celsius)',
    'bottomk by (sensor) (1, temperature_celsius{room!="broken"})',
    'quantile(0.9, temperature_celsius{room!="broken"})',
    'count_values by (job) ("reading", temperature_celsius)',
    'group(temperature_celsius)',
    'min by (room) (temperature_celsius) or max(limit_celsius)',
    # Functions of instant vectors.
    'sort_desc(temperature_celsius)',
    'sort(temperature_celsius)',
    'absent(nothing{room="kitchen", floor=~"x"})',
    'absent(temperature_celsius)',
    'label_replace(temperature_celsius, "where", "$1-$2", "room", "(.)(.*)")',
    'label_join(room_info, "both", "/", "room", "floor")',
    'clamp(temperature_celsius, 0, 50) + clamp_min(temperature_celsius, 1) + clamp_max(temperature_celsius, 2)',
    'round(temperature_celsius / 3, 0.25) + ceil(temperature_celsius) - floor(temperature_celsius)',
    'abs(temperature_celsius) + sqrt(limit_celsius{room="none"}) or ln(limit_celsius) or exp(limit_celsius / 10)',
    'sgn(temperature_celsius)',
    'scalar(silenced) + 1',
    'vector(scalar(temperature_celsius))',
    'histogram_quantile(0.9, request_seconds_bucket)',
    'histogram_quantile(0.5, sum by (le) (request_seconds_bucket))',
    'request_seconds_sum / request_seconds_count',
    '"a string"',
    'hour(vector(1700000000)) + day_of_week(vector(1700000000)) * 100 + days_in_month(vector(1700000000)) * 1000',
    # Ranges over the constant page and its one switch.
    'changes(load[1m])',
    'resets(restarts_total[1m])',
    'max_over_time(load[1m]) - min_over_time(load[1m])',
    'last_over_time(load[1m])',
    'increase(temperature_celsius{room="kitchen"}[10s]) == 0',
    'avg_over_time(temperature_celsius{room="sauna"}[10s])',
    'quantile_over_time(1, load[1m])',
    'present_over_time(temperature_celsius[10s])',
    'absent_over_time(nothing{a="b"}[10s])',
    'stddev_over_time(temperature_celsius{room="cellar"}[10s])',
    # Ranges over samples with timestamps of their own.
    'rate(stamped_total[10s])',
    'increase(stamped_total[12s])',
    'irate(stamped_total[10s]) > 0',
    'sum by (job) (rate(stamped_total{kind=~"even|odd"}[10s])) * 60',
    'rate(stamped_total{kind="reset"}[10s]) > 0.1',
    'resets(stamped_total[12s]) + changes(stamped_total[12s])',
    'delta(stamped_gauge[10s]) + idelta(stamped_gauge[10s])',
    'deriv(stamped_gauge[12s])',
    'predict_linear(stamped_gauge[12s], 60)',
    'avg_over_time(stamped_gauge[10s]) + sum_over_time(stamped_gauge[10s]) + count_over_time(stamped_gauge[10s])',
    'quantile_over_time(0.3, stamped_gauge[12s])',
    'stdvar_over_time(stamped_gauge[12s])',
    'stamped_gauge offset 4s',
    'stamped_gauge - stamped_gauge offset 6s > -1e9',
    'timestamp(stamped_gauge)',
    'stamped_total[8s]',
    'stamped_total{kind="even"}[6s] offset 4s',
    'max_over_time(rate(stamped_total{kind="even"}[6s])[6s:2s])',
    'sum_over_time(stamped_gauge[6s:1s])',
    'histogram_quantile(0.95, sum by (le) (rate(stamped_seconds_bucket[10s])))',
    'sum(rate(stamped_seconds_sum[10s])) / sum(rate(stamped_seconds_count[10s]))',
    # What rules leave behind.
    'room:temperature_celsius:max',
    'ALERTS{alertstate="firing"}',
    'sum(ALERTS) by (alertname) > 0',
]  # fmt: skip
REFUSED = {
    "": 400,
    "sum(": 400,
    "rate(up)": 400,
    'up{job=~"("}': 400,
    "1 + on": 400,
    "up and 1": 400,
    "nosuchfunction(up)": 400,
    "atan2(1, 2)": 400,
    "temperature_celsius + on (zone) limit_celsius": 422,
    "sum by (zone) (up) * on () group_left room_info * on (zone) room_info": 422,
    'label_replace(temperature_celsius, "room", "same", "sensor", ".*")': 422,
}
STEPPED = [
    "rate(stamped_total[10s])",
    "max by (room) (temperature_celsius) > 22",
    "sum(stamped_gauge) + scalar(silenced)",
    "count_over_time(stamped_gauge[10s]) > 4",
    "topk(1, stamped_gauge)",
    "vector(1)",
    "42",
]


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


NEWER_KEYS = {
    "rules": {"groupNextToken", "keepFiringFor", "keepFiringSince"},
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
        self.assertIn("parse error", refused.stdout + refused.stderr)
        nobody = subprocess.run(
            [TOCSIN, "query", "instant", f"http://127.0.0.1:{free_port()}", "up"], capture_output=True, text=True, timeout=15
        )
        self.assertIn(nobody.returncode, {1, 2})
        self.assertIn("refused", nobody.stderr)
