import Model
import Storage

/// Where a rule's results go: a source of its own, one row per evaluation.
///
/// Series of the last row that are missing in this one end with a stale marker; a failed evaluation
/// writes no row, so its series linger for the lookback as in Prometheus.
package final class RuleOutput {
  private let store: Store
  private let source: SourceID
  private var row: RowWriter?
  private var hasLiveSeries = false
  private(set) var written = 0
  /// Whether the row of this evaluation was refused because a newer one exists.
  private(set) var isRefused = false

  init(store: Store, name: String) {
    self.store = store
    source = store.openSource(name)
  }

  /// Starts the row of an evaluation.
  func begin(at time: Timestamp) {
    written = 0
    isRefused = false
    do {
      row = try store.beginRow(source, at: time)
    } catch {
      row = nil
      isRefused = true
    }
  }

  /// The column of a series, made if it is new; rule results are always kept.
  func column(for labels: LabelSet) -> Column? {
    store.column(for: labels, in: source, always: true)
  }

  /// Puts a value into the row; `column` is brought up to date if the store reclaimed it.
  ///
  /// False if the row has a value for the series already.
  func put(_ value: SampleValue, labels: @autoclosure () -> LabelSet, column: inout Column?) -> Bool
  {
    guard row != nil else { return true }
    if column == nil { column = self.column(for: labels()) }
    guard let known = column else { return true }
    if row?.isSet(known) == true { return false }
    if set(value, known) { return true }
    column = self.column(for: labels())
    guard let renewed = column else { return true }
    if row?.isSet(renewed) == true { return false }
    _ = set(value, renewed)
    return true
  }

  private func set(_ value: SampleValue, _ column: Column) -> Bool {
    let isSet: Bool
    switch value {
    case .float(let number): isSet = row?.set(column, number) ?? false
    case .histogram: isSet = row?.set(column, value, startTimestamp: nil) ?? false
    }
    if isSet { written += 1 }
    return isSet
  }

  /// Makes the row visible; says what the store refused.
  func commit() -> String? {
    guard let row else { return isRefused ? "out of order: a newer result exists" : nil }
    self.row = nil
    if written == 0 && !hasLiveSeries {
      store.abandon(row)
      return nil
    }
    let summary = store.commit(row, markMissingStale: true)
    hasLiveSeries = written > 0
    if summary.outOfOrder > 0 {
      return "\(summary.outOfOrder) results out of order: newer samples exist"
    }
    if summary.duplicates > 0 {
      return "\(summary.duplicates) results have another value at the same timestamp"
    }
    return nil
  }

  /// Drops the row of a failed evaluation.
  func abandon() {
    if let row { store.abandon(row) }
    row = nil
  }

  /// Ends all series at `time` and closes the source.
  package func end(at time: Timestamp) {
    if hasLiveSeries, let row = try? store.beginRow(source, at: time) {
      store.commit(row, markMissingStale: true)
    }
    store.closeSource(source)
  }
}
