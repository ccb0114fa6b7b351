import Model
import Storage

/// Appending rows to a source of 1,000 series.
enum RowCases {
  static func run(_ report: Report) throws {
    let store = Store(StoreSettings(keep: .all, retention: .minutes(30)))
    let source = store.openSource("benchmark")
    let columns = (0..<1000).compactMap { i in
      store.column(for: ["__name__": "x", "i": "\(i)"], in: source)
    }
    var time = Timestamp(milliseconds: 1_700_000_000_000)
    var value = 0.0
    try report.measure("append, 1,000 series", units: columns.count, "sample") {
      time = time + .seconds(15)
      value += 1.5
      var row = try store.beginRow(source, at: time)
      for column in columns { row.set(column, value) }
      store.commit(row, markMissingStale: true)
    }
    report.measure("sweep, 1,000 series", units: columns.count, "series") {
      store.sweep(now: time)
    }
  }
}
