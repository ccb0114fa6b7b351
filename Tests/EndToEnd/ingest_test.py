"""Samples that come by other ways than a plain scrape: protobuf, discovery with tokens, remote write, import."""

from __future__ import annotations

import base64
import json
import time

from support.servers import Exporter, Page
from support.stage import STAND_IN, EndToEndTest
from support.waiting import wait_until
from support.web import request

KEEP_ALL = "storage: {keep: all, retention: 30d}\n"
NOTHING = "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"


class Call:
    """A page that is a function of the request."""

    def __init__(self, answer):
        self.answer = answer

    def send(self, server, handler):
        handler.send(*self.answer(handler))


class IngestTest(EndToEndTest):
    seconds = 90

    def setUp(self):
        super().setUp()
        if STAND_IN:
            self.skipTest("of Tocsin only")
        self.stage.write("tocsin.yml", KEEP_ALL)

    def prometheus(self, config):
        self.stage.write("prometheus.yml", config)
        return self.stage.prometheus()

    def test_prometheus_writes_to_us(self):
        self.stage.write("prometheus.yml", NOTHING)
        tocsin = self.stage.tocsin("--web.enable-remote-write-receiver")
        own = self.prometheus(
            f"""
            global: {{scrape_interval: 1s, external_labels: {{origin: debian}}}}
            remote_write: [{{url: '{tocsin.base}/api/v1/write', queue_config: {{batch_send_deadline: 1s}}}}]
            scrape_configs: [{{job_name: node, static_configs: [{{targets: ['127.0.0.1:1']}}]}}]
            """
        )
        wait_until(lambda: tocsin.value('up{origin="debian",instance="127.0.0.1:1"}') == 0, "its samples arrive", 30)
        self.stage.write(
            "prometheus.yml",
            f"""
            global: {{scrape_interval: 1s, external_labels: {{origin: debian}}}}
            remote_write: [{{url: '{tocsin.base}/api/v1/write', queue_config: {{batch_send_deadline: 1s}}}}]
            scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{own.address}']}}]}}]
            """,
        )
        own.signal(1)
        wait_until(lambda: tocsin.value('prometheus_build_info{job="node"}') == 1, "a new target arrives", 30)
        wait_until(lambda: tocsin.query('up{instance="127.0.0.1:1"}') == [], "the old one is stale", 30)
        query = 'sum(prometheus_remote_storage_samples_failed_total) + sum(prometheus_remote_storage_samples_dropped_total)'
        self.assertEqual(own.value(query), 0)
        self.assertEqual(tocsin.metric("tocsin_pushed_samples_total", path="remote_write", outcome="out_of_order"), 0)
        counted = tocsin.metric("tocsin_pushed_samples_total", path="remote_write", outcome="stored")
        self.assertGreater(counted, 500)

    def test_the_receiver_is_off(self):
        self.stage.write("prometheus.yml", NOTHING)
        tocsin = self.stage.tocsin()
        self.assertEqual(request("POST", tocsin.base + "/api/v1/write", b"").status, 404)
        self.assertEqual(request("POST", tocsin.base + "/api/v1/import", b"a 1\n").status, 500)

    def test_what_a_sender_gets_wrong(self):
        self.stage.write("prometheus.yml", NOTHING)
        tocsin = self.stage.tocsin("--web.enable-remote-write-receiver")
        url = tocsin.base + "/api/v1/write"
        for status, body, headers in [
            (400, b"\xff\xff", {}),
            (400, b"\x05\x00", {}),
            (400, b"\xff\xff\xff\xff\x0f\x00", {}),
            (415, b"", {"Content-Encoding": "gzip"}),
            (415, b"", {"Content-Type": "application/json"}),
            (415, b"", {"Content-Type": "application/x-protobuf;proto=some.Other"}),
            (204, b"\x00", {"Content-Type": "application/x-protobuf"}),
        ]:
            with self.subTest(status=status, headers=headers):
                self.assertEqual(request("POST", url, body, headers).status, status)
        second = {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
        answer = request("POST", url, b"\x00", second)
        self.assertEqual((answer.status, answer.headers["X-Prometheus-Remote-Write-Samples-Written"]), (204, "0"))

    def test_protobuf_says_what_text_says(self):
        prometheus = self.prometheus("global: {scrape_interval: 1s}\n")
        self.stage.write(
            "prometheus.yml",
            f"""
            global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
            scrape_configs:
              - job_name: text
                static_configs: [{{targets: ['{prometheus.address}']}}]
              - job_name: proto
                scrape_protocols: [PrometheusProto]
                static_configs: [{{targets: ['{prometheus.address}']}}]
            """,
        )
        tocsin = self.stage.tocsin()
        wait_until(lambda: tocsin.value("count(up == 1)") == 2, "both are up", 30)
        names = 'count by (__name__) ({job="%s", __name__!~"up|scrape_.*|promhttp.*|prometheus_http.*"})'

        def shapes(job):
            return {labels["__name__"]: value for labels, value in tocsin.query(names % job)}

        wait_until(lambda: len(shapes("proto")) > 100, "many metrics", 15)
        self.assertEqual(shapes("proto"), shapes("text"))
        for expr in ("go_gc_duration_seconds", "prometheus_tsdb_compaction_chunk_size_bytes_bucket"):
            expr += '{job="%s"}'
            bounds = [
                sorted((labels.get("le", ""), labels.get("quantile", "")) for labels, _ in tocsin.query(expr % job))
                for job in ("proto", "text")
            ]
            self.assertEqual(bounds[0], bounds[1])
        self.assertEqual(tocsin.value('prometheus_build_info{job="proto"}'), 1)

    def test_discovery_and_scrape_with_tokens(self):
        tokens, asked = [], []

        def token(handler):
            asked.append(handler.headers["Authorization"])
            tokens.append(f"t{len(tokens)}")
            return 200, json.dumps({"access_token": tokens[-1], "token_type": "Bearer", "expires_in": 3600}).encode(), "application/json"

        def guarded(body, kind):
            def answer(handler):
                good = handler.headers.get("Authorization", "")[7:] in tokens
                return (200, body(), kind) if good else (401, b"", "text/plain")

            return Call(answer)

        exporter = self.stage.add(Exporter(token=Call(token)))
        groups = [{"targets": [exporter.address], "labels": {"zone": "a"}}]
        exporter["sd"] = guarded(lambda: json.dumps(groups).encode(), "application/json")
        exporter["app"] = guarded(lambda: b"answer 42\n", "text/plain; version=0.0.4")
        oauth = f"oauth2: {{client_id: me, client_secret_file: secret, token_url: '{exporter.url('/token')}'}}"
        self.stage.write("secret", "s3cret\n")
        self.stage.write(
            "prometheus.yml",
            f"""
            global: {{scrape_interval: 1s, scrape_timeout: 1s}}
            scrape_configs:
              - job_name: app
                metrics_path: /app
                {oauth}
                http_sd_configs: [{{url: '{exporter.url("/sd")}', refresh_interval: 1s, {oauth}}}]
            """,
        )
        tocsin = self.stage.tocsin()
        wait_until(lambda: tocsin.value('answer{zone="a"}') == 42, "the target is found and scraped", 30)
        self.assertEqual(set(asked), {"Basic " + base64.b64encode(b"me:s3cret").decode()})
        self.assertEqual(len(asked), 1)
        self.assertEqual(exporter.requests["/sd"][0]["X-Prometheus-Refresh-Interval-Seconds"], "1")
        groups.clear()
        wait_until(lambda: tocsin.targets() == {}, "the target is gone", 15)

    def test_import(self):
        self.stage.write("prometheus.yml", NOTHING)
        tocsin = self.stage.tocsin("--web.enable-admin-api")
        now = int(time.time())
        lines = [f'load{{host="h{host}"}} {host + step} {now - 3600 + step * 15}.000\n' for step in range(200) for host in range(50)]
        text = "".join(lines).encode()
        # In two requests, the cut in the middle of a row.
        cut = text.index(b"\n", len(text) // 2) + 1
        for part in (text[:cut], text[cut:]):
            answer = request("POST", tocsin.base + "/api/v1/import", part, {"Content-Type": "text/plain"}, seconds=30)
            self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(answer.json()["data"]["outOfOrder"], 0)
        end = now - 3600 + 199 * 15
        counted = "sum(count_over_time(load[2h]))"
        wait_until(lambda: tocsin.query(counted, time=end)[0][1] == str(200 * 50), "every sample is there", 10)
        self.assertEqual(tocsin.query('load{host="h7"}', time=end)[0][1], str(7 + 199))
        bad = request("POST", tocsin.base + "/api/v1/import", b"a 1 1\nb {\n")
        self.assertEqual(bad.status, 400)
        self.assertIn("line 2", bad.json()["error"])
