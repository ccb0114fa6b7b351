import Model
import Storage

/// A store of scraped rows: counters of many targets, a sample every 15 s for six minutes.
enum MadeUpStore {
  private static let start = Timestamp(milliseconds: 1_700_000_000_000)
  private static let rows = 24

  /// The time of the newest row.
  static var end: Timestamp { start + .seconds(Int64(15 * (rows - 1))) }

  /// Fills a store with `series` counters of one name in each of some targets of five jobs.
  static func filled(targets: Int, series: Int) throws -> Store {
    let store = Store(StoreSettings(keep: .all, retention: .hours(2)))
    let bounds = MadeUpTarget.bounds.count
    for target in 0..<targets {
      let source = store.openSource("target \(target)")
      let columns = (0..<series).compactMap { i in
        store.column(
          for: [
            "__name__": "x_total", "job": "job\(target % 5)", "instance": "host\(target):9100",
            "i": "\(i)", "le": MadeUpTarget.bounds[i % bounds],
          ], in: source)
      }
      for r in 0..<rows {
        var row = try store.beginRow(source, at: start + .seconds(Int64(15 * r)))
        for (i, column) in columns.enumerated() {
          row.set(column, Double(r * (1 + i % bounds) * 16))
        }
        store.commit(row, markMissingStale: true)
      }
    }
    return store
  }
}
