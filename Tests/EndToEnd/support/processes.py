"""Child processes that end when told, are killed when they do not, and never outlive the tests."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess

from .waiting import SOON, wait_until

STOP_SECONDS = 20.0
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    """Runs in the child between fork and exec."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A running program with its output in a file."""

    def __init__(self, name, command, log, cwd=None, env=None):
        self.name = name
        self.log_path = log
        self.expected_exit = {0}
        with open(log, "ab") as out:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=str(cwd) if cwd else None,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    @property
    def exit_code(self):
        """None while it runs."""
        return self._process.poll()

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_tail(self, lines=40):
        return "\n".join(self.log.splitlines()[-lines:])

    def log_lines(self, pattern):
        """The lines so far that match."""
        return [line for line in self.log.splitlines() if re.search(pattern, line)]

    def wait_for_log(self, pattern, seconds=SOON, after=0):
        """The first matching line past the first `after` characters of the log."""
        found = re.compile(pattern, re.MULTILINE)

        def line():
            text = self.log[after:]
            match = found.search(text)
            if not match:
                assert self.exit_code is None, f"{self.name} ended with {self.exit_code}"
                return None
            start = text.rfind("\n", 0, match.start()) + 1
            return text[start:].split("\n", 1)[0]

        return wait_until(line, f"a line like {pattern!r} in the log of {self.name}", seconds)

    def signal(self, number):
        self._process.send_signal(number)

    def resident_bytes(self):
        with open(f"/proc/{self._process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def wait(self, seconds):
        """Its exit code; AssertionError if it is still running by then."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds:g} s") from None

    def kill(self):
        """Ends it and all it started, at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(STOP_SECONDS)

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM, then a bounded wait. Anything but an expected exit code is a failure."""
        try:
            if self.exit_code is None:
                self.signal(signal.SIGTERM)
            code = self.wait(seconds)
        finally:
            self.kill()
        assert code in self.expected_exit, f"{self.name} ended with {code}, not {sorted(self.expected_exit)}"
        return code
