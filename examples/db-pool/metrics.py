"""What the application tells Prometheus, and when it measures it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from pool import MeteredPool, waited_by_task

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OPERATIONS = frozenset({"select", "insert", "update", "delete"})

# Before any metric is made: without it every counter and histogram gets a twin named ..._created.
disable_created_metrics()

registry = CollectorRegistry()
# The client library appends "_total" to a counter's name: this one is exposed as db_query_total.
queries = Counter("db_query", "Queries by operation and outcome.", ["operation", "status"], registry=registry)
durations = Histogram(
    "db_query_duration_seconds",
    "Time a query took once it had its connection; the wait for the connection is not in it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
    registry=registry,
)


@contextmanager
def measured(sql: str) -> Iterator[None]:
    """Counts and times one query. `sql` gives the operation: its first word, if it is a common one."""
    word = sql.split(None, 1)[0].lower() if sql.strip() else ""
    operation = word if word in OPERATIONS else "other"
    started, waited = time.monotonic(), waited_by_task.get()
    status = "error"
    try:
        yield
        status = "ok"
    finally:
        queries.labels(operation, status).inc()
        durations.observe(time.monotonic() - started - (waited_by_task.get() - waited))


class PoolCollector(Collector):
    """Reads the pool when it is scraped, so the numbers are those of this moment and cost nothing in between.

    It reads one process: with several workers each would answer for its own pool, so run one (see README.md).
    """

    pool: MeteredPool | None = None

    def collect(self) -> Iterator[Metric]:
        if self.pool is None:
            return
        usage = GaugeMetricFamily(
            "db_pool_usage", "Connections active and idle, and callers waiting for one.", labels=["state"]
        )
        for state, count in self.pool.usage().items():
            usage.add_metric([state], count)
        yield usage
        yield GaugeMetricFamily("db_pool_size", "Connections the pool may hand out.", self.pool.gate.size)
        yield CounterMetricFamily(
            "db_connection_wait_seconds",
            "Time callers spent waiting for a connection, including those who still wait.",
            self.pool.gate.waited_seconds(),
        )


pool_collector = PoolCollector()
registry.register(pool_collector)


def exposition() -> bytes:
    return generate_latest(registry)
