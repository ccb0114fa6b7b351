"""Broken files, hostile targets, receivers that are down: the daemon lives, says what is wrong, and delivers later."""

from __future__ import annotations

import re
import signal
import time
import unittest

from support.configs import ONE_APP
from support.payload import check_payload
from support.servers import CutShort, Endless, Exporter, Hang, Page, Receiver, Status
from support.stage import STAND_IN, TOCSIN, EndToEndTest, beyond_prometheus
from support.times import timestamp
from support.waiting import wait_until
from support.web import free_port, get

RULES = """
    groups:
      - name: app
        rules:
          - alert: QueueTooLong
            expr: queue_length > 10
            for: 2s
            labels: {severity: page}
            annotations:
              summary: 'queue {{ $labels.queue }} holds {{ $value }}'
              description_zh: '队列 {{ $labels.queue }} 中有 {{ $value }} 个任务等待处理 <≥ 10> & “紧急”'
          - record: queue:length:sum
            expr: sum(queue_length)
"""
LONG_QUEUE = '# TYPE queue_length gauge\nqueue_length{queue="mail"} 12\nqueue_length{queue="print"} 3\n'
SHORT_QUEUE = LONG_QUEUE.replace("12", "2")
KEEP_ALL = "storage: {keep: all, retention: 10m}\n"
LAST_RELOAD = "prometheus_config_last_reload_successful"


class HostileTargetsTest(EndToEndTest):
    """One good target among eight bad ones."""

    seconds = 60
    # What lastError says; Prometheus' own words where it has some.
    BAD = {
        "hang": "deadline exceeded",
        "status": "server returned HTTP status 500 Internal Server Error",
        "moved": "server returned HTTP status 404 Not Found",
        "garbage": "",
        "binary": "",
        "limited": "body size limit exceeded",
        "endless": "deadline exceeded",
        "short": "EOF",
        "refused": "connection refused",
    }

    def test_bad_targets_harm_nobody(self):
        exporter = self.stage.add(
            Exporter(
                app=Page(LONG_QUEUE),
                hang=Hang(),
                status=Status(500),
                garbage=Page("<html>\n<h1>It works!</h1>\nqueue_length{queue= 1 2 3\n"),
                binary=Page(bytes(range(1, 256)) * 40),
                limited=Endless(),
                endless=Endless(),
                short=CutShort(),
            )
        )
        jobs = ""
        for job in self.BAD:
            address = f"127.0.0.1:{free_port()}" if job == "refused" else exporter.address
            limit = "body_size_limit: 200KB" if job == "limited" else ""
            jobs += f"""
      - job_name: {job}
        metrics_path: /{job}
        static_configs: [{{targets: ['{address}']}}]
        {limit}
"""
        self.stage.write("prometheus.yml", ONE_APP.format(target=exporter.address).rstrip() + jobs)
        self.stage.write("rules.yml", RULES)
        self.stage.write("tocsin.yml", KEEP_ALL)
        tocsin = self.stage.tocsin("--log.level", "debug")

        alert = tocsin.wait_for_alert("QueueTooLong", "firing")
        self.assertEqual(alert["labels"]["queue"], "mail")

        def all_known():
            targets = tocsin.targets()
            return all(targets[job]["health"] == "down" for job in self.BAD) and targets

        targets = wait_until(all_known, "every bad target is down", 15)
        self.assertEqual((targets["app"]["health"], targets["app"]["lastError"]), ("up", ""))
        for job, words in self.BAD.items():
            with self.subTest(target=job):
                problem = targets[job]["lastError"]
                self.assertTrue(problem)
                self.assertIn(words.lower(), problem.lower())
                self.assertEqual(tocsin.value(f'up{{job="{job}"}}'), 0)
                self.assertEqual(tocsin.value(f'scrape_samples_scraped{{job="{job}"}}'), 0)
                self.assertTrue(
                    wait_until(lambda: tocsin.log_lines(rf"/{job}\b.*|\b{job}\b"), f"the log names {job}", 5),
                )
        self.assertEqual(tocsin.value('up{job="app"}'), 1)
        self.assertEqual(tocsin.query("endless"), [], "a scrape is taken whole or not at all")
        self.assertEqual(tocsin.query("half_a_page"), [])
        self.assertGreaterEqual(tocsin.metric("prometheus_target_scrapes_exceeded_body_size_limit_total"), 1)

        began = time.monotonic()
        for _ in range(10):
            self.assertEqual(get(tocsin.base + "/-/healthy").status, 200)
            self.assertEqual(tocsin.value('queue_length{queue="mail"}'), 12)
        self.assertLess(time.monotonic() - began, 3, "bad targets do not slow the answers down")
        self.assertLess(tocsin.resident_bytes(), 400 << 20)

        for job in self.BAD:
            exporter[job] = Page(f"recovered 1\n")
        recovered = [job for job in self.BAD if job != "refused"]
        wait_until(lambda: all(tocsin.targets()[job]["health"] == "up" for job in recovered), "all recover", 15)
        self.assertEqual({tocsin.targets()[job]["lastError"] for job in recovered}, {""})
        self.assertEqual(len(tocsin.query("recovered")), len(recovered))
        self.assertEqual(tocsin.wait_for_alert("QueueTooLong", "firing")["activeAt"], alert["activeAt"])

    def test_a_failed_scrape_ends_its_series_only(self):
        exporter = self.stage.add(Exporter(app=Page(LONG_QUEUE), other=Page("other 1\n")))
        more = f"""
      - job_name: other
        metrics_path: /other
        static_configs: [{{targets: ['{exporter.address}']}}]
"""
        self.stage.write("prometheus.yml", ONE_APP.format(target=exporter.address).rstrip() + more)
        self.stage.write("rules.yml", RULES)
        self.stage.write("tocsin.yml", KEEP_ALL)
        tocsin = self.stage.tocsin()
        tocsin.wait_for_alert("QueueTooLong", "firing")
        wait_until(lambda: tocsin.value("other") == 1, "the other target is there")

        exporter["app"] = Page(LONG_QUEUE.replace('queue="mail"', 'queue="post"'))
        wait_until(
            lambda: sorted(s[0]["queue"] for s in tocsin.query("queue_length")) == ["post", "print"],
            "a series that is not exposed any more is gone at the next scrape",
            5,
        )
        renamed = wait_until(
            lambda: [a for a in tocsin.alerts("QueueTooLong") if a["labels"]["queue"] == "post"], "a new alert begins", 5
        )
        self.assertEqual(renamed[0]["state"], "pending")
        exporter["app"] = Status(503)
        wait_until(lambda: tocsin.query("queue_length") == [], "all series of a failed scrape are gone", 5)
        wait_until(lambda: tocsin.alerts("QueueTooLong") == [], "the alert resolves", 5)
        self.assertEqual(tocsin.value('up{job="app"}'), 0)
        self.assertEqual(tocsin.value("other"), 1)
        wait_until(lambda: tocsin.query("queue:length:sum") == [], "so is what was recorded from them", 5)


class ReloadTest(EndToEndTest):
    """SIGHUP and /-/reload, with good and with broken files."""

    seconds = 60

    def start(self, *flags):
        exporter = self.stage.add(Exporter(app=Page(LONG_QUEUE)))
        self.config = ONE_APP.format(target=exporter.address)
        self.stage.write("prometheus.yml", self.config)
        self.stage.write("rules.yml", RULES)
        tocsin = self.stage.tocsin(*flags)
        self.alert = tocsin.wait_for_alert("QueueTooLong", "firing")
        self.assertEqual(tocsin.metric(LAST_RELOAD), 1)
        return tocsin

    def reload(self, tocsin, successful):
        """SIGHUP, then what the log says from there on."""
        before = len(tocsin.log)
        counted = tocsin.metric("prometheus_config_last_reload_success_timestamp_seconds")
        tocsin.signal(signal.SIGHUP)
        if successful:
            newer = lambda: tocsin.metric("prometheus_config_last_reload_success_timestamp_seconds") > counted
            wait_until(newer, "a successful reload", 10)
        wait_until(lambda: tocsin.metric(LAST_RELOAD) == int(successful), f"{LAST_RELOAD} is {int(successful)}", 10)
        return before

    def check_old_stays(self, tocsin, quarantined=False):
        """The rule as it was runs on; when its own file is broken, it is unhealthy and says where."""
        rule = tocsin.rules()["QueueTooLong"]
        self.assertEqual(rule["query"], "queue_length > 10")
        if quarantined and not STAND_IN:
            self.assertEqual(rule["health"], "err")
            self.assertRegex(rule["lastError"], r"rules\.yml:\d+")
            held = tocsin.metric("tocsin_rules_quarantined") + tocsin.metric("tocsin_rule_files_held")
            self.assertGreater(held, 0)
        else:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""))
        alert = tocsin.wait_for_alert("QueueTooLong", "firing")
        self.assertEqual(alert["activeAt"], self.alert["activeAt"])
        self.assertEqual(tocsin.value("queue:length:sum"), 15)
        self.assertEqual(get(tocsin.base + "/-/healthy").status, 200)
        self.assertEqual(get(tocsin.base + "/-/ready").status, 200)

    def test_state_survives_a_reload(self):
        tocsin = self.start()
        self.stage.write("rules.yml", RULES.replace("holds", "now holds").replace("length > 10", "length > 11"))
        self.reload(tocsin, True)
        wait_until(lambda: tocsin.rules()["QueueTooLong"]["query"] == "queue_length > 11", "the new rule", 5)
        changed = wait_until(
            lambda: [a for a in tocsin.alerts("QueueTooLong") if "now holds" in a["annotations"]["summary"]],
            "the new annotation",
            5,
        )
        self.assertEqual((changed[0]["state"], changed[0]["activeAt"]), ("firing", self.alert["activeAt"]))

        self.stage.write("rules.yml", RULES.split("          - record:")[0])
        self.reload(tocsin, True)
        self.assertEqual(set(tocsin.rules()), {"QueueTooLong"})
        self.assertEqual(tocsin.wait_for_alert("QueueTooLong", "firing")["activeAt"], self.alert["activeAt"])

    def test_broken_files_keep_the_old_ones(self):
        tocsin = self.start()
        breakages = {
            "an expression": ("rules.yml", RULES.replace("queue_length > 10", "queue_length >> 10"), 5),
            "a template": ("rules.yml", RULES.replace("holds {{ $value }}", "holds {{ $value "), 9),
            "an unknown field": ("rules.yml", RULES.replace("for: 2s", "fur: 2s"), 6),
            "YAML of a rule file": ("rules.yml", RULES.replace("labels: {severity: page}", "labels: {severity: page"), None),
            "an unknown key": ("prometheus.yml", self.config.replace("metrics_path:", "metric_path:"), 5),
            "a duration": ("prometheus.yml", self.config.replace("scrape_timeout: 1s", "scrape_timeout: soon"), 1),
            "YAML of the configuration": ("prometheus.yml", self.config.replace("[rules.yml]", "[rules.yml"), None),
        }
        good = {"rules.yml": RULES, "prometheus.yml": self.config}
        for what, (file, text, line) in breakages.items():
            with self.subTest(broken=what):
                self.stage.write(file, text)
                before = self.reload(tocsin, False)
                self.check_says_where(tocsin, before, file, line)
                self.check_old_stays(tocsin, quarantined=file == "rules.yml")
            self.stage.write(file, good[file])
            self.reload(tocsin, True)
        self.check_old_stays(tocsin)

    def check_says_where(self, tocsin, before, file, line):
        place = re.escape(file)
        if not STAND_IN:  # Prometheus names the file, and the line in many a way
            place += rf":{line}\b" if line else r":\d+"
        tocsin.wait_for_log(rf"(?i)level=(error|warn)\b.*{place}", 5, before)

    def test_reload_over_http(self):
        tocsin = self.start("--web.enable-lifecycle")
        self.assertEqual(get(tocsin.base + "/-/reload").status, 405)
        self.assertEqual(tocsin.post("/-/reload").status, 200)
        self.stage.write("rules.yml", RULES.replace("queue_length > 10", "sum(queue_length"))
        refused = tocsin.post("/-/reload")
        self.assertEqual(refused.status, 500)
        self.assertIn("rules.yml", refused.text + tocsin.log)
        self.assertEqual(tocsin.metric(LAST_RELOAD), 0)
        self.check_old_stays(tocsin, quarantined=True)
        self.stage.write("rules.yml", RULES)
        self.assertEqual(tocsin.post("/-/reload").status, 200)
        self.assertEqual(tocsin.metric(LAST_RELOAD), 1)

    def test_reload_over_http_must_be_allowed(self):
        self.stage.write("prometheus.yml", "global: {scrape_interval: 1s}\n")
        tocsin = self.stage.tocsin()
        self.assertEqual(tocsin.post("/-/reload").status, 403)


class BrokenStartTest(EndToEndTest):
    """At the start there is no old configuration to keep."""

    seconds = 30

    def test_a_broken_configuration_ends_the_start(self):
        self.stage.write("rules.yml", RULES)
        self.stage.write("prometheus.yml", ONE_APP.format(target="127.0.0.1:1").replace("job_name", "jobname"))
        command = [TOCSIN, "run", "--config.file", self.stage.folder / "prometheus.yml"]
        command += ["--storage.path", self.stage.folder / "data", "--web.listen-address", f"127.0.0.1:{free_port()}"]
        tocsin = self.stage.run("tocsin", command)
        tocsin.expected_exit = {1, 2}
        self.assertIn(tocsin.wait(15), {1, 2})
        self.assertIn("prometheus.yml", tocsin.log)
        self.assertIn("jobname", tocsin.log)


WEBHOOKS = """
    webhooks:
      - name: shaky
        url: {shaky}
        group_by: [alertname]
        group_interval: 1s
        repeat_interval: 1h
        timeout: 1s
        headers: {{X-Team: 数据库}}
      - name: steady
        url: {steady}
        group_by: [alertname]
        group_interval: 1s
        repeat_interval: 1h
        timeout: 5s
"""


class ReceiverTest(EndToEndTest):
    """A webhook that is down for a while, and the end of the daemon."""

    seconds = 90

    def start(self, shaky, steady):
        exporter = self.stage.add(Exporter(app=Page(LONG_QUEUE)))
        self.stage.write("prometheus.yml", ONE_APP.format(target=exporter.address))
        self.stage.write("rules.yml", RULES)
        text = WEBHOOKS.format(shaky=shaky.url("/a"), steady=steady.url("/b"))
        if not self.headers:
            text = re.sub(r"\n *headers:.*", "", text)
        self.stage.write("tocsin.yml", text)
        return exporter, self.stage.tocsin()

    headers = False

    def test_delivers_when_the_receiver_is_back(self):
        shaky, steady = self.stage.add(Receiver(status=503)), self.stage.add(Receiver())
        exporter, tocsin = self.start(shaky, steady)
        prompt, _ = steady.wait_for("QueueTooLong", "firing")
        wait_until(lambda: len(shaky.deliveries) >= 2, "a refused delivery is tried again", 15)
        shaky.refuse()
        time.sleep(1.5)
        shaky.status = None
        attempts = len(shaky.deliveries)
        shaky.listen()
        wait_until(lambda: len(shaky.deliveries) > attempts, "an attempt that is never answered", 30)
        self.assertEqual(get(tocsin.base + "/-/healthy").status, 200)
        shaky.status = 200
        late, delivery = shaky.wait_for("QueueTooLong", "firing", 40)
        check_payload(self, delivery.payload, "shaky", ["alertname"])
        self.assertEqual(late, prompt, "late, but as it was: startsAt does not move")
        self.assertEqual(len(steady.accepted), 1, "the other receiver was told at once, and once")
        self.check_reported(tocsin, shaky)
        if not STAND_IN:
            tries = shaky.deliveries[: shaky.deliveries.index(delivery) + 1]
            self.assertEqual({one.raw for one in tries}, {delivery.raw})
            self.assertEqual(len({one.headers["Idempotency-Key"] for one in tries}), 1, "one notification, one key")

        exporter["app"] = Page(SHORT_QUEUE)
        ended, _ = steady.wait_for("QueueTooLong", "resolved")
        late_end, _ = shaky.wait_for("QueueTooLong", "resolved", 20)
        self.assertEqual(late_end, ended)
        self.assertEqual(late_end["startsAt"], prompt["startsAt"])
        self.assertGreater(timestamp(late_end["endsAt"]), timestamp(late_end["startsAt"]))

    def check_reported(self, tocsin, shaky):
        self.assertTrue(tocsin.log_lines(r"(?i)level=(warn|error).*(shaky|" + re.escape(shaky.address) + ")"))
        if STAND_IN:
            return
        self.assertGreaterEqual(tocsin.metric("tocsin_webhook_errors_total", webhook="shaky"), 3)
        self.assertEqual(tocsin.metric("tocsin_webhook_errors_total", webhook="steady"), 0)

    def test_the_body_is_what_receivers_expect(self):
        shaky, steady = self.stage.add(Receiver()), self.stage.add(Receiver())
        self.headers = not STAND_IN
        exporter, tocsin = self.start(shaky, steady)
        alert, delivery = shaky.wait_for("QueueTooLong", "firing")
        check_payload(self, delivery.payload, "shaky", ["alertname"])
        self.assertEqual(delivery.path, "/a")
        headers = {name.lower(): value for name, value in delivery.headers.items()}
        self.assertEqual(headers["content-type"], "application/json")
        if self.headers:
            self.assertEqual(headers["x-team"].encode("latin-1").decode("utf-8"), "数据库")
        text = delivery.raw.decode("utf-8")
        self.assertIn("队列 mail 中有 12 个任务等待处理", text, "UTF-8 as it is, not escaped")
        self.assertEqual(
            alert["annotations"],
            {
                "summary": "queue mail holds 12",
                "description_zh": "队列 mail 中有 12 个任务等待处理 <≥ 10> & “紧急”",
            },
        )
        self.assertEqual(
            alert["labels"],
            {
                "alertname": "QueueTooLong",
                "instance": exporter.address,
                "job": "app",
                "queue": "mail",
                "severity": "page",
            },
        )
        own = tocsin.wait_for_alert("QueueTooLong", "firing")
        self.assertAlmostEqual(timestamp(alert["startsAt"]) - timestamp(own["activeAt"]), 2.0, delta=0.01)

    def test_a_change_of_mind_is_delivered_in_order(self):
        shaky, steady = self.stage.add(Receiver()), self.stage.add(Receiver())
        exporter, tocsin = self.start(shaky, steady)
        first, _ = steady.wait_for("QueueTooLong", "firing")
        exporter["app"] = Page(SHORT_QUEUE)
        steady.wait_for("QueueTooLong", "resolved")
        exporter["app"] = Page(LONG_QUEUE)
        wait_until(lambda: len(steady.accepted) >= 3, "it fires again", 20)
        statuses = [delivery.payload["status"] for delivery in steady.accepted]
        self.assertEqual(statuses[:3], ["firing", "resolved", "firing"])
        again = steady.accepted[2].payload["alerts"][0]
        self.assertGreater(timestamp(again["startsAt"]), timestamp(first["startsAt"]))
        self.assertEqual(again["fingerprint"], first["fingerprint"])

    @beyond_prometheus("wait for a webhook when it ends")
    def test_sigterm_delivers_what_is_under_way(self):
        shaky, steady = self.stage.add(Receiver()), self.stage.add(Receiver(delay=2.0))
        _, tocsin = self.start(shaky, steady)
        wait_until(lambda: steady.deliveries, "a delivery is under way", 15)
        began = time.monotonic()
        tocsin.signal(signal.SIGTERM)
        self.assertEqual(tocsin.wait(20), 0)
        self.assertGreater(time.monotonic() - began, 1.0, "it waits for the answer")
        self.assertEqual(len(steady.deliveries), 1)
        self.assertTrue(shaky.accepted)

    @beyond_prometheus("keep what it could not deliver")
    def test_sigterm_does_not_wait_for_ever(self):
        shaky, steady = self.stage.add(Receiver(status=None)), self.stage.add(Receiver())
        shaky.refuse()
        _, tocsin = self.start(shaky, steady)
        steady.wait_for("QueueTooLong", "firing")
        tocsin.signal(signal.SIGTERM)
        self.assertEqual(tocsin.wait(30), 0)

    @unittest.skipIf(STAND_IN, "the stand-in only knows SIGTERM")
    def test_sigint_ends_it_as_well(self):
        shaky, steady = self.stage.add(Receiver()), self.stage.add(Receiver())
        _, tocsin = self.start(shaky, steady)
        tocsin.signal(signal.SIGINT)
        self.assertEqual(tocsin.wait(20), 0)
