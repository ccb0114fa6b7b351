import Engine
import Model
import PromQL
import Storage
import TestSupport
import Testing

/// What a plan keeps must never show: carried along or made afresh, by instants or as a range,
/// results are the same to the last bit.
@Suite struct PlanEquivalenceTests {
  static let expressions = [
    "a", "sum(a)", "sum by (j) (a)", "avg without (i) (a)", "rate(a[2m])", "a or b", "b or a",
    "sum(a or b)", "sum(-(a or b))", "a and on(j) b", "a unless on(j) b",
    "sum by (j) (rate(a[3m]))",
    "a + on(i, j) b", "a / on(j) group_left max by (j) (b)", "b > 0.5", "sum(b > bool 0.5)",
    "a + on(i, j) fill(1) b", "sum(a + on(i, j) fill(1) b)", "topk(2, a)",
    "count_values(\"v\", sgn(b - 0.5))",
    "sum(count_values(\"v\", sgn(b - 0.5)))", "quantile by (j) (0.3, a)", "stddev(a)", "absent(a)",
    "absent_over_time(b[1m])", "max_over_time(sum(a)[3m:30s])", "sum_over_time((a or b)[2m:1m])",
    "label_replace(a, \"k\", \"$1\", \"i\", \"(.)\")",
    "sum by (k) (label_join(a, \"k\", \"-\", \"i\", \"j\"))",
    "histogram_quantile(0.5, h_bucket)", "histogram_quantile(0.9, sum by (le) (h_bucket))",
    "sort_desc(a)", "limitk(1, a)", "limit_ratio(0.5, a)", "deriv(a[3m])", "a @ 100", "a offset 1m",
    "quantile_over_time(0.5, a[3m])", "sum(a * on(j) group_left(x) info)",
    "stddev_over_time(a[3m])",
  ]

  /// A store that series enter and leave, tick by tick.
  private struct Churn {
    let store = Store(StoreSettings(keep: .all, retention: .minutes(6)))
    var random: SeededGenerator
    private var alive: [LabelSet: Double] = [:]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func tick(_ t: Timestamp) throws {
      for name in ["a", "b"] {
        for i in 0..<5 {
          let labels = LabelSet([("__name__", name), ("i", "\(i)"), ("j", "\(i % 2)")])
          try step(labels, t)
        }
      }
      for le in ["0.1", "1", "+Inf"] {
        for j in 0..<2 {
          try step(LabelSet([("__name__", "h_bucket"), ("le", le), ("j", "\(j)")]), t)
        }
      }
      for j in 0..<2 {
        try step(LabelSet([("__name__", "info"), ("j", "\(j)"), ("x", "v\(j)")]), t)
      }
    }

    /// A series is born, lives on, skips a beat, or ends with a stale marker.
    private mutating func step(_ labels: LabelSet, _ t: Timestamp) throws {
      let dice = Int.random(in: 0..<20, using: &random)
      guard let value = alive[labels] else {
        if dice < 3 {
          alive[labels] = 0
          try store.append(labels, at: t, .float(0))
        }
        return
      }
      if dice == 0 {
        alive[labels] = nil
        try store.append(labels, at: t, .float(SpecialValue.stale))
      } else if dice > 1 {
        let next = dice == 2 ? 0 : value + Double.random(in: 0..<1, using: &random)
        alive[labels] = next
        try store.append(labels, at: t, .float(next))
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
  func aCarriedPlanEqualsAFreshOne(seed: UInt64, delayed: Bool) throws {
    var settings = EngineSettings()
    settings.delayedNameRemoval = delayed
    settings.lookback = .minutes(2)
    var churn = Churn(seed: seed)
    let parsed = try Self.expressions.map { try PromQLParser.parse($0, options: .all) }
    let carried = try parsed.map {
      try Plan($0, store: churn.store, settings: settings, standing: true)
    }
    for tick in 0..<120 {
      let t = Timestamp(milliseconds: Int64(tick) * 15_000)
      try churn.tick(t)
      if tick % 10 == 9 { churn.store.sweep(now: t) }
      for (i, expr) in parsed.enumerated() {
        let fresh = try Plan(expr, store: churn.store, settings: settings, standing: false)
        let expected = Self.outcome(fresh, t)
        let got = Self.outcome(carried[i], t)
        #expect(got == expected, "\(Self.expressions[i]) at tick \(tick), seed \(seed)")
      }
    }
  }

  @Test func anInstantEqualsARangesStep() throws {
    var churn = Churn(seed: 7)
    for tick in 0..<40 { try churn.tick(Timestamp(milliseconds: Int64(tick) * 15_000)) }
    for text in Self.expressions where !text.hasPrefix("sort") {
      let expr = try PromQLParser.parse(text, options: .all)
      let plan = try Plan(expr, store: churn.store, standing: false)
      let range: QueryResult
      do {
        range = try plan.range(
          from: Timestamp(seconds: 300), through: Timestamp(seconds: 590), step: .seconds(10))
      } catch { continue }
      guard case .matrix(let series) = range.value else { continue }
      for seconds in stride(from: 300.0, through: 590, by: 10) {
        let t = Timestamp(seconds: seconds)
        let step = series.compactMap { one in
          one.samples.first { $0.timestamp == t }.map { "\(one.labels) \(Self.bits($0.value))" }
        }.sorted()
        #expect(Self.outcome(plan, t).sorted() == step, "\(text) at \(seconds)")
      }
    }
  }

  @Test(arguments: [11, 12] as [UInt64], [false, true])
  func aSubqueryEqualsItsRangeQuery(seed: UInt64, delayed: Bool) throws {
    var settings = EngineSettings()
    settings.delayedNameRemoval = delayed
    var churn = Churn(seed: seed)
    for tick in 0..<40 { try churn.tick(Timestamp(milliseconds: Int64(tick) * 15_000)) }
    // The window is open to the left, and steps are multiples of the step: 300, 320, … 540.
    let last = Timestamp(seconds: 555)
    for text in Self.expressions {
      let range = try Plan(
        try PromQLParser.parse(text), store: churn.store, settings: settings, standing: false)
      let subquery = try Plan(
        try PromQLParser.parse("(\(text))[275s:20s]"), store: churn.store, settings: settings,
        standing: false)
      let wanted = Self.points {
        try range.range(
          from: Timestamp(seconds: 300), through: Timestamp(seconds: 540), step: .seconds(20))
      }
      #expect(Self.points { try subquery.instant(at: last) } == wanted, "\(text), seed \(seed)")
    }
  }

  /// Series with their samples, or the text of the problem.
  private static func points(_ query: () throws -> QueryResult) -> [String] {
    do {
      guard case .matrix(let series) = try query().value else { return ["no matrix"] }
      return series.map { one in
        "\(one.labels)"
          + one.samples.map { " \($0.timestamp.milliseconds)=\(bits($0.value))" }.joined()
      }.sorted()
    } catch {
      return ["\(error)"]
    }
  }

  private static func outcome(_ plan: Plan, _ t: Timestamp) -> [String] {
    do {
      guard case .vector(let samples) = try plan.instant(at: t).value else { return ["no vector"] }
      return samples.map { "\($0.labels) \(bits($0.value))" }
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
}
