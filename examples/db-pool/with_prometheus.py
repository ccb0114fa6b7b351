#!/usr/bin/env python3
"""Takes the flags of `tocsin run` and runs Prometheus and Alertmanager in its place: the same demo on both.

    PATH=$PATH:/folder/with/prometheus python3 demo.py --tocsin with_prometheus.py
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import time
from pathlib import Path

from processes import children, free_port

SECONDS = 300


def alertmanager_config(tocsin_yml: str) -> str:
    """One webhook of the demo's tocsin.yml, in Alertmanager's words."""
    words = dict(re.findall(r"^ +(?:- )?(\w+): (.+)$", tocsin_yml, re.MULTILINE))
    route = "".join(f"  {key}: {words[key]}\n" for key in ("group_by", "group_wait", "group_interval", "repeat_interval"))
    return (
        f"route:\n  receiver: {words['name']}\n{route}receivers:\n  - name: {words['name']}\n    webhook_configs:\n"
        f"      - url: {words['url']}\n        send_resolved: {words['send_resolved']}\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=["run"])
    for flag in ("--config.file", "--tocsin.file", "--web.listen-address", "--storage.path"):
        parser.add_argument(flag, dest=flag.lstrip("-"), required=True)
    flags = vars(parser.parse_args())
    prometheus = shutil.which("prometheus")
    alertmanager = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    if not prometheus or not alertmanager:
        sys.exit("prometheus and alertmanager must be on the PATH")

    receiver = f"127.0.0.1:{free_port()}"
    folder = Path(flags["config.file"]).parent
    alerting = f"\nalerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ['{receiver}']\n"
    (folder / "with.yml").write_text(Path(flags["config.file"]).read_text(encoding="utf-8") + alerting, encoding="utf-8")
    (folder / "alertmanager.yml").write_text(
        alertmanager_config(Path(flags["tocsin.file"]).read_text(encoding="utf-8")), encoding="utf-8"
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with children(folder) as started:
        both = [
            started.start("alertmanager", [
                alertmanager, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alertmanager",
                f"--web.listen-address={receiver}", "--cluster.listen-address=",
            ]),
            started.start("prometheus", [
                prometheus, f"--config.file={folder}/with.yml", f"--storage.tsdb.path={flags['storage.path']}",
                f"--web.listen-address={flags['web.listen-address']}",
            ]),
        ]  # fmt: skip
        limit = time.monotonic() + SECONDS
        while time.monotonic() < limit and all(child.exit_code is None for child in both):
            time.sleep(0.2)
        for child in both:
            print(f"{child.name}:\n{child.log_tail()}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
