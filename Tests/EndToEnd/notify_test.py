"""Notifications: what receivers get, whatever they do, compared with what Alertmanager sends itself."""

from __future__ import annotations

import email.utils
import json
import signal
import ssl
import subprocess
import time
import unittest

from support.configs import ONE_APP
from support.payload import check_payload
from support.servers import Delivery, Exporter, Page, Receiver
from support.stage import TOCSIN, EndToEndTest, beyond_prometheus
from support.waiting import wait_until
from support.web import free_port, get

LONG = '# TYPE queue_length gauge\nqueue_length{queue="邮件"} 12\nqueue_length{queue="print"} 11\nqueue_length{queue="fax"} 13\n'
SHORT = '# TYPE queue_length gauge\nqueue_length{queue="邮件"} 1\nqueue_length{queue="print"} 1\nqueue_length{queue="fax"} 1\n'
RULES = """
    groups:
      - name: app
        rules:
          - alert: QueueTooLong
            expr: queue_length > 10
            labels: {severity: page, team: 'db "ops"'}
            annotations:
              summary: 'queue {{ $labels.queue }} holds {{ $value }}'
              description_zh: '队列 {{ $labels.queue }} <≥ 10> & “紧急”'
"""


def wait_and_sleep(seconds):
    """Time in which something must not happen."""
    time.sleep(seconds)


class Moody(Receiver):
    """A receiver that answers what is on its list, then 200."""

    def __init__(self, *answers):
        self.answers = list(answers)
        super().__init__()

    def handle(self, handler, body):
        answer = self.answers.pop(0) if self.answers else 200
        if answer == "close":
            self.note(handler, body, None)
            handler.close_connection = True
            return
        if answer == "slow":
            self.note(handler, body, None)
            self.closing.wait(3)
            handler.close_connection = True
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        self.note(handler, body, status)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    def note(self, handler, body, status):
        self.deliveries.append(Delivery(handler.path, dict(handler.headers.items()), body, status))

    @property
    def keys(self):
        return [delivery.headers.get("Idempotency-Key") for delivery in self.deliveries]


class SecureReceiver(Moody):
    """One with TLS."""

    def __init__(self, certificate, key, *answers):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__(*answers)

    def listen(self):
        super().listen()
        self._server.socket = self.context.wrap_socket(self._server.socket, server_side=True)


class NotifyTest(EndToEndTest):
    """One application with three long queues."""

    seconds = 90

    def begin(self, webhooks, more=""):
        self.exporter = self.stage.add(Exporter(app=Page(LONG)))
        self.stage.write("prometheus.yml", ONE_APP.format(target=self.exporter.address).rstrip() + more)
        self.stage.write("rules.yml", RULES)
        if webhooks:
            self.stage.write("tocsin.yml", webhooks)

    def command(self, *words):
        """A subcommand with the folder's configuration: exit code and all it printed."""
        done = subprocess.run(
            [str(TOCSIN), *words, "--config.file", "prometheus.yml"], cwd=str(self.stage.folder), timeout=30,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout

    def receivers(self, tocsin):
        return {one["name"]: one for one in tocsin.api("notifications/receivers")["receivers"]}


@beyond_prometheus("send webhooks")
class AlertmanagerBetweenTest(NotifyTest):
    """The same alerts through an Alertmanager and without: byte for byte the same payload."""

    def test_the_same_payload(self):
        direct, between = self.stage.add(Receiver()), self.stage.add(Receiver())
        direct_few, between_few = self.stage.add(Receiver()), self.stage.add(Receiver())
        outside = "http://tocsin.example/alerts"
        matchers = "['team=\"db \\\"ops\\\"\"', 'severity=~\"page|critical\"']"
        route = "group_by: [severity, alertname], group_wait: 2s, group_interval: 3s, repeat_interval: 1h"
        self.stage.write(
            "alertmanager.yml",
            f"""
            route:
              receiver: nobody
              routes:
                - {{receiver: db.ops, matchers: {matchers}, continue: true, {route}}}
                - {{receiver: few, group_by: [alertname], group_wait: 2s, group_interval: 3s, matchers: [severity="page"]}}
            receivers:
              - name: nobody
              - name: db.ops
                webhook_configs: [{{url: '{between.url("/x")}'}}]
              - name: few
                webhook_configs: [{{url: '{between_few.url("/x")}', max_alerts: 2}}]
            """,
        )
        alertmanager = self.stage.alertmanager(f"--web.external-url={outside}", "--web.route-prefix=/")
        self.stage.write("am.json", json.dumps([{"targets": [alertmanager.address]}]))
        self.begin(
            f"""
            webhooks:
              - {{name: db.ops, url: '{direct.url("/x")}', matchers: {matchers}, {route}}}
              - name: few
                url: '{direct_few.url("/x")}'
                matchers: [severity="page"]
                group_wait: 2s
                group_interval: 3s
                max_alerts: 2
            """,
            "\n    alerting: {alertmanagers: [{file_sd_configs: [{files: [am.json]}]}]}\n",
        )
        tocsin = self.stage.tocsin("--web.external-url", outside)
        for ours, theirs in ((direct, between), (direct_few, between_few)):
            ours.wait_for("QueueTooLong", "firing")
            theirs.wait_for("QueueTooLong", "firing", 30)
            self.assertSame(ours.accepted[0], theirs.accepted[0])
        check_payload(self, direct.accepted[0].payload, r"db\.ops", ["alertname", "severity"])
        self.assertEqual(len(direct.accepted[0].payload["alerts"]), 3)
        self.assertEqual(direct_few.accepted[0].payload["truncatedAlerts"], 1)
        self.exporter["app"] = Page(SHORT)
        for ours, theirs in ((direct, between), (direct_few, between_few)):
            ours.wait_for("QueueTooLong", "resolved", 30)
            theirs.wait_for("QueueTooLong", "resolved", 30)
            self.assertSame(ours.accepted[-1], theirs.accepted[-1])
        self.assertEqual(direct.accepted[-1].headers["Content-Type"], between.accepted[-1].headers["Content-Type"])
        self.assertEqual(tocsin.metric("prometheus_notifications_errors_total"), 0)

    def assertSame(self, ours, theirs):
        """All fields in their order; then simply all bytes."""

        def read(delivery):
            return json.loads(delivery.raw.decode("utf-8"), object_pairs_hook=lambda pairs: pairs)

        self.assertEqual(read(ours), read(theirs))
        self.assertEqual(ours.raw, theirs.raw)


@beyond_prometheus("find Alertmanagers again, try again")
class AlertmanagerQueueTest(NotifyTest):
    def test_everything_arrives_wherever_the_alertmanager_is(self):
        many = "".join(f'queue_length{{queue="{number}"}} 20\n' for number in range(700))
        old, nobody = self.stage.add(Moody(503, (429, {"Retry-After": "1"}))), f"127.0.0.1:{free_port()}"
        listed = self.stage.add(Moody())
        lists = self.stage.add(Exporter(sd=Page(json.dumps([{"targets": [listed.address]}]), "application/json")))
        self.stage.write("am.json", json.dumps([{"targets": [old.address], "labels": {"path": "/am/alerts"}}]))
        self.begin(
            "",
            f"""
    alerting:
      alert_relabel_configs: [{{regex: job, action: labeldrop}}]
      alertmanagers:
        - file_sd_configs: [{{files: [am.json]}}]
          relabel_configs: [{{source_labels: [path], regex: (.+), target_label: __alerts_path__}}]
          alert_relabel_configs: [{{target_label: via, replacement: discovery}}]
        - static_configs: [{{targets: ['{nobody}']}}]
          timeout: 1s
        - http_sd_configs: [{{url: '{lists.url("/sd")}', refresh_interval: 1s}}]
""",
        )
        self.exporter["app"] = Page("# TYPE queue_length gauge\n" + many)
        # An Alertmanager that is found after the alerts have begun hears of them when they are told again.
        tocsin = self.stage.tocsin("--rules.alert.resend-delay=10s")
        wait_until(lambda: len(old.deliveries) >= 5, "three batches, the first of them three times", 30)
        sizes = [len(delivery.payload) for delivery in old.deliveries]
        self.assertEqual(sizes[:5], [256, 256, 256, 256, 188])
        self.assertEqual([delivery.path for delivery in old.deliveries][0], "/am/alerts")
        self.assertEqual(old.deliveries[0].raw, old.deliveries[2].raw, "the batch that failed")
        self.assertGreaterEqual(old.deliveries[2].at - old.deliveries[1].at, 1, "Retry-After")
        self.assertEqual(old.deliveries[0].payload[0]["labels"]["via"], "discovery")
        wait_until(lambda: listed.deliveries, "a server's list names another", 30)
        lists["sd"] = Page("[]", "application/json")
        self.assertNotIn("job", old.deliveries[0].payload[0]["labels"])

        self.stage.write("alertmanager.yml", "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        alertmanager = self.stage.alertmanager()
        self.stage.write("am.json", json.dumps([{"targets": [alertmanager.address]}]))

        def discovered():
            urls = [one["url"] for one in tocsin.api("alertmanagers")["activeAlertmanagers"]]
            return f"{alertmanager.base}/api/v2/alerts" in urls and not any(old.address in url for url in urls)

        wait_until(discovered, "the file names another Alertmanager", 15)
        wait_until(lambda: len(tocsin.api("alertmanagers")["activeAlertmanagers"]) == 2, "the list is empty")
        self.exporter["app"] = Page("# TYPE queue_length gauge\n" + many.replace('queue="', 'queue="new-'))

        def listed():
            alerts = get(f"{alertmanager.base}/api/v2/alerts", active="true").json()
            return {alert["labels"]["queue"] for alert in alerts} >= {f"new-{number}" for number in range(700)}

        wait_until(listed, "all of them are listed", 30)
        down = self.receivers(tocsin)[f"http://{nobody}/api/v2/alerts"]
        self.assertIn("refused", down["lastError"])
        self.assertGreaterEqual(down["alerts"], 700)


@beyond_prometheus("send webhooks")
class HostileReceiversTest(NotifyTest):
    def certificate(self):
        """A certificate for 127.0.0.1 that nobody but its owner vouches for."""
        folder = self.stage.folder
        try:
            subprocess.run(
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=own",
                    "-addext", "subjectAltName=IP:127.0.0.1",
                ], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30,
            )  # fmt: skip
        except FileNotFoundError:
            self.skipTest("no openssl")
        return folder / "cert.pem", folder / "key.pem"

    def test_everybody_gets_it_in_the_end(self):
        soon = email.utils.formatdate(time.time() + 60 * 60, usegmt=True)
        certificate = self.certificate()
        add = self.stage.add
        receivers = {
            "slow": add(Moody("slow")),
            "broken": add(Moody(500, 502)),
            "closes": add(Moody("close", "close")),
            "limits": add(Moody((429, {"Retry-After": "3"}))),
            "later": add(Moody((503, {"Retry-After": soon}))),
            "secure": add(SecureReceiver(*certificate)),
            "unknown": add(SecureReceiver(*certificate)),
            "basic": add(Moody()),
            "bearer": add(Moody()),
            "moved": add(Moody()),
            "refuses": add(Moody(404, 404)),
        }
        proxy = add(Moody())
        self.stage.write("token", "s3cret-token-in-a-file\n")
        self.stage.write("url", f"http://127.0.0.1:{free_port()}/nobody\n")
        blocks = {
            "slow": "timeout: 1s",
            "limits": "headers: {X-Team: database}",
            "secure": "tls_config: {ca_file: cert.pem}",
            "basic": "basic_auth: {username: tocsin, password: s3cret-password}",
            "bearer": "authorization: {credentials_file: token}",
            "refuses": "group_interval: 2s",
        }
        text = "webhooks:\n"
        for name, receiver in receivers.items():
            scheme = "https" if isinstance(receiver, SecureReceiver) else "http"
            place = "url_file: url" if name == "moved" else f"url: '{scheme}://{receiver.address}/x'"
            text += f"  - {{name: {name}, {place}, {blocks.get(name, 'send_resolved: true')}}}\n"
        text += f"  - {{name: proxied, url: 'http://hook.invalid/x', proxy_url: 'http://{proxy.address}'}}\n"
        self.begin(text)
        tocsin = self.stage.tocsin()

        wait_until(lambda: self.receivers(tocsin)["moved"]["lastError"], "the address in the file is wrong")
        self.stage.write("url", receivers["moved"].url("/x") + "\n")

        def tell(name):
            return [delivery for delivery in receivers[name].deliveries if delivery.status == 200]

        happy = set(receivers) - {"later", "unknown"}
        wait_until(lambda: all(tell(name) for name in happy), "everybody accepts it", 40)
        for name in happy:
            with self.subTest(receiver=name):
                receiver = receivers[name]
                self.assertEqual(len(set(receiver.keys)), 1, "one key over all tries")
                self.assertEqual(len({delivery.raw for delivery in receiver.deliveries}), 1)
                self.assertEqual(len(tell(name)), 1, "accepted once, told once")
        times = [delivery.at for delivery in receivers["limits"].deliveries]
        self.assertGreaterEqual(times[1] - times[0], 2.9, "Retry-After in seconds")
        self.assertEqual(len(receivers["later"].deliveries), 1, "Retry-After as a date")
        header = {name: receivers[name].deliveries[-1].headers for name in receivers if receivers[name].deliveries}
        self.assertEqual(header["basic"]["Authorization"], "Basic dG9jc2luOnMzY3JldC1wYXNzd29yZA==")
        self.assertEqual(header["bearer"]["Authorization"], "Bearer s3cret-token-in-a-file")
        self.assertEqual(header["limits"]["X-Team"], "database")
        self.assertEqual(receivers["unknown"].deliveries, [], "a certificate nobody vouches for")
        self.assertIn("certificate", self.receivers(tocsin)["unknown"]["lastError"])
        wait_until(lambda: proxy.deliveries, "the proxy is asked")
        self.assertEqual(proxy.deliveries[0].path, "http://hook.invalid/x")
        self.assertNotIn("s3cret", tocsin.log)


@beyond_prometheus("keep dead letters")
class DeadLetterTest(NotifyTest):
    def test_breaker_dead_letters_and_replay(self):
        receiver = self.stage.add(Moody())
        receiver.refuse()
        self.begin(
            f"""
            webhooks:
              - name: ops
                url: '{receiver.url("/x")}'
                group_by: ['...']
                group_interval: 1h
                dead_letter_after: 8s
                basic_auth: {{username: tocsin, password: s3cret-password}}
            """
        )
        tocsin = self.stage.tocsin()
        wait_until(lambda: self.receivers(tocsin)["ops"]["breaker"]["state"] == "open", "the breaker opens", 30)
        tocsin.wait_for_log("circuit breaker open")
        self.assertEqual(tocsin.metric("tocsin_receiver_breaker_state", receiver="ops"), 2)
        self.assertEqual(tocsin.metric("tocsin_receiver_breaker_trips_total", receiver="ops"), 1)
        file = self.stage.folder / "data" / "dead-letters.jsonl"
        wait_until(lambda: len(file.read_text().splitlines()) >= 3, "all three are given up", 40)
        letters = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual({letter["receiver"] for letter in letters}, {"ops"})
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertNotIn("s3cret", file.read_text())
        self.assertGreaterEqual(tocsin.metric("tocsin_webhook_dead_letters_total", webhook="ops"), 3)

        code, said = self.command("notify", "replay", str(file), "--failed", "left.jsonl")
        self.assertEqual(code, 1, said)
        self.assertEqual((self.stage.folder / "left.jsonl").read_text(), file.read_text())
        receiver.listen()
        before = len(receiver.deliveries)
        code, said = self.command("notify", "replay", str(file))
        self.assertEqual(code, 0, said)
        again = {d.headers["Idempotency-Key"]: d.raw.decode() for d in receiver.deliveries[before:]}
        for letter in letters:
            self.assertEqual(again[letter["key"]], letter["body"])


    def test_letters_that_cannot_be_written_are_counted(self):
        receiver = self.stage.add(Moody())
        receiver.refuse()
        self.begin(
            f"""
            webhooks:
              - name: ops
                url: '{receiver.url("/x")}'
                group_by: ['...']
                dead_letter_after: 2s
            """
        )
        # Where the file should be there is a folder.
        (self.stage.folder / "data" / "dead-letters.jsonl").mkdir(parents=True)
        tocsin = self.stage.tocsin()
        tocsin.wait_for_log("A dead letter cannot be written")
        wait_until(lambda: tocsin.metric("tocsin_dead_letters_lost_total") >= 1, "the loss is counted")


@beyond_prometheus("keep what is undelivered")
class NotifyRestartTest(NotifyTest):
    def start(self, receiver):
        self.begin(f"webhooks: [{{name: ops, url: '{receiver.url('/x')}', group_interval: 2s}}]\n")
        return self.stage.tocsin()

    def kill(self, tocsin):
        tocsin.expected_exit = {-signal.SIGKILL}
        tocsin.signal(signal.SIGKILL)
        tocsin.wait(10)

    def test_what_was_told_is_not_told_again(self):
        receiver = self.stage.add(Moody())
        tocsin = self.start(receiver)
        wait_until(lambda: len(receiver.deliveries) == 1, "told once")
        tocsin.wait_for_log("Notification delivered")
        wait_and_sleep(1.5)
        self.kill(tocsin)
        tocsin = self.stage.tocsin()
        wait_and_sleep(6)
        self.assertEqual(len(receiver.deliveries), 1, "and not again")
        tocsin.signal(signal.SIGTERM)
        self.assertEqual(tocsin.wait(15), 0)
        self.exporter["app"] = Page(SHORT)
        self.stage.tocsin()
        wait_until(lambda: len(receiver.deliveries) == 2, "its end is told", 30)
        self.assertEqual(receiver.deliveries[1].payload["status"], "resolved")

    def test_what_was_not_delivered_is_delivered(self):
        receiver = self.stage.add(Moody())
        receiver.refuse()
        tocsin = self.start(receiver)
        tocsin.wait_for_log("Error notifying webhook")
        wait_and_sleep(1.5)
        self.kill(tocsin)
        # Nothing of it can be seen any more when the process comes back.
        self.exporter["app"] = Page(SHORT)
        receiver.listen()
        self.stage.tocsin()
        wait_until(lambda: len(receiver.deliveries) >= 2, "both are delivered", 40)
        self.assertEqual([delivery.payload["status"] for delivery in receiver.deliveries], ["firing", "resolved"])
        self.assertEqual(len(set(receiver.keys)), 2)

    def test_another_grouping_while_nothing_can_be_delivered(self):
        receiver = self.stage.add(Moody())
        receiver.refuse()
        tocsin = self.start(receiver)
        tocsin.wait_for_log("Error notifying webhook")
        text = (self.stage.folder / "tocsin.yml").read_text()
        self.stage.write("tocsin.yml", text.replace("name: ops", "name: ops, group_by: ['...']"))
        tocsin.signal(signal.SIGHUP)
        wait_until(lambda: tocsin.log.count("Configuration applied") == 2, "the reload")
        self.exporter["app"] = Page(SHORT)
        wait_until(lambda: tocsin.api("alerts")["alerts"] == [], "nothing fires any more")
        wait_and_sleep(1.5)
        self.kill(tocsin)
        receiver.listen()
        self.stage.tocsin()

        def known():
            """The status of each alert as the receiver knows it."""
            status, keys = {}, set()
            for delivery in receiver.deliveries:
                if delivery.headers["Idempotency-Key"] not in keys:
                    status |= {alert["fingerprint"]: alert["status"] for alert in delivery.payload["alerts"]}
                keys.add(delivery.headers["Idempotency-Key"])
            return status

        wait_until(lambda: list(known().values()) == ["resolved"] * 3, "the end of all three is told", 40)
        self.assertEqual(receiver.deliveries[0].payload["status"], "firing")
        self.assertEqual(len(receiver.deliveries[0].payload["alerts"]), 3, "as it was written")


@beyond_prometheus("have fire drills")
class FireDrillTest(NotifyTest):
    def test_drills(self):
        receiver, alertmanager = self.stage.add(Moody()), self.stage.add(Moody())
        self.begin(
            f"""
            webhooks:
              - name: ops
                url: 'http://user:s3cret-password@{receiver.address}/hooks/T0123456789s3cret?token=s3cret'
                matchers: [severity="page"]
                group_wait: 1m
                headers: {{X-Key: s3cret-header}}
              - {{name: others, url: '{receiver.url("/others")}', matchers: [severity="ticket"]}}
            """,
            f"\n    alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager.address}']}}]}}]}}\n",
        )
        code, said = self.command("notify", "test", "ops", "--alert", "QueueTooLong", "--label", "queue=x", "--value", "99")
        self.assertEqual(code, 0, said)
        payload = receiver.deliveries[0].payload
        self.assertEqual(payload["status"], "firing")
        self.assertEqual(payload["commonLabels"]["drill"], "true")
        self.assertEqual(payload["commonLabels"]["queue"], "x")
        self.assertEqual(payload["commonAnnotations"]["summary"], "[DRILL] queue x holds 99")
        self.assertEqual(receiver.deliveries[0].headers["X-Key"], "s3cret-header")
        self.assertRegex(said, r"POST http://user:xxxxx@127.0.0.1:\d+/hooks/xxxxx\?token=xxxxx")
        self.assertRegex(said, r"status 200 in \d+ms: ok")
        self.assertNotIn("s3cret", said)

        code, said = self.command("notify", "test", "others", "--alert", "QueueTooLong", "--resolve")
        self.assertEqual(code, 0, said)
        self.assertIn('severity="ticket" does not match', said)
        self.assertEqual([d.payload["status"] for d in receiver.deliveries[1:]], ["firing", "resolved"])
        code, said = self.command("notify", "test", "others", "--show-body")
        self.assertEqual((code, receiver.deliveries[-1].payload["commonLabels"]["severity"]), (0, "ticket"))
        self.assertIn('"alertname":"TocsinFireDrill"', said)

        code, said = self.command("notify", "test", alertmanager.address)
        self.assertEqual(code, 0, said)
        self.assertEqual(alertmanager.deliveries[0].path, "/api/v2/alerts")
        self.assertEqual(alertmanager.deliveries[0].payload[0]["labels"], {"alertname": "TocsinFireDrill", "drill": "true"})

        receiver.answers = [(503, {"Retry-After": "9"}), 400]
        code, said = self.command("notify", "test", "ops")
        self.assertEqual(code, 1)
        self.assertIn("would try again, not before 9s", said)
        code, said = self.command("notify", "test", "ops")
        self.assertEqual(code, 1)
        self.assertIn("Refused", said)
        receiver.refuse()
        code, said = self.command("notify", "test", "ops")
        self.assertEqual(code, 1)
        self.assertIn("connection refused", said)
        for words in (["nobody"], ["ops", "--alert", "NoSuchAlert"]):
            code, said = self.command("notify", "test", *words)
            self.assertEqual(code, 2, said)
        self.assertNotIn("s3cret", said)


if __name__ == "__main__":
    unittest.main()
