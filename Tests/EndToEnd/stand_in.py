#!/usr/bin/env python3
"""Takes the flags of `tocsin run` and runs Debian's Prometheus and Alertmanager in its place.

    TOCSIN=Tests/EndToEnd/stand_in.py python3 -m unittest discover --start-directory Tests/EndToEnd --pattern '*_test.py'

That tests the tests: what they ask for is what Prometheus does, except where they say `beyond_prometheus`.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from support import peers
from support.processes import die_with_parent
from support.web import free_port

SECONDS = 300
ROUTE = ("group_by", "group_wait", "group_interval", "repeat_interval")


def webhooks(tocsin_yml):
    """The webhooks of a tocsin.yml as dictionaries of text, one line per key."""
    found, inside = [], False
    for line in tocsin_yml.splitlines():
        match = re.match(r"^( *)(- )?(\w+): *(.*?)\s*$", line)
        if not match:
            continue
        if not match.group(1):
            inside = match.group(3) == "webhooks"
        elif inside and match.group(2):
            found.append({match.group(3): match.group(4)})
        elif inside and found:
            found[-1][match.group(3)] = match.group(4)
    return found


def alertmanager_yml(receivers):
    routes = receivers_block = ""
    for words in receivers:
        routes += f"    - receiver: {words['name']}\n      continue: true\n"
        routes += "".join(f"      {key}: {words[key]}\n" for key in ROUTE if key in words)
        if "group_wait" not in words:
            routes += "      group_wait: 0s\n"
        if "matchers" in words:
            routes += f"      matchers: {words['matchers']}\n"
        receivers_block += f"  - name: {words['name']}\n    webhook_configs:\n      - url: {words['url']}\n"
        receivers_block += f"        send_resolved: {words.get('send_resolved', 'true')}\n"
    return f"route:\n  receiver: nobody\n  routes:\n{routes}receivers:\n  - name: nobody\n{receivers_block}"


def write_config(flags, receiver):
    """prometheus.yml with our Alertmanager added; returns the file to use."""
    source = Path(flags["config.file"])
    text = source.read_text(encoding="utf-8")
    if not receiver:
        return source
    target = source.parent / "stand-in.yml"
    target.write_text(f"{text}\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{receiver}']}}]}}]}}\n")
    return target


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=["run"])
    for flag in ("config.file", "storage.path", "web.listen-address"):
        parser.add_argument("--" + flag, dest=flag, required=True)
    for flag in ("tocsin.file", "web.external-url", "log.level", "log.format"):
        parser.add_argument("--" + flag, dest=flag)
    parser.add_argument("--web.enable-lifecycle", dest="lifecycle", action="store_true")
    flags = vars(parser.parse_args())
    folder = Path(flags["config.file"]).resolve().parent

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    children = []

    def start(command):
        command = [str(word) for word in command]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=str(folder), preexec_fn=die_with_parent)
        children.append(child)

    receiver = None
    hooks = webhooks(Path(flags["tocsin.file"]).read_text(encoding="utf-8")) if flags["tocsin.file"] else []
    if hooks:
        receiver = f"127.0.0.1:{free_port()}"
        config = folder / "stand-in-alertmanager.yml"
        config.write_text(alertmanager_yml(hooks), encoding="utf-8")
        start([
            *peers.alertmanager(folder), f"--config.file={config}", f"--storage.path={folder}/stand-in-alertmanager",
            f"--web.listen-address={receiver}", "--cluster.listen-address=",
        ])  # fmt: skip
    optional = [f"--{name}={flags[name]}" for name in ("web.external-url", "log.level", "log.format") if flags[name]]
    if flags["lifecycle"]:
        optional.append("--web.enable-lifecycle")
    start([
        peers.path("prometheus"), f"--config.file={write_config(flags, receiver)}",
        f"--storage.tsdb.path={flags['storage.path']}", f"--web.listen-address={flags['web.listen-address']}", *optional,
    ])  # fmt: skip

    def reload(*_):
        write_config(flags, receiver)
        children[-1].send_signal(signal.SIGHUP)

    signal.signal(signal.SIGHUP, reload)
    limit = time.monotonic() + SECONDS
    while not stopping and time.monotonic() < limit and all(child.poll() is None for child in children):
        time.sleep(0.05)
    for child in reversed(children):  # Prometheus first: it may still have something to say to Alertmanager
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
    return 0 if stopping else 1


if __name__ == "__main__":
    sys.exit(main())
