import Model

/// A search of the index that can be interrupted: the store may change between two steps.
///
/// A series that is born meanwhile may be missing, one that has ended is left out, and one that
/// several matcher lists accept is found as often.
package struct SeriesSearch: Sendable {
  private struct Pass {
    let matchers: [Matcher]
    let candidates: [SeriesID]
  }

  private let passes: [Pass]
  private let from: Timestamp?
  private let through: Timestamp?
  private var pass = 0
  private var position = 0

  /// Prepares a search for the series that fulfil any of the matcher lists (for all, without
  /// lists) and have a sample from `from` through `through`.
  package init(
    _ lists: [[Matcher]], in store: Store, from: Timestamp? = nil, through: Timestamp? = nil
  ) {
    passes = (lists.isEmpty ? [[]] : lists).map { matchers in
      let slots = store.candidates(Selector(matchers: matchers, labels: store.table.labels))
      return Pass(matchers: matchers, candidates: slots.map { store.table.id($0) })
    }
    let (oldest, newest) = store.span
    self.from = from.flatMap { $0.milliseconds <= oldest ? nil : $0 }
    self.through = through.flatMap { $0.milliseconds >= newest ? nil : $0 }
  }

  /// Looks at the next `count` candidates and returns those found; nil at the end.
  package mutating func next(_ count: Int, in store: Store) -> [LabelSet]? {
    while pass < passes.count, position == passes[pass].candidates.count {
      pass += 1
      position = 0
    }
    guard pass < passes.count else { return nil }
    let candidates = passes[pass].candidates
    let selector = Selector(matchers: passes[pass].matchers, labels: store.table.labels)
    let end = min(position + count, candidates.count)
    var found: [LabelSet] = []
    var scratch = WindowScratch()
    for series in candidates[position..<end] {
      guard let labels = store.labels(of: series), selector.acceptsRest(labels),
        hasSamples(series, in: store, &scratch)
      else { continue }
      found.append(labels)
    }
    position = end
    return found
  }

  private func hasSamples(
    _ series: SeriesID, in store: Store, _ scratch: inout WindowScratch
  ) -> Bool {
    if from == nil && through == nil { return true }
    let after = Timestamp(milliseconds: (from?.milliseconds ?? .min + 1) - 1)
    let through = through ?? Timestamp(milliseconds: .max)
    if after >= through { return false }
    let summary = store.summary(of: series, after: after, through: through, into: &scratch)
    return summary.count > 0 || summary.hasHistograms
  }
}

extension Store {
  /// The times of the oldest and the newest row or sample; an empty interval without any.
  package var span: (oldest: Int64, newest: Int64) {
    var (oldest, newest) = (Int64.max, Int64.min)
    for case let block? in blocks where block.rowCount > 0 {
      oldest = min(oldest, block.time(block.firstRow))
      newest = max(newest, block.time(block.endRow - 1))
    }
    for case let side? in sides {
      if let first = side.times.first, let last = side.times.last {
        oldest = min(oldest, first)
        newest = max(newest, last)
      }
      if let first = side.histograms.first, let last = side.histograms.last {
        oldest = min(oldest, first.timestamp)
        newest = max(newest, last.timestamp)
      }
    }
    return (oldest, newest)
  }
}
