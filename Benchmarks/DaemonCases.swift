import Kernel
import Model
import PromQL
import Rules
import Template

/// The whole kernel without its edges: 100 targets × 1,000 series every 5 s and 100 rules every 15 s.
enum DaemonCases {
  private static let targets = 100
  private static let rounds = 40

  static func run(_ report: Report) throws {
    let bodies = (0..<4).map { round in
      (0..<targets).map { MadeUpTarget(index: $0, size: 1).body(round) }
    }
    let kernel = Kernel()
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    let end = now + .seconds(Int64(5 * rounds))
    var effects = kernel.handle(.reload(try settings()), at: now)
    var scrapes: [Int64] = []
    var ticks: [(time: Timestamp, cost: Int64)] = []
    var seen: [TargetID: Int] = [:]
    while now < end, let next = kernel.nextDeadline {
      now = max(now, next)
      let start = Stopwatch.now()
      effects = kernel.handle(.tick, at: now)
      ticks.append((now, Stopwatch.now() - start))
      while let effect = effects.popLast() {
        guard case .scrape(let id, _) = effect else { continue }
        let round = seen[id, default: 0]
        seen[id] = round + 1
        let body = bodies[round % bodies.count][Int(id.raw) % targets]
        let outcome = ScrapeOutcome(
          result: .body(body, contentType: MadeUpTarget.contentType), started: now,
          duration: .milliseconds(3))
        let start = Stopwatch.now()
        effects += kernel.handle(.scraped(id, outcome), at: now)
        scrapes.append(Stopwatch.now() - start)
      }
    }
    let steady = scrapes.suffix(scrapes.count / 2)
    report.print("scrape of 1,000 series, known", passes: Array(steady), units: 1000, "sample")
    // Three minutes of 200 seconds: the first windows fill and the first shapes are built before.
    let late = ticks.filter { $0.time >= end - .minutes(3) }.reduce(0) { $0 + $1.cost }
    report.print(
      "evaluation, all ticks of 3 minutes", passes: [late], units: 12 * definitions, "rule")
  }

  private static let definitions = MadeUpTarget.families * 5

  private static func settings() throws -> Settings {
    var settings = Settings()
    var scrape = ScrapeSettings(jobName: "app", interval: .seconds(5), timeout: .seconds(5))
    scrape.staticTargets = [
      TargetGroup(
        source: "0", targets: (0..<targets).map { "host\($0):9100" }, labels: ["env": "test"])
    ]
    settings.scrapes = [scrape]
    settings.groups = try (0..<10).map { group in
      RuleGroupDefinition(
        file: "rules.yml", name: "group\(group)", interval: .seconds(15),
        rules: try (0..<2).flatMap { try rules(family: group * 2 + $0) })
    }
    return settings
  }

  private static func rules(family i: Int) throws -> [RuleDefinition] {
    [
      try recording("job:jobs\(i):rate1m", "sum by (job, path) (rate(jobs\(i)_total[1m]))"),
      try recording("job:depth\(i):max", "max by (queue) (max_over_time(depth\(i)[1m]))"),
      try alert(
        "Slow\(i)",
        "histogram_quantile(0.99, sum by (le, job) (rate(seconds\(i)_bucket[1m]))) > 200"),
      try alert("Deep\(i)", "depth\(i) > 124.5"),
      try alert(
        "Idle\(i)", "sum by (instance) (rate(jobs\(i)_total[1m])) / on (instance) up < 0.1"),
    ]
  }

  private static func recording(_ name: String, _ text: String) throws -> RuleDefinition {
    .recording(RecordingRule(name: name, expr: try PromQLParser.parse(text)))
  }

  private static func alert(_ name: String, _ text: String) throws -> RuleDefinition {
    let summary = "{{ $labels.instance }} is at {{ $value | humanize }}"
    return .alert(
      AlertRule(
        name: name, expr: try PromQLParser.parse(text), holdDuration: .minutes(1),
        annotations: [
          AlertRule.Field(
            name: "summary", text: summary,
            template: try Template.alertField(summary, alertName: name))
        ]))
  }
}
