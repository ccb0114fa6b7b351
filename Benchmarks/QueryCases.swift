import Engine
import Model
import PromQL
import Storage

/// Standing plans over 100,000 series: what a rule costs once its shape is known.
enum QueryCases {
  static func run(_ report: Report) throws {
    let store = try MadeUpStore.filled(targets: 100, series: 1000)
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
      let time = MadeUpStore.end
      var tick: Int64 = 0
      try report.measure(text, units: series, "series") {
        tick += 1
        _ = try plan.step(at: time + .milliseconds(tick % 1000))
      }
    }
  }
}
