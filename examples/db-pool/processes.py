"""What the demo needs around it: a virtual environment, free ports, and child processes that never outlive it."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / ".build"
VENV = BUILD / "demo-venv"
INSTALL_SECONDS = 300
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1


class SetupError(Exception):
    pass


def prepare_venv() -> Path:
    """The Python of a virtual environment with requirements.txt installed. Does nothing if it is there already."""
    if sys.version_info < (3, 11):
        raise SetupError(f"the demo needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    requirements = HERE / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp, python = VENV / ".installed", VENV / "bin" / "python"
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "demo-venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two demos at once install once
        if stamp.exists() and stamp.read_text() == wanted and python.exists():
            return python
        print(f"installing {requirements.name} into {VENV} (once)", flush=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True, timeout=INSTALL_SECONDS)
            subprocess.run([*pip, "-r", requirements], check=True, timeout=INSTALL_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"no virtual environment (Debian: apt-get install python3-venv): {error}") from error
        stamp.write_text(wanted)
    return python


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent() -> None:
    """Runs in the child: if this program is killed so that it cannot clean up, the kernel ends the child."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    def __init__(self, name: str, command: Sequence[str | Path], log: Path, env: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        with open(log, "wb") as out:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def stop(self) -> int | None:
        """Asks it to end; kills it and whatever it started when it does not."""
        if self.exit_code is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait(STOP_SECONDS)


class Children:
    """Children by name, each with its log in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Child] = []
        self.exit_codes: dict[str, int | None] = {}

    def start(self, name: str, command: Sequence[str | Path], env: dict[str, str] | None = None) -> Child:
        child = Child(name, command, self._folder / f"{name}.log", env)
        self._all.append(child)
        return child

    def stop(self) -> None:
        """The last started ends first: Tocsin can still deliver to the application while it shuts down."""
        while self._all:
            child = self._all.pop()
            self.exit_codes[child.name] = child.stop()


@contextlib.contextmanager
def children(folder: Path) -> Iterator[Children]:
    started = Children(folder)
    try:
        yield started
    finally:
        started.stop()
