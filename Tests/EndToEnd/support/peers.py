"""Debian's Prometheus, Alertmanager and node-exporter, as `.ci/peers` unpacks them."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
UNPACKED = PROJECT / ".build" / "peers"
DOWNLOAD_SECONDS = 300
FIXED = "/usr/share/prometheus/alertmanager"


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


def alertmanager(folder):
    """The command that starts Alertmanager, to be run in this folder.

    Debian's reads templates from a fixed path under /usr/share, where nothing is installed. A copy of the program reads
    them from the working folder: in it the path is replaced by another one of the same length, `./././…`.
    """
    program = path("prometheus-alertmanager")
    templates = sorted((UNPACKED / FIXED[1:]).glob("*.tmpl"))
    if not templates or Path(FIXED).exists():
        return [program]
    here = ("./" * len(FIXED))[: len(FIXED)]
    code = re.sub(re.escape(FIXED).encode() + b"(?!/)", here.encode(), program.read_bytes())
    copy = folder / "alertmanager-here"
    copy.write_bytes(code)
    copy.chmod(0o755)
    for template in templates:
        shutil.copy(template, folder)
    return [copy]
