"""Times as Prometheus writes them."""

from __future__ import annotations

import datetime
import re


def timestamp(text):
    """Seconds of an RFC 3339 time, which may have up to nine digits after the point."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    if not match:
        raise ValueError(f"no RFC 3339 time: {text!r}")
    whole, fraction, zone = match.groups()
    parsed = datetime.datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
    return parsed.timestamp() + float(fraction or 0)
