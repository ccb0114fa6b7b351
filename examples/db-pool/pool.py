"""A connection pool that can be measured and resized while it is in use.

Few pools can say how many callers wait for a connection, or for how long. So the waiting happens here, at a `Gate` in
front of the connections, and the connections may come from anywhere: a stack of SQLite connections, an asyncpg pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Generic, Protocol, TypeVar

Connection = TypeVar("Connection")

#: Seconds the current task has spent waiting for connections. Lets a query's timer leave the wait out.
waited_by_task: ContextVar[float] = ContextVar("waited_by_task", default=0.0)


class Gate:
    """Lets `size` callers in at a time, first come first served. A semaphore that keeps books."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        if size < 1:
            raise ValueError("a pool needs at least one connection")
        self.size = size
        self.active = 0
        self._turns: deque[asyncio.Future[None]] = deque()
        self._clock = clock
        self._waited = 0.0
        self._booked_until = clock()

    @property
    def waiting(self) -> int:
        return len(self._turns)

    def waited_seconds(self) -> float:
        """Seconds spent waiting by all callers together, *including those who still wait*.

        It is the area under `waiting` over time, added up whenever `waiting` changes and whenever somebody asks. A counter
        that grows only when a caller gets its connection stands still in a deadlock, just when it is needed most; and
        one that subtracts arrival times could, by rounding, go down a little, which `rate()` takes for a restart.
        """
        now = self._clock()
        self._waited += len(self._turns) * (now - self._booked_until)
        self._booked_until = now
        return self._waited

    async def enter(self) -> None:
        if self.active < self.size and not self._turns:
            self.active += 1
            return
        arrived = self._clock()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waited_seconds()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self.waited_seconds()
                with contextlib.suppress(ValueError):
                    self._turns.remove(turn)
            else:  # the place was ours already when the caller gave up
                self.leave()
            raise
        finally:
            waited_by_task.set(waited_by_task.get() + self._clock() - arrived)

    def leave(self) -> None:
        self.active -= 1
        self._admit()

    def resize(self, size: int) -> None:
        """Growing admits waiting callers at once; shrinking takes effect as callers leave."""
        if size < 1:
            raise ValueError("a pool needs at least one connection")
        self.size = size
        self._admit()

    def _admit(self) -> None:
        self.waited_seconds()
        while self._turns and self.active < self.size:
            turn = self._turns.popleft()
            if not turn.done():
                self.active += 1
                turn.set_result(None)


class Source(Protocol[Connection]):
    """Where connections come from. Never asked for more of them at a time than the gate lets callers in."""

    async def acquire(self) -> Connection: ...
    async def release(self, connection: Connection) -> None: ...
    async def close(self) -> None: ...


class Stack(Generic[Connection]):
    """Opens a connection when none is idle and keeps it until the end. The last one used is the next one taken."""

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], disconnect: Callable[[Connection], Awaitable[None]]
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._idle: list[Connection] = []

    async def acquire(self) -> Connection:
        return self._idle.pop() if self._idle else await self._connect()

    async def release(self, connection: Connection) -> None:
        self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            await self._disconnect(self._idle.pop())


class MeteredPool(Generic[Connection]):
    """Speaks the part of asyncpg's pool interface that Tortoise uses: `acquire`, `release`, `close`."""

    def __init__(self, source: Source[Connection], size: int, cap: int) -> None:
        self.gate = Gate(min(size, cap))
        self.cap = cap
        self._source = source

    async def acquire(self) -> Connection:
        await self.gate.enter()
        try:
            return await self._source.acquire()
        except BaseException:
            self.gate.leave()
            raise

    async def release(self, connection: Connection) -> None:
        try:
            await self._source.release(connection)
        finally:
            self.gate.leave()

    async def close(self) -> None:
        await self._source.close()

    def usage(self) -> dict[str, int]:
        gate = self.gate
        return {"active": gate.active, "idle": max(0, gate.size - gate.active), "waiting": gate.waiting}

    def grow(self, percent: int = 20) -> tuple[int, int]:
        """Grows by `percent`, by at least one connection, up to the cap. Returns the size before and after."""
        before = self.gate.size
        self.gate.resize(min(self.cap, before + max(1, before * percent // 100)))
        return before, self.gate.size
