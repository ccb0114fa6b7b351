"""What query_test.py serves, loads and asks."""

from __future__ import annotations

SLOT = 2.0  # seconds between two stamped samples
STAMP = 0.5  # where in its slot a sample is
WINDOW = 14.0  # the longest range below, and a sample more

CONFIG = """
    global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {{site: a}}}}
    rule_files: [rules.yml]
    scrape_configs:
      - job_name: still
        metrics_path: /still
        params: {{module: [a, b], empty: ['']}}
        static_configs:
          - targets: ['{address}']
            labels: {{zone: east, tier: 前端}}
        relabel_configs:
          - {{source_labels: [zone, __address__], regex: '(.).*;.*:(\\d+)', target_label: short, replacement: '$1-$2'}}
        metric_relabel_configs:
          - {{source_labels: [__name__], regex: 'noise_.*', action: drop}}
          - {{regex: 'secret', action: labeldrop}}
      - job_name: stamped
        honor_labels: true
        metrics_path: /stamped
        static_configs: [{{targets: ['{address}']}}]
      - job_name: dead
        static_configs: [{{targets: ['127.0.0.1:1']}}]
"""
TOCSIN_YML = "storage: {keep: all, retention: 10m}\n"
RULES = r"""
    groups:
      - name: derived
        interval: 1s
        rules:
          - record: room:temperature_celsius:max
            expr: max by (room) (temperature_celsius)
            labels: {unit: '{{ "°C" }}'}
          - alert: RoomTooWarm
            expr: room:temperature_celsius:max{room!~"sauna|oven"}>22 unless on(room) silenced==1
            for: 1s
            keep_firing_for: 2s
            labels: {severity: page, "where": '{{ $labels.room | toUpper }}'}
            annotations:
              summary: '{{ $labels.room }} {{ $value | printf "%.2f" }} {{ with query "vector(7)" }}{{ . | first | value }}{{ end }}'
          - alert: NeverFires
            expr: absent(up) > 1 or temperature_celsius{room="attic"}
            for: 1h
      - name: slow
        interval: 1d
        limit: 10
        rules:
          - alert: NotEvaluatedYet
            expr: up == 0
"""
STILL = """
# HELP temperature_celsius Temperature by sensor.
# TYPE temperature_celsius gauge
temperature_celsius{room="kitchen",sensor="1"} 21.5
temperature_celsius{room="kitchen",sensor="2"} 22.25
temperature_celsius{room="sauna",sensor="1"} 88
temperature_celsius{room="cellar",sensor="1"} -3.5
temperature_celsius{room="broken",sensor="1"} NaN
limit_celsius{room="kitchen",job="sneaky",secret="x"} 22
limit_celsius{room="sauna",job="sneaky",secret="x"} 95
silenced{room="oven"} 1
room_info{room="kitchen",floor="ground",note="a \\"quoted\\" \\\\ note\\nwith two lines, 厨房"} 1
room_info{room="sauna",floor="cellar"} 1
noise_total 5
big_number 1.7976931348623157e+308
small_number 5e-324
exponent_number 1e21
minus_zero -0
infinite_number +Inf
# TYPE request_seconds histogram
request_seconds_bucket{path="/a",le="0.1"} 10
request_seconds_bucket{path="/a",le="0.5"} 60
request_seconds_bucket{path="/a",le="2.5"} 90
request_seconds_bucket{path="/a",le="+Inf"} 100
request_seconds_sum{path="/a"} 57.5
request_seconds_count{path="/a"} 100
request_seconds_bucket{path="/b",le="0.1"} 1
request_seconds_bucket{path="/b",le="0.5"} 1
request_seconds_bucket{path="/b",le="2.5"} 4
request_seconds_bucket{path="/b",le="+Inf"} 4
request_seconds_sum{path="/b"} 6.25
request_seconds_count{path="/b"} 4
"""
CALM = 'load{host="a"} 1\nload{host="b"} 40\nrestarts_total{host="a"} 100\n'
BUSY = 'load{host="a"} 9\nload{host="b"} 4\nrestarts_total{host="a"} 3\n'

EXPRESSIONS = [
    # Selectors and what a scrape leaves behind.
    'temperature_celsius',
    '{__name__=~"limit_.+|silenced", zone="east"}',
    'room_info{floor!="cellar", room=~"k.*n"}',
    'up',
    'up{job="dead"} == 0',
    'scrape_samples_scraped{job=~"still|stamped"}',
    'scrape_samples_post_metric_relabeling{job="still"}',
    'noise_total',
    'big_number or small_number or exponent_number or minus_zero or infinite_number',
    # Arithmetic, comparison, logic.
    'temperature_celsius * 1.8 + 32',
    '-temperature_celsius{room="kitchen"} ^ 2 % 7',
    'temperature_celsius > 22',
    'temperature_celsius >= bool 22',
    'temperature_celsius != temperature_celsius',
    '1 + 2 * 3 ^ 2 ^ 0.5 - -1',
    '22 < bool 21',
    'vector(time()) > 1e9 and vector(1)',
    'temperature_celsius and on (room) room_info',
    'temperature_celsius unless on (room) limit_celsius',
    'limit_celsius or ignoring (exported_job) temperature_celsius{sensor="2"} or vector(1)',
    'vector(3) atan2 vector(4)',
    # Joins.
    'temperature_celsius - ignoring (sensor, exported_job) group_left limit_celsius',
    'temperature_celsius * on (room) group_left (floor, note) room_info',
    'room_info * on (room) group_right (floor) temperature_celsius > 0',
    'sum by (room) (temperature_celsius) / on (room) sum by (room) (limit_celsius) * 100 > 90',
    # Aggregation.
    'sum(temperature_celsius{room!="broken"})',
    'avg without (sensor, room) (temperature_celsius{room!="broken"})',
    'count by (room, absent_label) (temperature_celsius)',
    'stddev by (job) (temperature_celsius{room!="broken"}) + stdvar by (job) (temperature_celsius{room!="broken"})',
    'topk(2, temperature_celsius)',
    'bottomk by (sensor) (1, temperature_celsius{room!="broken"})',
    'quantile(0.9, temperature_celsius{room!="broken"})',
    'count_values by (job) ("reading", temperature_celsius)',
    'group(temperature_celsius)',
    'min by (room) (temperature_celsius) or max(limit_celsius)',
    # Functions of instant vectors.
    'sort_desc(temperature_celsius)',
    'sort(temperature_celsius)',
    'absent(nothing{room="kitchen", floor=~"x"})',
    'absent(temperature_celsius)',
    'label_replace(temperature_celsius, "where", "$1-$2", "room", "(.)(.*)")',
    'label_join(room_info, "both", "/", "room", "floor")',
    'clamp(temperature_celsius, 0, 50) + clamp_min(temperature_celsius, 1) + clamp_max(temperature_celsius, 2)',
    'round(temperature_celsius / 3, 0.25) + ceil(temperature_celsius) - floor(temperature_celsius)',
    'abs(temperature_celsius) + sqrt(limit_celsius{room="none"}) or ln(limit_celsius) or exp(limit_celsius / 10)',
    'sgn(temperature_celsius)',
    'scalar(silenced) + 1',
    'vector(scalar(temperature_celsius))',
    'histogram_quantile(0.9, request_seconds_bucket)',
    'histogram_quantile(0.5, sum by (le) (request_seconds_bucket))',
    'request_seconds_sum / request_seconds_count',
    '"a string"',
    'hour(vector(1700000000)) + day_of_week(vector(1700000000)) * 100 + days_in_month(vector(1700000000)) * 1000',
    # Ranges over the constant page and its one switch.
    'changes(load[1m])',
    'resets(restarts_total[1m])',
    'max_over_time(load[1m]) - min_over_time(load[1m])',
    'last_over_time(load[1m])',
    'increase(temperature_celsius{room="kitchen"}[10s]) == 0',
    'avg_over_time(temperature_celsius{room="sauna"}[10s])',
    'quantile_over_time(1, load[1m])',
    'present_over_time(temperature_celsius[10s])',
    'absent_over_time(nothing{a="b"}[10s])',
    'stddev_over_time(temperature_celsius{room="cellar"}[10s])',
    # Ranges over samples with timestamps of their own.
    'rate(stamped_total[10s])',
    'increase(stamped_total[12s])',
    'irate(stamped_total[10s]) > 0',
    'sum by (job) (rate(stamped_total{kind=~"even|odd"}[10s])) * 60',
    'rate(stamped_total{kind="reset"}[10s]) > 0.1',
    'resets(stamped_total[12s]) + changes(stamped_total[12s])',
    'delta(stamped_gauge[10s]) + idelta(stamped_gauge[10s])',
    'deriv(stamped_gauge[12s])',
    'predict_linear(stamped_gauge[12s], 60)',
    'avg_over_time(stamped_gauge[10s]) + sum_over_time(stamped_gauge[10s]) + count_over_time(stamped_gauge[10s])',
    'quantile_over_time(0.3, stamped_gauge[12s])',
    'stdvar_over_time(stamped_gauge[12s])',
    'stamped_gauge offset 4s',
    'stamped_gauge - stamped_gauge offset 6s > -1e9',
    'timestamp(stamped_gauge)',
    'stamped_total[8s]',
    'stamped_total{kind="even"}[6s] offset 4s',
    'max_over_time(rate(stamped_total{kind="even"}[6s])[6s:2s])',
    'sum_over_time(stamped_gauge[6s:1s])',
    'histogram_quantile(0.95, sum by (le) (rate(stamped_seconds_bucket[10s])))',
    'sum(rate(stamped_seconds_sum[10s])) / sum(rate(stamped_seconds_count[10s]))',
    # What rules leave behind.
    'room:temperature_celsius:max',
    'ALERTS{alertstate="firing"}',
    'sum(ALERTS) by (alertname) > 0',
]  # fmt: skip
REFUSED = {
    "": 400,
    "sum(": 400,
    "rate(up)": 400,
    'up{job=~"("}': 400,
    "1 + on": 400,
    "up and 1": 400,
    "nosuchfunction(up)": 400,
    "atan2(1, 2)": 400,
    "temperature_celsius + on (zone) limit_celsius": 422,
    "sum by (zone) (up) * on () group_left room_info * on (zone) room_info": 422,
    'label_replace(temperature_celsius, "room", "same", "sensor", ".*")': 422,
}
STEPPED = [
    "rate(stamped_total[10s])",
    "max by (room) (temperature_celsius) > 22",
    "sum(stamped_gauge) + scalar(silenced)",
    "count_over_time(stamped_gauge[10s]) > 4",
    "topk(1, stamped_gauge)",
    "vector(1)",
    "42",
]
