#!/usr/bin/env python3
"""A bounded load: a few clients that each ask for one thing after the other, for a while. Loopback only.

    python3 load.py --port 8123 --clients 6 --seconds 20
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import itertools
import json
import time
from collections import Counter

MAX_SECONDS = 600.0
MAX_CLIENTS = 200


class Client:
    """One keep-alive connection speaking just enough HTTP/1.1 for an application that always sends Content-Length."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self, method: str, path: str, body: object = None) -> int:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: demo\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await self._writer.drain()
        status, *headers = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in headers if line)
        await self._reader.readexactly(int(fields["content-length"]))
        return int(status.split(" ")[1])

    def close(self) -> None:
        self._writer.close()


async def run_client(host: str, port: int, hold: float, until: float, statuses: Counter[int]) -> None:
    """Mostly slow queries, which fill the pool; now and then a read, a write and a query that fails."""
    client = Client(*await asyncio.open_connection(host, port))
    slow = ("GET", f"/slow?s={hold}", None)
    others = [("GET", "/items", None), ("POST", "/items", {"name": "茶"}), ("GET", "/bad", None)]
    requests = itertools.cycle(request for other in others for request in [slow] * 7 + [other])
    try:
        while time.monotonic() < until:
            statuses[await client.request(*next(requests))] += 1
    finally:
        client.close()


async def run(host: str, port: int, clients: int, hold: float, seconds: float) -> Counter[int]:
    statuses: Counter[int] = Counter()
    until = time.monotonic() + seconds
    # The time limit also holds when the application hangs; a request may outlast `until`, but not by this much.
    everybody = asyncio.gather(*(run_client(host, port, hold, until, statuses) for _ in range(clients)))
    await asyncio.wait_for(everybody, seconds + 30)
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description="Bounded load for the db-pool demo application.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--clients", type=int, default=6, help=f"at most {MAX_CLIENTS}")
    parser.add_argument("--hold", type=float, default=0.2, help="seconds each slow query keeps its connection")
    parser.add_argument("--seconds", type=float, default=20.0, help=f"at most {MAX_SECONDS:.0f}")
    args = parser.parse_args()
    if not ipaddress.ip_address(args.host).is_loopback:
        parser.error("this load is for a loopback address only")
    if not (1 <= args.clients <= MAX_CLIENTS and 0 < args.seconds <= MAX_SECONDS and 0 <= args.hold <= 5):
        parser.error("--clients, --seconds or --hold out of bounds")
    statuses = asyncio.run(run(args.host, args.port, args.clients, args.hold, args.seconds))
    print("load:", ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items())) or "no answer")


if __name__ == "__main__":
    main()
