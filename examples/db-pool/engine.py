"""A Tortoise-ORM engine whose connections come from a `MeteredPool`.

To Tortoise an engine is a module with a `client_class` or, as here, `get_client_class`. Its own SQLite client has one
connection behind a lock; this one has a pool, as its PostgreSQL client does. Both are measured at the point where a caller
gets a connection, which neither Tortoise nor asyncpg can report.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import aiosqlite
import asyncpg  # type: ignore[import-untyped]
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.asyncpg.client import TransactionWrapper as PostgresTransaction
from tortoise.backends.base.client import (
    BaseDBAsyncClient,
    NestedTransactionContext,
    PoolConnectionWrapper,
    TransactionContext,
    TransactionContextPooled,
)
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.backends.sqlite.client import SqliteTransactionWrapper as SqliteTransaction

from metrics import measured
from pool import MeteredPool, Stack


class MeasuredQueries(BaseDBAsyncClient):
    """Mixed in before a client, measures each of its queries."""

    async def execute_insert(self, query: str, values: list) -> Any:
        with measured(query):
            return await super().execute_insert(query, values)

    async def execute_many(self, query: str, values: list[list]) -> None:
        with measured(query):
            await super().execute_many(query, values)

    async def execute_query(self, query: str, values: list | None = None) -> tuple[int, Any]:
        with measured(query):
            return await super().execute_query(query, values)

    async def execute_query_dict(self, query: str, values: list | None = None) -> list[dict]:
        with measured(query):
            return await super().execute_query_dict(query, values)


class PooledSqliteTransaction(MeasuredQueries, SqliteTransaction):
    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(PooledSqliteTransaction(self))


class PooledSqliteClient(MeasuredQueries, SqliteClient):
    _pool: MeteredPool[aiosqlite.Connection] | None

    def __init__(self, file_path: str, pool_size: int, pool_cap: int, **kwargs: Any) -> None:
        super().__init__(file_path, **kwargs)  # what is left of kwargs are pragmas
        self._pool = None
        self._pool_limits = (pool_size, pool_cap)

    async def create_connection(self, with_db: bool) -> None:
        if self._pool is None:  # the callers hold the lock
            self._pool = MeteredPool(Stack(self._connect, aiosqlite.Connection.close), *self._pool_limits)
            await self._post_connect()

    async def _connect(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self.filename, isolation_level=None)
        connection.row_factory = sqlite3.Row
        for pragma, value in self.pragmas.items():
            await connection.execute(f"PRAGMA {pragma}={value}")
        # PostgreSQL has it, and the demo wants a query that takes a given time. It blocks this connection's thread only.
        await connection.create_function("pg_sleep", 1, time.sleep)
        return connection

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    def acquire_connection(self) -> PoolConnectionWrapper[aiosqlite.Connection]:  # type: ignore[override]
        return PoolConnectionWrapper(self, self._lock)

    def _in_transaction(self) -> TransactionContext:
        return TransactionContextPooled(PooledSqliteTransaction(self), self._lock)


class PooledPostgresTransaction(MeasuredQueries, PostgresTransaction):
    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(PooledPostgresTransaction(self))


class PooledPostgresClient(MeasuredQueries, AsyncpgDBClient):
    def __init__(self, pool_size: int, pool_cap: int, **kwargs: Any) -> None:
        # asyncpg cannot resize a pool. So its own gets room for the cap and never has to make anybody wait.
        super().__init__(maxsize=pool_cap, **kwargs)
        self._pool_limits = (pool_size, pool_cap)

    async def create_pool(self, **kwargs: Any) -> MeteredPool[asyncpg.Connection]:  # type: ignore[override]
        return MeteredPool(await super().create_pool(**kwargs), *self._pool_limits)

    def _in_transaction(self) -> TransactionContext:
        return TransactionContextPooled(PooledPostgresTransaction(self), self._pool_init_lock)


def get_client_class(db_info: dict[str, Any]) -> type[BaseDBAsyncClient]:
    return PooledSqliteClient if "file_path" in db_info["credentials"] else PooledPostgresClient


def connection_config(url: str, pool_size: int, pool_cap: int) -> dict[str, Any]:
    """Tortoise's settings for `sqlite://FILE` or `postgres://...`, with this engine in place of Tortoise's own."""
    info = expand_db_url(url)
    if info["engine"] not in ("tortoise.backends.sqlite", "tortoise.backends.asyncpg"):
        raise ValueError(f"neither sqlite:// nor postgres://: {url.partition('://')[0]}://…")
    return {
        "engine": __name__,
        "credentials": {**info["credentials"], "pool_size": pool_size, "pool_cap": pool_cap},
    }
