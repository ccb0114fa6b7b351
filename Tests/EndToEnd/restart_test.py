"""Alert state survives the end of the process, whatever kind of end it is."""

from __future__ import annotations

import sqlite3
import signal

from support.configs import ONE_APP
from support.servers import Exporter, Page
from support.stage import EndToEndTest, beyond_prometheus
from support.waiting import wait_until

RULES = """
    groups:
      - name: app
        rules:
          - alert: QueueTooLong
            expr: queue_length > 10
            annotations: {description_zh: '队列 {{ $labels.queue }}'}
          - alert: QueueLongForAWhile
            expr: queue_length > 10
            for: 1h
"""


@beyond_prometheus("restore short or firing alerts")
class RestartTest(EndToEndTest):
    seconds = 90

    def start(self):
        exporter = self.stage.add(Exporter(app=Page('# TYPE queue_length gauge\nqueue_length{queue="邮件"} 12\n')))
        self.stage.write("prometheus.yml", ONE_APP.format(target=exporter.address))
        self.stage.write("rules.yml", RULES)
        return self.stage.tocsin()

    def states(self, tocsin):
        """What must not change over a restart."""
        return sorted((a["labels"]["alertname"], a["state"], a["activeAt"]) for a in tocsin.api("alerts")["alerts"])

    def test_killed_and_stopped(self):
        tocsin = self.start()
        tocsin.wait_for_alert("QueueTooLong", "firing")
        before = self.states(tocsin)
        self.assertEqual([state for _, state, _ in before], ["pending", "firing"])
        tocsin.wait_for_log("Alert firing")
        database = self.stage.folder / "data" / "tocsin.db"
        wait_until(lambda: database.with_name("tocsin.db-wal").exists(), "something is saved")
        # A checkpoint follows a change within a second.
        wait_until(lambda: tocsin.value("count_over_time(up[1m])") >= 4, "a few scrapes", 15)
        tocsin.expected_exit = {-signal.SIGKILL}
        tocsin.signal(signal.SIGKILL)
        tocsin.wait(10)
        again = self.stage.tocsin()
        again.wait_for_log("Alert state restored.* alerts=2")
        self.assertEqual(self.states(again), before)
        wait_until(lambda: again.value("count_over_time(up[1m])") >= 4, "a few scrapes", 15)
        self.assertEqual(self.states(again), before, "the first evaluations found an empty store")
        self.assertNotIn("Alert resolved", again.log)
        again.signal(signal.SIGTERM)
        self.assertEqual(again.wait(15), 0)
        with sqlite3.connect(database) as saved:
            annotations = [row[0] for row in saved.execute("select annotations from alert")]
        self.assertIn('{"description_zh":"队列 邮件"}', annotations)

    def test_a_damaged_file_is_set_aside(self):
        data = self.stage.folder / "data"
        data.mkdir()
        (data / "tocsin.db").write_bytes(b"no database" * 1000)
        tocsin = self.start()
        tocsin.wait_for_log("set aside")
        tocsin.wait_for_alert("QueueTooLong", "firing")
        self.assertEqual(len(list(data.glob("tocsin.db.damaged-*"))), 1)
