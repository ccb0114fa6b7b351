"""Version 4 of Alertmanager's webhook, checked field by field."""

from __future__ import annotations

DOCUMENTED = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations",
    "externalURL", "alerts",
}  # fmt: skip
NEWER = {"notification_reason", "routeLabels"}
ALERT = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
REASONS = {
    "first notification", "new alerts added", "some alerts resolved", "all alerts resolved", "repeat interval elapsed",
    "unknown",
}  # fmt: skip
RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$"
ZERO = "0001-01-01T00:00:00Z"


def fingerprint(labels):
    """FNV-1a, 64 bits, over the sorted labels: name, 0xFF, value, 0xFF."""
    state = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in name.encode() + b"\xff" + labels[name].encode() + b"\xff":
            state = (state ^ byte) * 0x100000001B3 % 2**64
    return f"{state:016x}"


def common(dictionaries):
    """The pairs that all of them hold."""
    first, *rest = dictionaries
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in rest)}


def check_payload(test, payload, receiver, group_by):
    """Everything that holds for every payload of a receiver."""
    test.assertLessEqual(DOCUMENTED, set(payload))
    test.assertLessEqual(set(payload), DOCUMENTED | NEWER)
    test.assertEqual(payload["version"], "4")
    test.assertEqual(payload["receiver"], receiver)
    test.assertEqual(payload["truncatedAlerts"], 0)
    test.assertRegex(payload["externalURL"], r"^http://.+[^/]$")
    if "notification_reason" in payload:
        test.assertIn(payload["notification_reason"], REASONS)

    alerts = payload["alerts"]
    test.assertTrue(alerts)
    firing = [alert for alert in alerts if alert["status"] == "firing"]
    test.assertEqual(payload["status"], "firing" if firing else "resolved")
    group = {name: alerts[0]["labels"].get(name, "") for name in group_by}
    test.assertEqual(payload["groupLabels"], group)
    written = ", ".join(f'{name}="{group[name]}"' for name in sorted(group))
    test.assertTrue(payload["groupKey"].endswith(":{" + written + "}"), payload["groupKey"])
    test.assertEqual(payload["commonLabels"], common([alert["labels"] for alert in alerts]))
    test.assertEqual(payload["commonAnnotations"], common([alert["annotations"] for alert in alerts]))
    for alert in alerts:
        check_alert(test, alert)


def check_alert(test, alert):
    test.assertEqual(set(alert), ALERT)
    test.assertIn(alert["status"], {"firing", "resolved"})
    test.assertRegex(alert["startsAt"], RFC3339)
    test.assertEqual(alert["fingerprint"], fingerprint(alert["labels"]))
    test.assertIn("/graph?g0.expr=", alert["generatorURL"])
    if alert["status"] == "firing":
        test.assertEqual(alert["endsAt"], ZERO)
    else:
        test.assertRegex(alert["endsAt"], RFC3339)
        test.assertNotEqual(alert["endsAt"], ZERO)
