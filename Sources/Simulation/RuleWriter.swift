import Model
import PromQL
import Rules
import Template

/// Writes rule groups that a seed decides: what they ask, how long they wait, what they say.
struct RuleWriter {
  /// The group that no reload touches: its rule must never find anything.
  static let watchGroup = "watch"
  static let tornRule = "Torn"
  /// The group whose rules have policies; no reload touches it either.
  static let policyGroup = "policies"
  static let heldRule = "Held"
  static let firedRule = "Fired"
  static let frozenRule = "Frozen"
  static let failingRule = "Failing"
  static let frozenFor = PromDuration.seconds(60)

  private static let conditions = [
    "temperature > 55", "sum by (zone) (temperature) > 110", "max by (instance) (temperature) > 60",
    "rate(requests_total{code=\"500\"}[1m]) > 3", "increase(requests_total[2m]) > 500",
    "up == 0", "absent(heartbeat{job=\"app\"})", "count(temperature > 60) > 2",
    "max_over_time(temperature[2m]) > 85", "changes(temperature[3m]) > 2", "queue_depth > 40",
    "temperature > 60 unless on (instance) maintenance == 1", "task_running == 1", "ratio > 1",
    "avg_over_time(queue_depth[45s]) > 30", "sum(up) < 3", "resets(requests_total[5m]) > 0",
    "delta(queue_depth[30s]) > 10", "temperature offset 30s > 60", "heartbeat", "1",
    "vector(1)", "quantile(0.5, temperature) > 40", "predict_linear(queue_depth[1m], 60) > 80",
    "vector(time()) % 300 > 200", "lagging % 60 > 30", "present_over_time(maintenance[2m])",
    "topk(2, temperature) > 50",
    "temperature > on (zone) group_left () sum by (zone) (maintenance)",
    "label_replace(temperature, \"zone\", \"all\", \"\", \"\") > 50",
    "max_over_time(sum(temperature)[2m:15s]) > 500",
    "count_values(\"heat\", temperature > 80)", "nothing_at_all > 0",
  ]

  private static let measures = [
    "sum by (zone) (temperature)", "avg(temperature)", "sum(rate(requests_total[1m]))",
    "max by (instance) (queue_depth)", "count(up == 1)", "temperature * 2",
    "histogram_quantile(0.9, temperature)", "min_over_time(temperature[1m])",
  ]

  private static let severities = ["page", "warn", "debug"]

  private var random: SeededGenerator
  private var serial: Int

  init(seed: UInt64, serial: Int) {
    random = SeededGenerator(seed: seed)
    self.serial = serial
  }

  mutating func groups() -> [RuleGroupDefinition] {
    (0..<1 + random.pick(3)).map { _ in group() } + [Self.watch, Self.policed]
  }

  mutating func group() -> RuleGroupDefinition {
    serial += 1
    var definition = RuleGroupDefinition(
      file: "rules\(random.pick(2)).yml", name: "g\(serial)", interval: interval(), rules: [])
    definition.limit = random.happens(25) ? 1 + random.pick(4) : 0
    definition.queryOffset = offset()
    var recorded: [String] = []
    for _ in 0..<1 + random.pick(4) {
      let rule = rule(after: recorded)
      if case .recording(let recording) = rule { recorded.append(recording.name) }
      definition.rules.append(rule)
    }
    return definition
  }

  mutating func pick(_ count: Int) -> Int { random.pick(count) }
  mutating func happens(_ percent: Int) -> Bool { random.happens(percent) }

  mutating func interval() -> PromDuration {
    .seconds(random.element(of: [5, 10, 15, 15, 20, 30, 60]))
  }

  mutating func offset() -> PromDuration? {
    random.happens(30) ? .seconds(random.element(of: [0, 5, 20, 60])) : nil
  }

  mutating func wait() -> PromDuration {
    random.happens(40) ? .zero : .seconds(random.element(of: [5, 15, 30, 45, 90, 180]))
  }

  mutating func rule(after recorded: [String] = []) -> RuleDefinition {
    serial += 1
    if random.happens(25) {
      let labels: LabelSet = random.happens(30) ? ["team": "t\(random.pick(2))"] : .empty
      return .recording(
        RecordingRule(
          name: "level:r\(serial)", expr: Self.expr(random.element(of: Self.measures)),
          labels: labels))
    }
    return alert("A\(serial)", condition(after: recorded))
  }

  /// A condition, now and then one about the results of an earlier rule.
  mutating func condition(after recorded: [String]) -> Expr {
    if let name = recorded.last, random.happens(50) {
      return Self.expr("{__name__=\"\(name)\"} > \(random.pick(120))")
    }
    if random.happens(8) {
      return Self.expr("ALERTS{alertstate=\"firing\",alertname!=\"A\(serial)\"}")
    }
    return Self.expr(random.element(of: Self.conditions))
  }

  private mutating func alert(_ name: String, _ expr: Expr) -> RuleDefinition {
    .alert(
      AlertRule(
        name: name, expr: expr, holdDuration: wait(),
        keepFiringFor: random.happens(25) ? wait() : .zero, labels: labels(of: name),
        annotations: annotations(of: name)))
  }

  mutating func labels(of name: String) -> [AlertRule.Field] {
    var fields = [Self.field("severity", random.element(of: Self.severities), of: name)]
    if random.happens(20) {
      fields.append(Self.field("where", "{{ $labels.zone }}-{{ $labels.instance }}", of: name))
    }
    // A label that moves with the value: every value is an alert of its own.
    if random.happens(5) { fields.append(Self.field("size", "{{ $value }}", of: name)) }
    if random.happens(3) { fields.append(Self.field("team", "{{ template \"none\" }}", of: name)) }
    return fields.sorted { ByteOrder.less($0.name, $1.name) }
  }

  mutating func annotations(of name: String) -> [AlertRule.Field] {
    let texts = [
      "{{ $labels.instance }} is at {{ $value }}", "fixed text",
      "{{ with query \"count(up)\" }}{{ . | first | value }}{{ end }} targets",
      "{{ $value | humanize }} {{ $externalLabels.cluster }}", "{{ $value | nonsense }}",
    ]
    return random.happens(70) ? [Self.field("summary", random.element(of: texts), of: name)] : []
  }

  static func field(_ name: String, _ text: String, of alert: String) -> AlertRule.Field {
    // A text that the template language refuses could not have been loaded: it becomes plain.
    let template = try? Template.alertField(text, alertName: alert)
    if let template { return AlertRule.Field(name: name, text: text, template: template) }
    return field(name, "plain", of: alert)
  }

  static func expr(_ text: String) -> Expr {
    do {
      return try PromQLParser.parse(text)
    } catch {
      preconditionFailure("the simulation's own expressions can be parsed: \(text)")
    }
  }

  /// Rules whose policies say what happens when the world fails them.
  private static let policed: RuleGroupDefinition = {
    func rule(_ name: String, _ text: String, for hold: PromDuration = .zero) -> RuleDefinition {
      .alert(
        AlertRule(
          name: name, expr: expr(text), holdDuration: hold,
          labels: [field("severity", "none", of: name)]))
    }
    return RuleGroupDefinition(
      file: "policies.yml", name: policyGroup, interval: .seconds(15),
      rules: [
        rule(heldRule, "temperature > 55"), rule(firedRule, "temperature > 55"),
        rule(frozenRule, "queue_depth >= 0", for: frozenFor),
        rule(failingRule, "temperature * on (zone) temperature > 0"),
      ])
  }()

  static let policies = [
    (heldRule, AlertPolicy(onNoData: .hold)), (firedRule, AlertPolicy(onNoData: .fire)),
    (frozenRule, AlertPolicy(forWhileTargetDown: .freeze)),
    (failingRule, AlertPolicy(onError: .fire)),
  ].map { name, policy in
    PolicySettings(matchers: [Matcher("alertname", equals: name)], policy: policy)
  }

  /// Finds a scrape of which only a part was committed, and values of a target that is down.
  private static let watch = RuleGroupDefinition(
    file: "watch.yml", name: watchGroup, interval: .seconds(5),
    rules: [
      .alert(
        AlertRule(
          name: tornRule,
          expr: expr(
            """
            label_replace(
              pair_a != on (instance, job) pair_b
                or on (instance, job) (pair_a unless on (instance, job) pair_b)
                or on (instance, job) (pair_b unless on (instance, job) pair_a)
                or on (instance, job) (pair_a unless on (instance, job) (up == 1)),
              "torn", "yes", "", "")
            """)))
    ])
}
