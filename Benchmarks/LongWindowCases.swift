import Engine
import Model
import PromQL
import Storage

/// Windows of three days at 15 s: what summaries of sealed rows save, and what sealed rows take up.
enum LongWindowCases {
  private static let start = Timestamp(milliseconds: 1_700_000_000_000)
  private static let rows = 4 * 24 * 240
  private static let series = 400

  static func run(_ report: Report) throws {
    let store = try filled()
    let time = start + .seconds(Int64(15 * (rows - 1)))
    for text in [
      "rate(x_total[3d])", "increase(x_total[3d])", "sum_over_time(x_total[3d])",
      "avg_over_time(x_total[3d])", "max_over_time(x_total[3d])", "count_over_time(x_total[3d])",
      "changes(x_total[3d])", "resets(x_total[3d])", "stddev_over_time(x_total[3d])",
    ] {
      let plan = try Plan(
        try PromQLParser.parse(text), store: store, settings: EngineSettings(), standing: true)
      defer { plan.close() }
      var tick: Int64 = 0
      try report.measure(text, units: series, "series") {
        tick += 1
        _ = try plan.step(at: time + .milliseconds(tick % 1000))
      }
    }
    let held = store.statistics
    print(
      "sealed: \(held.sealedSamples) samples in \(held.sealedBytes) bytes,",
      NumberText.plain(
        (Double(held.sealedBytes) / Double(held.sealedSamples) * 100).rounded() / 100),
      "bytes/sample; all: \(held.bytes / held.series) bytes/series")
  }

  /// Four days of one target: counters that stand still, count steadily or jump, whole gauges and
  /// constants, as exporters have them.
  private static func filled() throws -> Store {
    let store = Store(StoreSettings(keep: .all, retention: .days(4)))
    let source = store.openSource("target")
    let columns = (0..<series).compactMap { i in
      store.column(for: ["__name__": "x_total", "i": "\(i)"], in: source)
    }
    var values = [Double](repeating: 0, count: columns.count)
    var state: UInt64 = 1
    for r in 0..<rows {
      let time = start + .seconds(Int64(15 * r))
      var row = try store.beginRow(source, at: time)
      for (i, column) in columns.enumerated() {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let dice = Double(state >> 40)
        switch i % 10 {
        case 0...3: break
        case 4...5: values[i] += dice.truncatingRemainder(dividingBy: 50) < 1 ? 1 : 0
        case 6: values[i] += 15
        case 7...8: values[i] += dice.truncatingRemainder(dividingBy: 200)
        default: values[i] = dice.truncatingRemainder(dividingBy: 4096)
        }
        row.set(column, values[i])
      }
      store.commit(row, markMissingStale: true)
      if r % 4 == 0 { store.sweep(now: time) }
    }
    return store
  }
}
