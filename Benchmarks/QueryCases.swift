import Engine
import Model
import PromQL
import Storage

/// Standing plans over 100,000 series: what a rule costs once its shape is known.
enum QueryCases {
  private static let start = Timestamp(milliseconds: 1_700_000_000_000)
  private static let rows = 24

  static func run(_ report: Report) throws {
    let store = try filled(targets: 100, series: 1000)
    for (text, series) in [
      ("x_total", 100_000), ("x_total > 1e9", 100_000), ("rate(x_total[5m])", 100_000),
      ("sum by (job) (rate(x_total[5m]))", 100_000), ("max_over_time(x_total[5m])", 100_000),
      ("x_total * on (job, instance, i) group_left x_total", 100_000),
      ("histogram_quantile(0.99, sum by (le, job) (rate(x_total[5m])))", 100_000),
      ("sum(rate(x_total{i=\"7\"}[5m]))", 100),
    ] {
      let plan = try Plan(
        try PromQLParser.parse(text), store: store, settings: EngineSettings(), standing: true)
      defer { plan.close() }
      let time = start + .seconds(Int64(15 * (rows - 1)))
      var tick: Int64 = 0
      try report.measure(text, units: series, "series") {
        tick += 1
        _ = try plan.step(at: time + .milliseconds(tick % 1000))
      }
    }
  }

  private static func filled(targets: Int, series: Int) throws -> Store {
    let store = Store(StoreSettings(keep: .all, retention: .hours(2)))
    for target in 0..<targets {
      let source = store.openSource("target \(target)")
      let columns = (0..<series).compactMap { i in
        store.column(
          for: [
            "__name__": "x_total", "job": "job\(target % 5)", "instance": "host\(target):9100",
            "i": "\(i)", "le": MadeUpTarget.bounds[i % MadeUpTarget.bounds.count],
          ], in: source)
      }
      for r in 0..<rows {
        var row = try store.beginRow(source, at: start + .seconds(Int64(15 * r)))
        for (i, column) in columns.enumerated() { row.set(column, Double(r * (i + 3))) }
        store.commit(row, markMissingStale: true)
      }
    }
    return store
  }
}
