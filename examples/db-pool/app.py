#!/usr/bin/env python3
"""A small shop over a small connection pool: FastAPI, Tortoise-ORM, SQLite (WAL) or PostgreSQL.

Settings come from flags or from DEMO_PORT, DEMO_DATABASE_URL, DEMO_POOL_SIZE and DEMO_POOL_CAP.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from tortoise.connection import get_connections
from tortoise.contrib.fastapi import RegisterTortoise
from tortoise.exceptions import OperationalError

import metrics
from alerts import Inbox, Receipt
from engine import connection_config
from models import Item


@dataclass(frozen=True)
class Settings:
    database_url: str = "sqlite://demo.db"
    pool_size: int = 3
    pool_cap: int = 12
    receipts_kept: int = 200


class NewItem(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=100)]


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connection = connection_config(settings.database_url, settings.pool_size, settings.pool_cap)
        orm = {"connections": {"default": connection}, "apps": {"models": {"models": ["models"]}}}
        async with RegisterTortoise(app, config=orm, generate_schemas=True):
            pool = get_connections().get("default")._pool  # there, since the schema has just been written through it
            app.state.inbox = Inbox(pool, settings.receipts_kept)
            metrics.pool_collector.pool = pool
            try:
                yield
            finally:
                metrics.pool_collector.pool = None

    app = FastAPI(title="db-pool demo", lifespan=lifespan)

    @app.get("/items")
    async def items() -> list[dict[str, Any]]:
        return await Item.all().order_by("-id").limit(20).values("id", "name")

    @app.post("/items", status_code=201)
    async def add_item(new: NewItem) -> dict[str, Any]:
        item = await Item.create(name=new.name)
        return {"id": item.id, "name": item.name}

    @app.get("/slow")
    async def slow(s: Annotated[float, Query(ge=0, le=5)] = 0.05) -> dict[str, float]:
        """Holds a connection for `s` seconds with a query that takes that long."""
        await get_connections().get("default").execute_query(f"SELECT pg_sleep({s:f})")
        return {"slept": s}

    @app.get("/bad")
    async def bad() -> Response:
        """A query that fails, for db_query_total{status="error"}."""
        try:
            await get_connections().get("default").execute_query("SELECT * FROM no_such_table")
        except OperationalError as error:
            return JSONResponse({"error": str(error)}, status_code=500)
        raise AssertionError("no_such_table exists")

    @app.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}  # no query: it must answer while the pool is exhausted

    @app.post("/alerts")
    async def receive(request: Request) -> dict[str, int]:
        try:
            receipt = request.app.state.inbox.receive(await request.json())
        except ValueError as error:  # no JSON, or not a version 4 payload
            raise HTTPException(422, str(error)) from error
        return {"id": receipt.id, "pool_size": receipt.pool_after}

    @app.get("/alerts")
    async def received(request: Request) -> list[Receipt]:
        return request.app.state.inbox.receipts

    return app


def main() -> None:
    env = os.environ.get
    parser = argparse.ArgumentParser(description="The db-pool demo application.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(env("DEMO_PORT", "8123")))
    parser.add_argument("--database-url", default=env("DEMO_DATABASE_URL", Settings.database_url))
    parser.add_argument("--pool-size", type=int, default=int(env("DEMO_POOL_SIZE", Settings.pool_size)))
    parser.add_argument("--pool-cap", type=int, default=int(env("DEMO_POOL_CAP", Settings.pool_cap)))
    args = parser.parse_args()

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)  # Chinese, whatever the locale says
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("tortoise").setLevel(logging.WARNING)
    settings = Settings(args.database_url, args.pool_size, args.pool_cap)
    # One worker, since the pool and its metrics live in this process.
    uvicorn.run(create_app(settings), host=args.host, port=args.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
