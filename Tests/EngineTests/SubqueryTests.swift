import Engine
import Model
import PromQL
import Storage
import TestSupport
import Testing

/// Steps of subqueries are kept from one evaluation to the next; nothing but the work tells.
@Suite struct SubqueryTests {
  static let expressions = [
    "max_over_time(sum(a)[5m:30s])", "sum_over_time((a or b)[4m:1m])",
    "avg_over_time(rate(a[1m])[3m:15s])", "rate(sum by (j) (a)[5m:30s])",
    "max_over_time(a[5m:30s]) - min_over_time(a[5m:30s])",
    "max_over_time(a[5m:30s]) + on (i, j) sum_over_time(b[5m:30s])",
    "sum_over_time((a offset 1m)[3m:20s] offset 30s)", "max_over_time(a[2m:10s] @ 300)",
    "last_over_time(a[3m:30s] offset -1m)", "sum_over_time((a offset -45s)[3m:30s])",
    "sum_over_time((a @ end())[3m:30s])", "sum_over_time((a + step())[3m:30s])",
    "max_over_time(avg_over_time(a[1m:10s])[4m:40s])", "absent_over_time((a > 3)[3m:30s])",
    "count_over_time(topk(1, a)[3m:30s])", "sum_over_time(count_values(\"v\", sgn(b))[3m:30s])",
    "quantile_over_time(0.5, (a * 2)[3m:45s])", "sum_over_time(vector(time())[3m:30s])",
    "sum_over_time(label_replace(a, \"k\", \"$1\", \"i\", \"(.)\")[3m:30s])",
    "changes((a > bool 2)[3m:])", "count_over_time((a unless b)[3m:30s])",
    "max_over_time(quantile(1.5, a)[3m:30s])", "a[3m:30s]",
  ]

  /// Series that come and go, whose samples come late now and then.
  private struct Feed {
    let store = Store(StoreSettings(keep: .all, retention: .minutes(15)))
    var random: SeededGenerator
    private var alive: Set<String> = []
    private var newest: [String: Int64] = [:]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func tick(_ now: Int64) throws {
      for name in ["a", "b"] {
        for i in 0..<4 {
          let key = "\(name)\(i)"
          let labels = LabelSet([("__name__", name), ("i", "\(i)"), ("j", "\(i % 2)")])
          let dice = Int.random(in: 0..<12, using: &random)
          if dice == 0 { continue }
          // Up to three minutes late, but behind what the series has.
          let lateness = dice == 1 ? Int64.random(in: 0..<180_000, using: &random) : 0
          let time = max(now - lateness, (newest[key] ?? -1) + 1)
          if time > now { continue }
          newest[key] = time
          let value = dice == 2 ? SpecialValue.stale : Double(Int.random(in: 0..<6, using: &random))
          try store.append(labels, at: Timestamp(milliseconds: time), .float(value))
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func keptStepsAreThoseOfAFreshPlan(seed: UInt64) throws {
    var settings = EngineSettings()
    settings.lookback = .minutes(2)
    var feed = Feed(seed: seed)
    let parsed = try Self.expressions.map { try PromQLParser.parse($0, options: .all) }
    let carried = try parsed.map {
      try Plan($0, store: feed.store, settings: settings, standing: true)
    }
    var now: Int64 = 600_000
    for tick in 0..<150 {
      now += Int64.random(in: 1...40, using: &feed.random) * 1000
      try feed.tick(now)
      if tick % 20 == 19 { feed.store.sweep(now: Timestamp(milliseconds: now)) }
      // Now and then somebody looks back.
      let t = Timestamp(milliseconds: tick % 25 == 24 ? now - 90_000 : now)
      for (i, expr) in parsed.enumerated() {
        let fresh = try Plan(expr, store: feed.store, settings: settings, standing: false)
        let expected = Self.outcome(fresh, t)
        let got = Self.outcome(carried[i], t)
        #expect(got == expected, "\(Self.expressions[i]) at tick \(tick), seed \(seed)")
      }
    }
  }

  /// What a plan says, remarks included.
  private static func outcome(_ plan: Plan, _ t: Timestamp) -> [String] {
    do {
      let result = try plan.instant(at: t)
      let remarks = result.warnings + result.infos
      switch result.value {
      case .vector(let samples):
        return samples.map { "\($0.labels) \(bits($0.value))" } + remarks
      case .matrix(let series):
        return series.map { one in
          "\(one.labels)" + one.samples.map { " \($0.timestamp)=\(bits($0.value))" }.joined()
        } + remarks
      default: return ["neither vector nor matrix"]
      }
    } catch {
      return [error.message]
    }
  }

  private static func bits(_ value: SampleValue) -> String {
    switch value {
    case .float(let number): String(number.bitPattern, radix: 16)
    case .histogram(let histogram): histogram.testExpression
    }
  }

  @Test func onlyNewStepsAreComputed() throws {
    let store = Store()
    let expr = try PromQLParser.parse("max_over_time(sum(a)[1h:1m])")
    let plan = try Plan(expr, store: store, standing: true)
    var costs: [Int] = []
    for minute in 0..<240 {
      let time = Timestamp(seconds: Double(minute * 60))
      for i in 0..<10 { try store.append(["__name__": "a", "i": "\(i)"], at: time, .float(1)) }
      _ = try plan.step(at: time)
      costs.append(plan.samples)
    }
    // Sixty steps of ten series once, then one or two steps at a time.
    #expect(costs[120] < 100 && costs[239] < 100)
    #expect(plan.shapeRebuilds == 0)
    #expect(plan.series == 10)
    // A sample that comes half an hour late counts.
    try store.append(
      ["__name__": "a", "i": "late"], at: Timestamp(seconds: 239 * 60 - 1800), .float(5))
    let view = try plan.step(at: Timestamp(seconds: 239 * 60))
    #expect(view.float(0) == 15)
    #expect(plan.samples > 300)
  }
}
