"""The receiving end of Tocsin's webhook: remembers what arrived and grows the pool when it is exhausted.

The payload is version 4 of Alertmanager's webhook, so an Alertmanager may send it just as well.
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pool import MeteredPool

log = logging.getLogger("demo.alerts")


class Alert(BaseModel):
    model_config = ConfigDict(extra="allow")

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def text(self) -> str:
        wanted = ("description_zh", "description", "summary")
        return next((self.annotations[key] for key in wanted if key in self.annotations), "")


class Notification(BaseModel):
    """The fields this receiver uses. More may come, and newer senders do send more."""

    model_config = ConfigDict(extra="allow")

    version: Literal["4"]
    status: Literal["firing", "resolved"]
    alerts: list[Alert]


class Receipt(BaseModel):
    """One delivery: the body as it came, and what it did to the pool."""

    id: int
    received_at: datetime
    pool_before: int
    pool_after: int
    payload: dict[str, Any]


class Inbox:
    def __init__(self, pool: MeteredPool, keep: int = 200) -> None:
        self._pool = pool
        self._receipts: deque[Receipt] = deque(maxlen=keep)
        self._count = 0

    @property
    def receipts(self) -> list[Receipt]:
        return list(self._receipts)

    def receive(self, payload: dict[str, Any]) -> Receipt:
        """Raises pydantic's ValidationError, a ValueError, if this is no version 4 payload."""
        notification = Notification.model_validate(payload)
        for alert in notification.alerts:
            log.info("%s %s: %s", alert.status, alert.name, alert.text)
        exhausted = any(a.name == "ConnectionPoolExhausted" and a.status == "firing" for a in notification.alerts)
        # A reminder ("still firing") grows it again. A delivery repeated because the answer got lost does so, too:
        # harmless here, since the cap bounds it. Whoever pays for connections should remember groupKey and startsAt.
        size = self._pool.gate.size
        before, after = self._pool.grow() if exhausted else (size, size)
        if before != after:
            log.info("pool %d -> %d （连接池已扩容）", before, after)
        self._count += 1
        receipt = Receipt(
            id=self._count,
            received_at=datetime.now(UTC),
            pool_before=before,
            pool_after=after,
            payload=payload,
        )
        self._receipts.append(receipt)
        return receipt
