"""Watches Tocsin's API and the application's inbox, tells what happens, and judges in the end."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import Any

REQUIRED = ("HighConnectionWait", "ConnectionPoolExhausted")
REQUEST_SECONDS = 3

Key = tuple[str, tuple[tuple[str, str], ...]]


def get_json(url: str) -> Any:
    """Raises OSError when there is no good answer in time."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_SECONDS) as answer:
            return json.load(answer)
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{url}: {error}") from error


@dataclass
class Transition:
    at: float
    alert: str
    labels: dict[str, str]
    old: str
    new: str
    value: float
    active_at: str


@dataclass
class Delivery:
    at: float
    pool_before: int
    pool_after: int
    payload: dict[str, Any]

    @property
    def alerts(self) -> list[tuple[str, str, str]]:
        """Name, status and Chinese description of each alert."""
        return [
            (alert["labels"]["alertname"], alert["status"], alert["annotations"].get("description_zh", ""))
            for alert in self.payload["alerts"]
        ]


@dataclass
class Story:
    tocsin: str
    app: str
    started: float = field(default_factory=time.monotonic)
    transitions: list[Transition] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    rule_errors: dict[str, str] = field(default_factory=dict)
    _active: dict[Key, dict[str, Any]] = field(default_factory=dict)
    _last_receipt: int = 0
    _last_status: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> float:
        return round(time.monotonic() - self.started, 2)

    def tell(self, text: str) -> None:
        print(f"{self.now:6.1f}s  {text}", flush=True)

    def poll(self) -> None:
        self._poll_alerts()
        self._poll_rules()
        self._poll_inbox()

    def _poll_alerts(self) -> None:
        seen: dict[Key, dict[str, Any]] = {}
        for alert in get_json(f"{self.tocsin}/api/v1/alerts")["data"]["alerts"]:
            if alert["state"] in ("pending", "firing"):
                seen[alert["labels"]["alertname"], tuple(sorted(alert["labels"].items()))] = alert
        for key in sorted(self._active.keys() | seen.keys()):
            before, after = self._active.get(key), seen.get(key)
            old = before["state"] if before else "inactive"
            new = after["state"] if after else "resolved" if old == "firing" else "inactive"
            if old != new:
                self._note(old, new, after or before or {})
        self._active = seen

    def _note(self, old: str, new: str, alert: dict[str, Any]) -> None:
        labels = alert["labels"]
        step = Transition(self.now, labels["alertname"], labels, old, new, float(alert["value"]), alert.get("activeAt", ""))
        self.transitions.append(step)
        last = "last value" if new in ("resolved", "inactive") else "value"
        self.tell(f"{step.alert:<25}{old:>8} → {new:<8}  {last} {step.value:.4g}")

    def _poll_rules(self) -> None:
        for group in get_json(f"{self.tocsin}/api/v1/rules")["data"]["groups"]:
            for rule in group["rules"]:
                error = rule.get("lastError") or ""
                if error and self.rule_errors.get(rule["name"]) != error:
                    self.rule_errors[rule["name"]] = error
                    self.tell(f"{rule['name']} cannot be evaluated: {error}")

    def _poll_inbox(self) -> None:
        for receipt in get_json(f"{self.app}/alerts"):
            if receipt["id"] <= self._last_receipt:
                continue
            self._last_receipt = receipt["id"]
            delivery = Delivery(self.now, receipt["pool_before"], receipt["pool_after"], receipt["payload"])
            self.deliveries.append(delivery)
            for name, status, text in delivery.alerts:
                reminder = self._last_status.get(name) == status
                self._last_status[name] = status
                self.tell(f"  webhook: {name} {'still ' if reminder else ''}{status}{'' if reminder else ' ' + text}")
            if delivery.pool_before != delivery.pool_after:
                self.tell(f"  pool {delivery.pool_before} → {delivery.pool_after}")

    @property
    def is_over(self) -> bool:
        """Nothing is active any more, and whatever fired has been received as resolved."""
        fired = {step.alert for step in self.transitions if step.new == "firing"}
        return not self._active and not self.missing() and all(self._last_status.get(a) == "resolved" for a in fired)

    def missing(self) -> list[str]:
        """What the story still lacks to be complete."""
        lacks = []
        received = [entry for delivery in self.deliveries for entry in delivery.alerts]
        for alert in REQUIRED:
            texts = [text for name, status, text in received if name == alert and status == "firing"]
            if not any(step.alert == alert and step.new == "firing" for step in self.transitions):
                lacks.append(f"{alert} did not fire")
            if not texts:
                lacks.append(f"the webhook did not receive {alert} as firing")
            elif not all("实例" in text for text in texts):
                lacks.append(f"the Chinese description of {alert} did not arrive intact")
            if self._last_status.get(alert) != "resolved":
                lacks.append(f"the webhook did not receive {alert} as resolved")
        if not any(delivery.pool_after > delivery.pool_before for delivery in self.deliveries):
            lacks.append("the pool did not grow")
        return lacks

    def transcript(self) -> dict[str, Any]:
        missing = self.missing()
        return {
            "passed": not missing,
            "missing": missing,
            "seconds": self.now,
            "transitions": [asdict(step) for step in self.transitions],
            "webhooks": [asdict(delivery) for delivery in self.deliveries],
            "rule_errors": self.rule_errors,
        }
