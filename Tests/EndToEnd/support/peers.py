"""Debian's Prometheus, Alertmanager and node-exporter, as `.ci/peers` unpacks them."""

from __future__ import annotations

import functools
import os
import subprocess
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
UNPACKED = PROJECT / ".build" / "peers"
DOWNLOAD_SECONDS = 300


@functools.lru_cache(maxsize=None)
def _unpack():
    return subprocess.run(
        [PROJECT / ".ci" / "peers"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DOWNLOAD_SECONDS, text=True
    ).stdout.strip()


def missing(reason):
    """Without a peer a test is skipped; in continuous integration it fails."""
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


def path(name):
    """The program of one Debian package."""
    program = UNPACKED / "usr" / "bin" / name
    if not program.exists():
        said = _unpack()
        if not program.exists():
            missing(f"no {name}: {said or '.ci/peers brought nothing'}")
    return program


@functools.lru_cache(maxsize=None)
def _own_usr_share():
    """The prefix of a command that sees the package's /usr/share. Works without being root where user namespaces do."""
    script = 'mount --bind "$0" /usr/share && exec "$@"'
    prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(UNPACKED / "usr" / "share")]
    try:
        probe = subprocess.run([*prefix, "true"], capture_output=True, text=True, timeout=10)
        return prefix if probe.returncode == 0 else None
    except OSError:
        return None


def alertmanager():
    """The command that starts Alertmanager. Debian's reads a template from /usr/share, where nothing is installed."""
    program = path("prometheus-alertmanager")
    if Path("/usr/share/prometheus/alertmanager/default.tmpl").exists():
        return [program]
    prefix = _own_usr_share()
    if prefix is None:
        missing("no Alertmanager: Debian's needs its /usr/share, and user namespaces are not allowed here")
    return [*prefix, program]
