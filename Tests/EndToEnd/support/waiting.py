"""Bounded waiting: nothing here waits without a limit."""

from __future__ import annotations

import contextlib
import signal
import time

SOON = 15.0


class TimeLimit(Exception):
    """A test took longer than it may."""


@contextlib.contextmanager
def time_limit(seconds, what):
    """Raises TimeLimit inside the block when it takes longer. Only for the main thread."""

    def too_long(*_):
        raise TimeLimit(f"{what} took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wait_until(check, what, seconds=SOON, every=0.1):
    """Calls `check` until it returns something true, and returns that.

    Failed connections, failed assertions and absent keys count as "not yet"; the last one becomes part of the message.
    """
    limit = time.monotonic() + seconds
    last = "never true"
    while True:
        try:
            value = check()
            if value:
                return value
            last = f"last: {value!r}"
        except (OSError, AssertionError, LookupError, ValueError) as problem:
            last = f"last: {type(problem).__name__}: {problem}"
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:g} s: {what} ({last})")
        time.sleep(every)
