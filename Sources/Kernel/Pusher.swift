import Exposition
import Model
import Storage

/// An import under way: which series its numbers stand for.
///
/// One import is one session; everything in it belongs to the kernel.
package final class ImportSession: @unchecked Sendable {
  fileprivate var labels: [LabelSet] = []
  fileprivate var columns: [Column?] = []
  /// What became of the samples so far.
  package fileprivate(set) var tally = PushTally()

  package init() {}

  /// The number of distinct series so far.
  package var seriesCount: Int { labels.count }
}

/// Takes samples that others hand in: remote writes and imports.
final class Pusher {
  /// Samples further ahead than this are refused.
  private static let mostAhead = PromDuration.minutes(10)
  /// How long the newest row of an import waits for more samples of its time.
  private static let patience = PromDuration.seconds(1)

  private let store: Store
  private(set) var counts = PushCounts()
  /// The source of imported rows.
  private var source: SourceID?
  private var newestRow: Timestamp?
  /// The samples of the newest time of an import: more of them may follow.
  private var pending: (time: Timestamp, samples: [(labels: LabelSet, value: Double)])?
  private(set) var nextDeadline: Timestamp?

  init(store: Store) { self.store = store }

  // MARK: Remote write

  /// Writes the series of a request; what cannot be written is counted and left out.
  func write(_ request: PushedRequest, at now: Timestamp) -> PushTally {
    var tally = PushTally()
    for pushed in request.series {
      let series = store.series(for: pushed.labels)
      for sample in pushed.samples {
        if let problem = append(sample, to: series, labels: pushed.labels, now: now, &tally) {
          tally.problem = tally.problem ?? problem
        }
      }
    }
    counts.writeRequests += 1
    counts.malformed += UInt64(request.problems.count)
    counts.written = counts.written + tally
    return tally
  }

  /// Appends one sample; returns why not.
  private func append(
    _ sample: PushedSeries.Sample, to series: SeriesID?, labels: LabelSet, now: Timestamp,
    _ tally: inout PushTally
  ) -> String? {
    let reason: String
    if sample.timestamp > now + Self.mostAhead {
      tally.tooNew += 1
      reason = "out of bounds: the sample is too far in the future"
    } else {
      do throws(AppendProblem) {
        // A series nobody wants is taken and forgotten, as in a scrape.
        if let series {
          _ = try store.append(
            to: series, at: sample.timestamp, sample.value, startTimestamp: sample.start)
        }
        if case .float = sample.value { tally.floats += 1 } else { tally.histograms += 1 }
        return nil
      } catch {
        reason = Self.note(error, &tally)
      }
    }
    return "\(reason) (series \(labels), time \(sample.timestamp.milliseconds))"
  }

  private static func note(_ problem: AppendProblem, _ tally: inout PushTally) -> String {
    switch problem {
    case .outOfOrder:
      tally.outOfOrder += 1
      return "out of order sample"
    case .duplicate:
      tally.duplicates += 1
      return "duplicate sample for timestamp"
    case .tooOld:
      tally.tooOld += 1
      return "too old sample"
    }
  }

  // MARK: Import

  /// Writes a piece of an import.
  ///
  /// Samples of one time become a row, the form in which the store keeps most in least space; the
  /// last time of a piece waits a moment for the piece after it.
  func take(_ batch: ImportBatch, in session: ImportSession, at now: Timestamp) {
    precondition(
      batch.firstSeries == session.labels.count, "one reader feeds one session, in its order")
    let source = source ?? store.openSource("import")
    self.source = source
    for labels in batch.series {
      session.labels.append(labels)
      session.columns.append(store.column(for: labels, in: source))
    }
    var order = Array(batch.samples.indices)
    let times = batch.samples.map { ($0.timestamp ?? now).milliseconds }
    let isSorted = times.indices.dropFirst().allSatisfy { times[$0 - 1] <= times[$0] }
    if !isSorted { order.sort { (times[$0], $0) < (times[$1], $1) } }
    var tally = PushTally()
    var first = 0
    while first < order.count {
      let time = times[order[first]]
      var end = first
      while end < order.count, times[order[end]] == time { end += 1 }
      let samples = order[first..<end].lazy.map { batch.samples[$0] }
      put(
        samples, at: Timestamp(milliseconds: time), session, isLast: end == order.count, now, &tally
      )
      first = end
    }
    session.tally = session.tally + tally
    counts.imported = counts.imported + tally
    nextDeadline = pending == nil ? nil : now + Self.patience
  }

  private func put(
    _ samples: some Sequence<ImportBatch.Sample>, at time: Timestamp, _ session: ImportSession,
    isLast: Bool, _ now: Timestamp, _ tally: inout PushTally
  ) {
    if time > now + Self.mostAhead {
      for _ in samples { tally.tooNew += 1 }
      return
    }
    if let waiting = pending, waiting.time < time { flush() }
    if isLast || pending?.time == time {
      let fresh = samples.map { (session.labels[Int($0.series)], $0.value) }
      tally.floats += fresh.count
      if pending?.time == time {
        pending?.samples += fresh
      } else if (newestRow.map { $0 < time } ?? true) && pending == nil {
        pending = (time, fresh)
      } else {
        tally.floats -= fresh.count
        for (labels, value) in fresh { aside(labels, value, at: time, &tally) }
      }
      return
    }
    guard pending == nil, newestRow.map({ $0 < time }) ?? true, let source,
      var row = try? store.beginRow(source, at: time)
    else {
      for sample in samples {
        aside(session.labels[Int(sample.series)], sample.value, at: time, &tally)
      }
      return
    }
    for sample in samples {
      let number = Int(sample.series)
      if let column = session.columns[number], row.isSet(column) {
        tally.duplicates += 1
        continue
      }
      tally.floats += 1
      if let column = session.columns[number], row.set(column, sample.value) { continue }
      session.columns[number] = store.column(for: session.labels[number], in: source)
      if let column = session.columns[number] { row.set(column, sample.value) }
    }
    commit(row, at: time, &tally)
  }

  private func commit(_ row: RowWriter, at time: Timestamp, _ tally: inout PushTally) {
    let summary = store.commit(row, markMissingStale: false)
    newestRow = time
    tally.outOfOrder += summary.outOfOrder
    tally.duplicates += summary.duplicates
    tally.floats -= summary.outOfOrder + summary.duplicates
  }

  /// A sample that fits no row.
  private func aside(
    _ labels: LabelSet, _ value: Double, at time: Timestamp, _ tally: inout PushTally
  ) {
    do throws(AppendProblem) {
      _ = try store.append(labels, at: time, .float(value))
      tally.floats += 1
    } catch {
      let reason = Self.note(error, &tally)
      tally.problem = tally.problem ?? "\(reason) (series \(labels), time \(time.milliseconds))"
    }
  }

  /// Writes the samples that were waiting for more of their time.
  private func flush() {
    guard let waiting = pending, let source else { return }
    pending = nil
    nextDeadline = nil
    guard var row = try? store.beginRow(source, at: waiting.time) else { return }
    var tally = PushTally()
    for (labels, value) in waiting.samples {
      guard let column = store.column(for: labels, in: source) else { continue }
      if row.isSet(column) {
        tally.duplicates += 1
        tally.floats -= 1
      } else {
        row.set(column, value)
      }
    }
    commit(row, at: waiting.time, &tally)
    counts.imported = counts.imported + tally
  }

  /// Writes what has waited long enough.
  func run(at now: Timestamp) {
    if let due = nextDeadline, due <= now { flush() }
  }

  /// An import has begun.
  func noteImport() { counts.imports += 1 }
}

extension Kernel {
  /// Takes a remote-write request, parsed already.
  package func push(_ request: PushedRequest, at now: Timestamp) -> PushTally {
    pusher.write(request, at: now)
  }

  /// Takes a piece of an import.
  package func importBatch(_ batch: ImportBatch, in session: ImportSession, at now: Timestamp) {
    if session.seriesCount == 0 { pusher.noteImport() }
    pusher.take(batch, in: session, at: now)
  }

  func writePushMetrics(to out: inout MetricsText) {
    let counts = pusher.counts
    out.single(
      "tocsin_remote_write_requests_total", .counter, "Remote-write requests taken.",
      Double(counts.writeRequests))
    out.single(
      "tocsin_remote_write_malformed_series_total", .counter,
      "Series of remote-write requests left out for their labels or histograms.",
      Double(counts.malformed))
    out.single("tocsin_imports_total", .counter, "Imports begun.", Double(counts.imports))
    out.family(
      "tocsin_pushed_samples_total", .counter,
      "Samples handed in by others, by what became of them.")
    for (path, tally) in [("import", counts.imported), ("remote_write", counts.written)] {
      let outcomes = [
        ("stored", tally.floats + tally.histograms), ("out_of_order", tally.outOfOrder),
        ("duplicate", tally.duplicates), ("too_old", tally.tooOld), ("too_new", tally.tooNew),
      ]
      for (outcome, count) in outcomes {
        out.sample(Double(count), [("path", path), ("outcome", outcome)])
      }
    }
  }
}
