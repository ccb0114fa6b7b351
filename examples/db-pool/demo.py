#!/usr/bin/env python3
"""Tocsin and an application with a small connection pool: load, alerts, webhooks, a pool that grows, recovery.

    python3 examples/db-pool/demo.py --tocsin .build/release/tocsin

Needs nothing but Python's standard library; the application's packages go into .build/demo-venv. Ends by itself: with 0 if
HighConnectionWait and ConnectionPoolExhausted fired, reached the application's webhook and resolved there, otherwise with
1 and the list of what is missing (2: could not run at all).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from processes import HERE, Child, Children, SetupError, children, free_port, prepare_venv
from story import Story, get_json

WRITTEN_FOR = "127.0.0.1:8123"  # the application's address in prometheus.yml and tocsin.yml
POLL_SECONDS = 0.25
IDLE_SECONDS = 3
START_SECONDS = 30


class Aborted(Exception):
    """The demo cannot go on."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Tocsin's demo: an application whose connection pool runs out.")
    parser.add_argument("--tocsin", type=Path, default=HERE.parent.parent / ".build/release/tocsin", metavar="BINARY")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a transcript")
    parser.add_argument("--clients", type=int, default=6, help="clients of the load (default 6, on a pool of 3)")
    parser.add_argument("--load-seconds", type=float, default=25, help="duration of the load (default 25)")
    parser.add_argument("--timeout", type=float, default=150, help="hard limit once everything is installed (default 150)")
    parser.add_argument("--keep-logs", action="store_true", help="keep the temporary folder, also after success")
    parser.add_argument("--setup-only", action="store_true", help="install the packages, print the Python to use, end")
    parser.add_argument("--app-only", action="store_true", help="run the application alone on port 8123, until Ctrl-C")
    return parser.parse_args()


def render(folder: Path, app_address: str) -> None:
    """Copies the configuration with the application's real address in it."""
    for name in ("prometheus.yml", "tocsin.yml", "rules.yml"):
        text = (HERE / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace(WRITTEN_FOR, app_address), encoding="utf-8")


def wait_until_up(child: Child, url: str) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        if child.exit_code is not None:
            break
        try:
            get_json(url)
            return
        except OSError:
            time.sleep(0.1)
    raise Aborted(f"{child.name} did not come up (exit code {child.exit_code}):\n{child.log_tail()}")


def start_app(started: Children, python: Path, folder: Path, port: int) -> Child:
    database = os.environ.get("DEMO_DATABASE_URL", f"sqlite://{folder}/demo.db")
    env = {"DEMO_DATABASE_URL": database, "DEMO_POOL_SIZE": "3", "DEMO_POOL_CAP": "12"}
    app = started.start("app", [python, HERE / "app.py", "--port", str(port)], env)
    wait_until_up(app, f"http://127.0.0.1:{port}/healthz")
    return app


def start_tocsin(started: Children, binary: Path, folder: Path, port: int) -> Child:
    flags: dict[str, str | Path] = {
        "--config.file": folder / "prometheus.yml",
        "--tocsin.file": folder / "tocsin.yml",
        "--web.listen-address": f"127.0.0.1:{port}",
        "--storage.path": folder / "data",
    }
    command: list[str | Path] = [binary, "run"]
    for flag in flags.items():
        command += flag
    tocsin = started.start("tocsin", command)
    wait_until_up(tocsin, f"http://127.0.0.1:{port}/api/v1/rules")
    return tocsin


def watch(story: Story, needed: list[Child], until: float, done: Callable[[], bool]) -> None:
    """Polls until `done`, or until that much time has passed since the start of the story."""
    while story.now < until and not done():
        for child in needed:
            if child.exit_code is not None:
                raise Aborted(f"{child.name} ended with {child.exit_code}:\n{child.log_tail()}")
        try:
            story.poll()
        except OSError as error:  # slow for once, perhaps: the time limit decides
            story.tell(f"(no answer: {error})")
        time.sleep(POLL_SECONDS)


def perform(args: argparse.Namespace, story: Story, started: Children, python: Path, folder: Path) -> None:
    app_port, tocsin_port = (int(url.rsplit(":", 1)[1]) for url in (story.app, story.tocsin))
    render(folder, f"127.0.0.1:{app_port}")
    needed = [start_app(started, python, folder, app_port), start_tocsin(started, args.tocsin, folder, tocsin_port)]
    groups = get_json(f"{story.tocsin}/api/v1/rules")["data"]["groups"]
    rules = ", ".join(rule["name"] for group in groups for rule in group["rules"])
    story.tell(f"application {story.app}, Tocsin {story.tocsin}, rules: {rules or 'none'}")
    watch(story, needed, story.now + IDLE_SECONDS, lambda: False)

    story.tell(f"load: {args.clients} clients for {args.load_seconds:g} s")
    options = ("--port", app_port, "--clients", args.clients, "--seconds", args.load_seconds)
    load = started.start("load", [sys.executable, HERE / "load.py", *map(str, options)])
    watch(story, needed, args.timeout, lambda: load.exit_code is not None)
    if load.exit_code:
        raise Aborted(f"the load failed:\n{load.log_tail()}")
    story.tell(load.log_tail(1))
    watch(story, needed, args.timeout, lambda: story.is_over)


def run(args: argparse.Namespace, python: Path) -> int:
    args.tocsin = args.tocsin.resolve()
    if not os.access(args.tocsin, os.X_OK):
        raise SetupError(f"no program {args.tocsin}: build it first, or name it with --tocsin")
    folder = Path(tempfile.mkdtemp(prefix="tocsin-demo-"))
    story = Story(tocsin=f"http://127.0.0.1:{free_port()}", app=f"http://127.0.0.1:{free_port()}")
    problem, passed = "", False
    try:
        with children(folder) as started:
            try:
                perform(args, story, started, python, folder)
            except (Aborted, OSError) as error:
                problem = str(error)
        transcript = story.transcript() | {"exit_codes": started.exit_codes}
        if problem:
            transcript |= {"passed": False, "missing": [problem, *transcript["missing"]]}
        passed = transcript["passed"]
        if args.json:
            args.json.write_text(json.dumps(transcript, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        for what in transcript["missing"]:
            story.tell(f"MISSING: {what}")
        story.tell("passed: both alerts fired, were received and resolved" if passed else "failed")
    finally:
        if passed and not args.keep_logs:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"logs and configuration: {folder}", flush=True)
    return 0 if passed else 1


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)  # Chinese, whatever the locale says
    args = arguments()
    try:
        python = prepare_venv()
        if args.setup_only:
            print(python)
            return 0
        if args.app_only:
            return subprocess.call([python, HERE / "app.py"])
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(number, lambda number, _: sys.exit(128 + number))  # unwinds, which ends the children
        signal.alarm(int(args.timeout) + START_SECONDS)  # if all else fails
        return run(args, python)
    except SetupError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
