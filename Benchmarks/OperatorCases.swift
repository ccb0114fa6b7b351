import Engine
import Model
import PromQL
import Storage

/// One expression per operator, as standing plans in their steady state.
enum OperatorCases {
  static let expressions = [
    "x_total", "x_total offset 1m", "timestamp(x_total)", "-x_total", "abs(x_total)",
    "clamp_max(x_total, 50)", "x_total * 8", "x_total > 1e9", "x_total > bool 1e9",
    "rate(x_total[5m])", "increase(x_total[5m])", "delta(x_total[5m])", "irate(x_total[5m])",
    "deriv(x_total[5m])", "predict_linear(x_total[5m], 3600)", "changes(x_total[5m])",
    "resets(x_total[5m])", "sum_over_time(x_total[5m])", "avg_over_time(x_total[5m])",
    "min_over_time(x_total[5m])", "max_over_time(x_total[5m])", "count_over_time(x_total[5m])",
    "last_over_time(x_total[5m])", "stddev_over_time(x_total[5m])",
    "quantile_over_time(0.9, x_total[5m])", "x_total + x_total",
    "x_total / ignoring(le) x_total", "x_total > x_total offset 1m",
    "x_total * on (instance, i) group_left (job) x_total",
    "x_total * on (job) group_left count by (job) (x_total)",
    "x_total + on (instance, i) fill(0) (x_total > 50)", "x_total and x_total offset 1m",
    "x_total unless on (job, i) x_total offset 1m", "x_total or x_total offset 1m",
    "(x_total > 50) or (x_total < 40)", "sum(x_total)", "sum by (job) (x_total)",
    "sum without (i, le) (x_total)", "avg by (job) (x_total)", "count by (job) (x_total)",
    "min by (job) (x_total)", "max by (job) (x_total)", "group by (job) (x_total)",
    "stddev by (job) (x_total)", "quantile by (job) (0.9, x_total)", "topk by (job) (5, x_total)",
    "bottomk(5, x_total)", "limitk(5, x_total)", "limit_ratio(0.1, x_total)",
    "sum by (job) (rate(x_total[5m]))",
    "histogram_quantile(0.99, sum by (le, job) (rate(x_total[5m])))",
    "histogram_quantile(0.99, sum by (le, instance) (rate(x_total[5m])))",
    "histogram_fraction(0, 0.5, sum by (le, job) (x_total))",
    "label_replace(x_total, \"shard\", \"$1\", \"i\", \".*(.)\")",
    "label_join(x_total, \"where\", \"/\", \"job\", \"instance\")", "absent(x_total)",
    "absent_over_time(x_total[5m])", "sort_desc(sum by (job) (x_total))", "scalar(sum(x_total))",
    "vector(scalar(sum(x_total)))", "max_over_time(sum by (job) (rate(x_total[1m]))[4m:30s])",
  ]

  static func run(_ report: Report) throws {
    let store = try MadeUpStore.filled(targets: 10, series: 1000)
    for text in expressions {
      try step(text, store) { body in
        try report.measure(text, units: 10_000, "series", body)
      }
    }
  }

  /// Makes a plan and hands out its evaluation, each time a millisecond later.
  static func step(
    _ text: String, _ store: Store, _ measure: (_ body: () throws -> Void) throws -> Void
  ) throws {
    let expr = try PromQLParser.parse(text, options: .all)
    let plan = try Plan(expr, store: store, settings: EngineSettings(), standing: true)
    defer { plan.close() }
    var tick: Int64 = 0
    try measure {
      tick += 1
      _ = try plan.step(at: MadeUpStore.end + .milliseconds(tick % 1000))
    }
  }
}

/// What each operator costs per series as the number of series grows.
enum GrowthCases {
  private static let sizes = [1, 10, 100, 1000]

  static func run(_ report: Report) throws {
    print("| ns per series, allocations | 1,000 | 10,000 | 100,000 | 1,000,000 | 1M : 10k |")
    print("|---|---|---|---|---|---|")
    let stores = try sizes.map { try MadeUpStore.filled(targets: $0, series: 1000) }
    for text in OperatorCases.expressions {
      var cells: [String] = []
      var rates: [Double] = []
      for (size, store) in zip(sizes, stores) {
        try OperatorCases.step(text, store) { body in
          let cost = try Report.cost(200, of: body)
          let rate = Double(cost.best) / Double(size * 1000)
          rates.append(rate)
          let blocks = Double(cost.allocations) / Double(cost.passes.count)
          cells.append(Report.tenths(rate) + (blocks > 0 ? ", \(Report.tenths(blocks))" : ""))
        }
      }
      cells.append(Report.tenths(rates[3] / rates[1]))
      print("| `\(text)` | " + cells.joined(separator: " | ") + " |")
    }
  }
}
