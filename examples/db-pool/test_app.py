"""python3 -m unittest test_app, in this folder, with the packages of requirements.txt."""

from __future__ import annotations

import asyncio
import tempfile
import unittest
from typing import Any

from tortoise import Tortoise
from tortoise.connection import get_connections
from tortoise.transactions import in_transaction

import metrics
from alerts import Inbox
from engine import connection_config
from models import Item
from pool import Gate, MeteredPool, Stack


def sample(name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class GateTests(unittest.IsolatedAsyncioTestCase):
    async def test_counts_those_who_still_wait(self) -> None:
        clock = Clock()
        gate = Gate(1, clock)
        await gate.enter()
        waiters = [asyncio.create_task(gate.enter()) for _ in range(2)]
        await settle()
        clock.now += 10
        self.assertEqual((gate.active, gate.waiting, gate.waited_seconds()), (1, 2, 20))
        gate.leave()
        clock.now += 1
        self.assertEqual((gate.active, gate.waiting, gate.waited_seconds()), (1, 1, 21))
        gate.leave()
        await asyncio.gather(*waiters)
        clock.now += 1
        self.assertEqual((gate.active, gate.waiting, gate.waited_seconds()), (1, 0, 21))

    async def test_growing_admits_in_order_of_arrival(self) -> None:
        gate, order = Gate(1), []

        async def caller(number: int) -> None:
            await gate.enter()
            order.append(number)

        callers = [asyncio.create_task(caller(number)) for number in range(5)]
        await settle()
        gate.resize(3)
        await settle()
        self.assertEqual((order, gate.active, gate.waiting), ([0, 1, 2], 3, 2))
        gate.resize(1)  # nobody is thrown out, and nobody enters until two places are free again
        gate.leave()
        gate.leave()
        await settle()
        self.assertEqual((order, gate.active), ([0, 1, 2], 1))
        gate.leave()
        gate.leave()
        await asyncio.gather(*callers)
        self.assertEqual(order, [0, 1, 2, 3, 4])

    async def test_a_caller_who_gives_up_leaves_no_trace(self) -> None:
        gate = Gate(1)
        await gate.enter()
        early, late = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
        await settle()
        early.cancel()
        await settle()
        self.assertEqual((gate.active, gate.waiting), (1, 1))
        gate.leave()  # the place is handed to `late`, who is cancelled before it can take it
        late.cancel()
        await settle()
        self.assertEqual((gate.active, gate.waiting), (0, 0))


class PoolTests(unittest.IsolatedAsyncioTestCase):
    async def test_grows_by_a_fifth_at_least_by_one_up_to_the_cap(self) -> None:
        async def connect() -> int:
            return 0

        async def disconnect(connection: int) -> None:
            return None

        pool = MeteredPool(Stack(connect, disconnect), size=3, cap=13)
        sizes = [pool.grow()[1] for _ in range(9)]
        self.assertEqual(sizes, [4, 5, 6, 7, 8, 9, 10, 12, 13])
        self.assertEqual(pool.grow(), (13, 13))

    async def test_a_failed_connect_gives_the_place_back(self) -> None:
        async def connect() -> int:
            raise OSError("no database")

        async def disconnect(connection: int) -> None:
            return None

        pool = MeteredPool(Stack(connect, disconnect), size=1, cap=1)
        for _ in range(2):
            with self.assertRaises(OSError):
                await pool.acquire()
        self.assertEqual(pool.usage(), {"active": 0, "idle": 1, "waiting": 0})


class InboxTests(unittest.TestCase):
    def notification(self, name: str, status: str) -> dict[str, Any]:
        alert = {"status": status, "labels": {"alertname": name}, "annotations": {"description_zh": "连接池已耗尽"}}
        return {"version": "4", "status": status, "alerts": [alert], "receiver": "db-pool", "new_field": [1]}

    def test_only_an_exhausted_pool_grows(self) -> None:
        pool: MeteredPool[Any] = MeteredPool(None, size=5, cap=10)  # type: ignore[arg-type]
        inbox = Inbox(pool, keep=2)
        sent = [
            self.notification("HighConnectionWait", "firing"),
            self.notification("ConnectionPoolExhausted", "resolved"),
            self.notification("ConnectionPoolExhausted", "firing"),
        ]
        sizes = [inbox.receive(payload).pool_after for payload in sent]
        self.assertEqual(sizes, [5, 5, 6])
        self.assertEqual([(r.id, r.payload) for r in inbox.receipts], [(2, sent[1]), (3, sent[2])])

    def test_refuses_what_is_no_version_4_payload(self) -> None:
        with self.assertRaises(ValueError):
            Inbox(MeteredPool(None, 1, 1)).receive({"version": "3", "status": "firing", "alerts": []})  # type: ignore


class EngineTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        connection = connection_config(f"sqlite://{self.folder.name}/test.sqlite3", pool_size=3, pool_cap=3)
        await Tortoise.init(
            config={"connections": {"default": connection}, "apps": {"models": {"models": ["models"]}}},
            _enable_global_fallback=True,
        )
        await Tortoise.generate_schemas()
        self.pool = get_connections().get("default")._pool

    async def asyncTearDown(self) -> None:
        await Tortoise.close_connections()
        self.folder.cleanup()

    async def test_queries_run_side_by_side_and_the_rest_wait(self) -> None:
        client = get_connections().get("default")
        slow = asyncio.gather(*(client.execute_query("SELECT pg_sleep(0.1)") for _ in range(5)))
        await asyncio.sleep(0.05)
        self.assertEqual(self.pool.usage(), {"active": 3, "idle": 0, "waiting": 2})
        await slow
        self.assertAlmostEqual(self.pool.gate.waited_seconds(), 0.2, delta=0.1)

    async def test_the_wait_is_not_in_the_duration(self) -> None:
        client = get_connections().get("default")
        before = sample("db_query_duration_seconds_sum")
        await asyncio.gather(*(client.execute_query("SELECT pg_sleep(0.1)") for _ in range(6)))
        self.assertAlmostEqual(sample("db_query_duration_seconds_sum") - before, 0.6, delta=0.2)

    async def test_transactions_are_measured_and_rolled_back(self) -> None:
        inserts = sample("db_query_total", operation="insert", status="ok")
        async with in_transaction():
            await Item.create(name="kept")
            self.assertEqual(self.pool.usage()["active"], 1)
        with self.assertRaises(RuntimeError):
            async with in_transaction():
                await Item.create(name="lost")
                raise RuntimeError
        self.assertEqual(await Item.all().values_list("name", flat=True), ["kept"])
        self.assertEqual(sample("db_query_total", operation="insert", status="ok") - inserts, 2)
        self.assertEqual(self.pool.usage(), {"active": 0, "idle": 3, "waiting": 0})


if __name__ == "__main__":
    unittest.main()
