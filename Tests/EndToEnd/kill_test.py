"""The daemon is killed at random moments under load: nothing is lost, nothing is resolved falsely, no `for` starts over.

KILLS is the number of kills, KILL_SEED the seed of what happens. `make kill-test` is the long form.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time

from support.servers import Exporter, Page, Receiver
from support.stage import EndToEndTest, beyond_prometheus
from support.times import timestamp
from support.waiting import wait_until

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("KILL_SEED", "1"))
TARGETS = 6
CONDITIONS = 4
FILLER = 150
# The shortest time that a condition stays as it is: longer than an outage, two scrapes and the longest `for` together.
SHORTEST = 12.0
OUTAGE = 1.5
# After a start: three scrapes and an evaluation, and what a slow machine adds.
PATIENCE = 7.0
HOLD = 3.0
# What may lie between a moment and its being noticed on a machine with other work to do.
SLACK = 5.0

PROMETHEUS = """
    global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
    rule_files: [rules.yml]
    scrape_configs:
{jobs}
"""
JOB = """\
      - job_name: t{number}
        metrics_path: /t{number}
        static_configs: [{{targets: ['{address}']}}]
"""
RULES = """
    groups:
      - name: conditions
        rules:
          - alert: Immediate
            expr: condition > 0
          - alert: Held
            expr: condition > 0
            for: 3s
          - alert: Working
            expr: rate(work_total[10s]) > 0
            for: 1s
          - record: condition:sum
            expr: sum by (job) (condition)
          - alert: FromRule
            expr: max_over_time(condition:sum[3s]) > 0 and condition:sum > 0
      - name: steady
        rules:
          - alert: Always
            expr: steady == 1
          - alert: HeldForLong
            expr: steady == 1
            for: 1h
          - alert: AlertsSeen
            expr: count_over_time(ALERTS{alertname="Always"}[10m]) > 5
"""
TOCSIN = """
    webhooks:
      - name: ops
        url: {url}
        group_by: [...]
        group_wait: 0s
        group_interval: 1s
        repeat_interval: 1h
"""


class Condition:
    """Something that is on for a while and off for a while, and what was said of it when."""

    def __init__(self, chance):
        self.chance = chance
        self.isOn = chance.random() < 0.5
        self.next = time.time() + chance.uniform(2, SHORTEST)
        self.work = 0
        # When which state was told to a scrape.
        self.told = []

    def value(self, now):
        while now >= self.next:
            self.isOn = not self.isOn
            self.next = now + self.chance.uniform(SHORTEST, 2.5 * SHORTEST)
        self.work += self.isOn
        self.told.append((now, self.isOn))
        return int(self.isOn)

    def episodes(self):
        """The times of being on: (first told, last told, told to be over or None)."""
        found = []
        for at, isOn in self.told:
            if isOn and (not found or found[-1][2] is not None):
                found.append([at, at, None])
            elif isOn:
                found[-1][1] = at
            elif found and found[-1][2] is None:
                found[-1][2] = at
        return found


class World:
    """The targets, and the script of their conditions."""

    def __init__(self, seed):
        self.lock = threading.Lock()
        self.conditions = {
            (f"t{t}", str(c)): Condition(random.Random(f"{seed} {t} {c}")) for t in range(TARGETS) for c in range(CONDITIONS)
        }
        self.filler = "".join(f'filler{{number="{i}"}} {i * 1.5}\n' for i in range(FILLER))

    def page(self, job):
        def text():
            now = time.time()
            lines = ["steady 1\n"] if job == "t0" else []
            with self.lock:
                for (owner, name), condition in self.conditions.items():
                    if owner == job:
                        lines.append(f'condition{{id="{name}"}} {condition.value(now)}\n')
                        lines.append(f'work_total{{id="{name}"}} {condition.work}\n')
            return "".join(lines) + self.filler

        return Page(text)


@beyond_prometheus("survive like this")
class KillTest(EndToEndTest):
    seconds = 120 + 12 * KILLS

    def setUp(self):
        super().setUp()
        self.chance = random.Random(SEED)
        self.world = World(SEED)
        self.receiver = self.stage.add(Receiver())
        pages = {f"t{i}": self.world.page(f"t{i}") for i in range(TARGETS)}
        self.exporter = self.stage.add(Exporter(**pages))
        jobs = "".join(JOB.format(number=i, address=self.exporter.address) for i in range(TARGETS))
        self.stage.write("prometheus.yml", PROMETHEUS.format(jobs=jobs))
        self.stage.write("rules.yml", RULES)
        self.stage.write("tocsin.yml", TOCSIN.format(url=self.receiver.url()))
        self.moved = []
        # When an alert of one birth was first seen firing.
        self.seen_firing = {}
        self.starts = []
        # When the daemon did not run.
        self.outages = []

    def test_killed_at_random_moments(self):
        tocsin = self.stage.tocsin()
        tocsin.wait_for_alert("Always", "firing")
        wait_until(lambda: tocsin.alerts("AlertsSeen"), "the ALERTS series is seen", 20)
        steady = self.alerts(tocsin, "Always", "HeldForLong")
        self.assertEqual(len(steady), 2)
        for _ in range(KILLS):
            tocsin = self.kill(tocsin, steady)
        self.receiver.status = 200
        time.sleep(2 * HOLD + SLACK)
        tocsin.signal(signal.SIGTERM)
        tocsin.wait(20)
        self.check_deliveries()
        resolved = sum(1 for _, alert in self.told() if alert["status"] == "resolved")
        keys = {d.headers["Idempotency-Key"] for d in self.receiver.accepted}
        print(
            f"\n{KILLS} kills: {len(self.receiver.accepted)} accepted notifications ({len(keys)} keys, {resolved} resolved), "
            f"{sum(len(c.episodes()) for c in self.world.conditions.values())} episodes, slowest start {max(self.starts):.2f} s"
        )

    def kill(self, tocsin, steady):
        """One kill and one start; what stood before stands after."""
        # The receiver is out of order now and then: what is undelivered must survive, too.
        self.receiver.status = self.chance.choice([200, 200, 200, 503])
        time.sleep(self.chance.choice([0, self.chance.uniform(0, 1), self.chance.uniform(1, 5)]))
        before = self.alerts(tocsin, "Immediate", "Held", "Working", "FromRule")
        looked = time.time()
        tocsin.expected_exit = {-signal.SIGKILL}
        tocsin.signal(signal.SIGKILL)
        tocsin.wait(10)
        killed = time.time()
        time.sleep(self.chance.choice([0, self.chance.uniform(0, OUTAGE)]))
        started = time.time()
        again = self.stage.tocsin()
        self.starts.append(time.time() - started)
        self.outages.append((killed, time.time()))
        self.assertEqual(self.alerts(again, "Always", "HeldForLong"), steady)
        self.assertTrue(again.alerts("AlertsSeen"), "the windows were not restored")
        now = self.alerts(again, "Immediate", "Held", "Working", "FromRule")
        for key, (state, active_at) in before.items():
            # State that is younger than a second may not have been saved yet.
            if looked - timestamp(active_at) < 2.5 or key not in now:
                continue
            if now[key][1] != active_at:
                self.moved.append((key, active_at, now[key]))
            if state == "firing" and looked - self.seen_firing[key, active_at] > 2.5:
                self.assertEqual(now[key][0], "firing", key)
        self.assertEqual(self.moved, [], "`for` started over")
        return again

    def alerts(self, tocsin, *names):
        """State and time of birth of all alerts of these names."""
        found = {
            tuple(sorted(a["labels"].items())): (a["state"], a["activeAt"])
            for a in tocsin.api("alerts")["alerts"]
            if a["labels"]["alertname"] in names
        }
        for key, (state, active_at) in found.items():
            if state == "firing":
                self.seen_firing.setdefault((key, active_at), time.time())
        return found

    def told(self):
        """Every alert of every accepted notification."""
        return [(d, alert) for d in self.receiver.accepted for alert in d.payload["alerts"]]

    def outage_within(self, start, end):
        """How long the daemon was away or starting in an interval; each start costs a little more."""
        return sum(max(0.0, min(end, e + 1.5) - max(start, s)) for s, e in self.outages)

    def watched(self, start, end):
        """Whether the daemon ran in an interval for so long that an alert's end must have been noticed.

        After a start an alert that is not in the result stands still until its targets were scraped again: while the
        daemon is killed again and again within that time, nothing ends.
        """
        ends = [0.0] + [end for _, end in self.outages]
        begins = [begin for begin, _ in self.outages] + [float("inf")]
        return any(min(end, stop) - max(start, born) >= PATIENCE for born, stop in zip(ends, begins))

    def check_deliveries(self):
        by_alert = {}
        for delivery, alert in self.told():
            labels = alert["labels"]
            by_alert.setdefault((labels["alertname"], labels["job"], labels.get("id")), []).append((delivery, alert))
        for name in ("Always", "AlertsSeen"):
            alerts = [alert for (n, _, _), list_ in by_alert.items() if n == name for _, alert in list_]
            self.assertTrue(alerts, name)
            self.assertEqual({alert["status"] for alert in alerts}, {"firing"}, name)
            if name == "Always":
                self.assertEqual(len({alert["startsAt"] for alert in alerts}), 1, "it fired anew")
        self.assertNotIn(("HeldForLong", "t0", None), by_alert)
        for (job, identity), condition in self.world.conditions.items():
            for name, hold in (("Immediate", 0.0), ("Held", HOLD)):
                self.check_alert((name, job, identity), condition, hold, by_alert.get((name, job, identity), []))
            self.check_false_resolves(by_alert.get(("Working", job, identity), []), condition, window=10.0)

    def check_alert(self, key, condition, hold, told):
        last_told = condition.told[-1][0]
        episodes = condition.episodes()
        for i, (first, last, over) in enumerate(episodes):
            # Only the daemon's own time counts, and the end of the test is too near to be told.
            needed = hold + SLACK + self.outage_within(first, first + hold + SLACK)
            if last - first < needed or last_told - first < needed + SLACK:
                continue
            limit = (over or last) + 1.0
            fired = [
                (d, a) for d, a in told if a["status"] == "firing" and first - 0.1 <= timestamp(a["startsAt"]) <= limit
            ]
            if not fired and i > 0 and not self.watched(episodes[i - 1][2], first):
                # It has gone on since the episode before.
                started = [timestamp(a["startsAt"]) for _, a in told if timestamp(a["startsAt"]) < first]
                self.assertTrue(started, f"{key} never fired before {first}")
                ended = [a for _, a in told if a["status"] == "resolved" and max(started) < timestamp(a["endsAt"]) < first]
                self.assertEqual(ended, [], f"{key} fired anew at {first} and nobody was told")
                continue
            self.assertTrue(fired, f"{key} fired at {first} and nobody was told")
            starts = {a["startsAt"] for _, a in fired}
            self.assertEqual(len(starts), 1, f"{key} fired anew within an episode: {sorted(starts)}")
            late = min(timestamp(s) for s in starts) - first - hold
            self.assertLess(late, SLACK + self.outage_within(first, first + hold + SLACK), f"{key}: `for` started over")
            follower = episodes[i + 1][0] if i + 1 < len(episodes) else last_told
            if over is not None and last_told - over > 2 * SLACK + OUTAGE and self.watched(over, follower):
                ends = [a for _, a in told if a["status"] == "resolved" and a["startsAt"] in starts]
                self.assertTrue(ends, f"{key} was over at {over} and nobody was told")
        self.check_false_resolves(told, condition, window=0.0)

    def check_false_resolves(self, told, condition, window):
        """A resolved alert's condition did not hold shortly before its end."""
        for delivery, alert in told:
            if alert["status"] != "resolved":
                continue
            end = timestamp(alert["endsAt"])
            off = [at for at, isOn in condition.told if not isOn and end - SLACK - window <= at <= end + 0.1]
            self.assertTrue(off, f"falsely resolved: {alert}")
