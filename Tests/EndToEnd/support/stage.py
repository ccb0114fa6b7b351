"""One test's world: a folder, its processes and servers, and the test class that tidies them up."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

from . import peers
from .processes import Process
from .waiting import time_limit, wait_until
from .web import free_port, get, request

PROJECT = peers.PROJECT
TOCSIN = Path(os.environ.get("TOCSIN", PROJECT / ".build" / "debug" / "tocsin")).resolve()
START_SECONDS = 30.0
# stand_in.py takes Tocsin's flags and runs Debian's Prometheus and Alertmanager: it tests these tests.
STAND_IN = TOCSIN.suffix == ".py"


def beyond_prometheus(what):
    """Marks what Prometheus does not do: skipped when a stand-in plays Tocsin."""
    return unittest.skipIf(STAND_IN, f"Prometheus does not {what}")


class Service(Process):
    """A process with an HTTP API in Prometheus' manner."""

    def __init__(self, name, command, log, port, cwd=None, env=None):
        self.address = f"127.0.0.1:{port}"
        self.base = f"http://{self.address}"
        super().__init__(name, command, log, cwd, env)

    def wait_until_ready(self, path="/-/ready"):
        def ready():
            if self.exit_code is not None:
                return True
            return get(self.base + path).status == 200

        wait_until(ready, f"{self.name} is ready", START_SECONDS)
        assert self.exit_code is None, f"{self.name} ended with {self.exit_code}:\n{self.log_tail()}"
        return self

    def api(self, path, **params):
        """`data` of a successful answer of /api/v1."""
        answer = get(f"{self.base}/api/v1/{path}", **params)
        body = answer.json()
        assert answer.status == 200 and body["status"] == "success", f"{path} {params}: {answer.status} {answer.text[:500]}"
        return body["data"]

    def query(self, expr, time=None):
        """The instant vector of an expression, as (labels, value as text)."""
        params = {} if time is None else {"time": repr(time)}
        data = self.api("query", query=expr, **params)
        assert data["resultType"] == "vector", data
        return [(sample["metric"], sample["value"][1]) for sample in data["result"]]

    def value(self, expr):
        """The single value of an expression."""
        result = self.query(expr)
        assert len(result) == 1, f"{expr}: {len(result)} series"
        return float(result[0][1])

    def rules(self):
        """All rules by name."""
        return {rule["name"]: rule for group in self.api("rules")["groups"] for rule in group["rules"]}

    def alerts(self, name):
        return [alert for alert in self.api("alerts")["alerts"] if alert["labels"]["alertname"] == name]

    def wait_for_alert(self, name, state, seconds=15.0):
        """The alert, once it is the only one of its name and in this state."""

        def alert():
            found = self.alerts(name)
            return found[0] if [a["state"] for a in found] == [state] else None

        return wait_until(alert, f"{name} is {state}", seconds)

    def targets(self):
        """Active targets by job."""
        return {target["labels"]["job"]: target for target in self.api("targets")["activeTargets"]}

    def metric(self, name, **labels):
        """A value from /metrics; 0 if there is no such series."""
        total = 0.0
        for line in get(self.base + "/metrics").text.splitlines():
            if line.startswith((name + " ", name + "{")) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def post(self, path):
        return request("POST", self.base + path)


class Stage:
    """A folder, and what runs in it."""

    def __init__(self, name):
        self.folder = Path(tempfile.mkdtemp(prefix=f"tocsin-{name}-")).resolve()
        self._open = []
        self.processes = []

    def write(self, name, text):
        """Writes a configuration file in one step, so that nobody reads half of it."""
        path = self.folder / name
        scratch = self.folder / (name + ".new")
        scratch.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        scratch.replace(path)
        return path

    def add(self, server):
        """A server that is closed at the end."""
        self._open.append(server)
        return server

    def _adopt(self, process):
        self._open.append(process)
        self.processes.append(process)
        return process

    def run(self, name, command, **options):
        return self._adopt(Process(name, command, self.folder / f"{name}.log", **options))

    def service(self, name, command, port, ready="/-/ready", **options):
        service = self._adopt(Service(name, command, self.folder / f"{name}.log", port, **options))
        return service.wait_until_ready(ready)

    def tocsin(self, *flags, tocsin_yml=True):
        """The daemon under test with prometheus.yml and tocsin.yml of the folder."""
        if not os.access(TOCSIN, os.X_OK):
            raise AssertionError(f"no program {TOCSIN}: build it, or name it in TOCSIN")
        port = free_port()
        command = [TOCSIN, "run", "--config.file", self.folder / "prometheus.yml"]
        if tocsin_yml and (self.folder / "tocsin.yml").exists():
            command += ["--tocsin.file", self.folder / "tocsin.yml"]
        command += ["--storage.path", self.folder / "data", "--web.listen-address", f"127.0.0.1:{port}", *flags]
        return self.service("tocsin", command, port, cwd=self.folder)

    def prometheus(self, *flags):
        """Debian's Prometheus with prometheus.yml of the folder."""
        port = free_port()
        command = [
            peers.path("prometheus"),
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}",
            *flags,
        ]
        return self.service("prometheus", command, port, cwd=self.folder)

    def alertmanager(self, *flags):
        """Debian's Alertmanager with alertmanager.yml of the folder."""
        port = free_port()
        command = [
            *peers.alertmanager(self.folder),
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            *flags,
        ]
        return self.service("alertmanager", command, port, cwd=self.folder)

    def close(self):
        """Ends everything, the last started first. The first problem is raised when all is done."""
        problem = None
        while self._open:
            last = self._open.pop()
            try:
                last.stop() if isinstance(last, Process) else last.close()
            except (AssertionError, OSError) as another:
                problem = problem or another
        if problem:
            raise problem

    def tell(self):
        """Prints what the processes said: for failures."""
        for process in self.processes:
            print(f"--- {process.name} (exit code {process.exit_code}), end of its log:", file=sys.stderr)
            print(process.log_tail(), file=sys.stderr)
        print(f"--- everything: {self.folder}", file=sys.stderr)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class EndToEndTest(unittest.TestCase):
    """A test with a stage of its own and a time limit. A failure shows the logs and keeps the folder."""

    seconds = 60
    maxDiff = None

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        self.stage = Stage(type(self).__name__.lower())
        before = len(result.failures) + len(result.errors)
        try:
            super().run(result)
        finally:
            if len(result.failures) + len(result.errors) > before:
                self.stage.tell()
            else:
                self.stage.remove()
        return result

    def setUp(self):
        limit = time_limit(self.seconds, self.id())
        limit.__enter__()
        self.addCleanup(limit.__exit__, None, None, None)
        self.addCleanup(self.stage.close)
