#!/usr/bin/env python3
"""Half an hour at 100,000 series of which pods come and go: memory must stay flat.

    soak.py --tocsin .build/release/tocsin [--minutes 30] [--out docs/benchmarks]

Serves TARGETS targets on loopback whose pods are replaced all the time, runs the daemon against them with rules
over all of them, notes its memory every ten seconds and draws it. Standard library only. Ends with status 1 if the
last third of the run holds more than 5 % over the third before it.
"""
import argparse
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TARGETS = 100
PODS = 50
SERIES = 20
LIFE = 300.0  # seconds a pod lives; with the rules' windows memory is steady after some eleven minutes
SCRAPE = 5
RULES = """groups:
- name: soak
  interval: 15s
  rules:
  - record: job:soak_total:rate5m
    expr: sum by (job) (rate({__name__=~"soak_.*_total"}[5m]))
  - alert: PodStuck
    expr: rate(soak_0_total[5m]) == 0
    for: 1m
  - alert: PodHot
    expr: avg_over_time(soak_gauge[5m]) > 900
"""


class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        now = time.time()
        port = self.server.server_address[1]
        lines = []
        for place in range(PODS):
            # Every place of a target changes its pod at a time of its own.
            age = now + place * LIFE / PODS + port * 7
            pod = f"{place}-{int(age // LIFE)}"
            for i in range(SERIES - 1):
                lines.append(f'soak_{i}_total{{pod="{pod}",part="p{i}"}} {int(age % LIFE * (i + 1))}')
            lines.append(f'soak_gauge{{pod="{pod}"}} {int(age * 7919) % 1000}')
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def memory(pid):
    fields = {}
    for line in open(f"/proc/{pid}/status"):
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssAnon"):
            fields[name] = int(value.split()[0]) * 1024
    return fields["VmRSS"], fields["RssAnon"]


def metric(url, name):
    try:
        text = urllib.request.urlopen(url, timeout=5).read().decode()
    except OSError:
        return None
    found = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
    return float(found[0]) if found else None


def draw(path, samples, title):
    width, height, margin = 760, 300, 50
    most = max(rss for _, rss, _, _ in samples) * 1.15
    end = samples[-1][0]
    x = lambda t: margin + t / end * (width - 2 * margin)
    y = lambda v: height - margin - v / most * (height - 2 * margin)
    line = lambda k: " ".join(f"{x(s[0]):.1f},{y(s[k]):.1f}" for s in samples)
    marks = "".join(
        f'<text x="{margin - 6}" y="{y(most * i / 4) + 4:.0f}" text-anchor="end">{most * i / 4 / 1e6:.0f} MB</text>'
        f'<line x1="{margin}" x2="{width - margin}" y1="{y(most * i / 4):.0f}" y2="{y(most * i / 4):.0f}" stroke="#ddd"/>'
        for i in range(5))
    minutes = "".join(
        f'<text x="{x(t * 60):.0f}" y="{height - margin + 18}" text-anchor="middle">{t} min</text>'
        for t in range(0, int(end // 60) + 1, max(1, int(end // 360))))
    open(path, "w").write(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="{margin}" y="20" font-size="13">{title}</text>{marks}{minutes}'
        f'<polyline fill="none" stroke="#c33" stroke-width="1.5" points="{line(1)}"/>'
        f'<polyline fill="none" stroke="#36c" stroke-width="1.5" points="{line(2)}"/>'
        f'<text x="{width - margin}" y="36" text-anchor="end" fill="#c33">resident</text>'
        f'<text x="{width - margin}" y="50" text-anchor="end" fill="#36c">of it the program\'s own</text></svg>\n')


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tocsin", default=".build/release/tocsin")
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--out", default="docs/benchmarks")
    o = options.parse_args()
    servers = [Server(("127.0.0.1", 0), Target) for _ in range(TARGETS)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        targets = ", ".join(f'"127.0.0.1:{s.server_address[1]}"' for s in servers)
        open(f"{folder}/rules.yml", "w").write(RULES)
        open(f"{folder}/prometheus.yml", "w").write(
            f"global: {{scrape_interval: {SCRAPE}s, evaluation_interval: 15s}}\nrule_files: [rules.yml]\n"
            f"scrape_configs: [{{job_name: soak, static_configs: [{{targets: [{targets}]}}]}}]\n")
        port = free_port()
        program = subprocess.Popen([
            o.tocsin, "run", f"--config.file={folder}/prometheus.yml", f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn"])
        samples, begun = [], time.time()
        try:
            while time.time() - begun < o.minutes * 60:
                time.sleep(10)
                if program.poll() is not None:
                    sys.exit("tocsin has ended")
                series = metric(f"http://127.0.0.1:{port}/metrics", "prometheus_tsdb_head_series")
                samples.append((time.time() - begun, *memory(program.pid), series))
                print(f"{samples[-1][0]:6.0f} s  {samples[-1][1] / 1e6:7.1f} MB resident, "
                      f"{samples[-1][2] / 1e6:7.1f} MB own, {series or 0:.0f} series", flush=True)
        finally:
            program.terminate()
            program.wait(30)
    third = len(samples) // 3
    before = statistics.median(s[1] for s in samples[third:2 * third] or samples)
    last = statistics.median(s[1] for s in samples[2 * third:])
    os.makedirs(o.out, exist_ok=True)
    json.dump({"targets": TARGETS, "series": TARGETS * PODS * SERIES, "pod_life_s": LIFE, "scrape_s": SCRAPE,
               "samples": [{"t": round(t), "rss": r, "own": a, "series": n} for t, r, a, n in samples]},
              open(f"{o.out}/soak.json", "w"))
    draw(f"{o.out}/soak.svg", samples,
         f"{TARGETS * PODS * SERIES:,} series, every pod replaced every {LIFE / 60:.0f} minutes")
    print(f"middle third {before / 1e6:.1f} MB, last third {last / 1e6:.1f} MB")
    sys.exit(1 if last > before * 1.05 else 0)


main()
