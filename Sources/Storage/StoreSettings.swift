import Model

/// How a store keeps samples.
package struct StoreSettings: Sendable {
  /// Which series are worth a column.
  package enum Keep: Sendable {
    /// Those a standing selector accepts, and those written with `always`.
    case rules
    /// All of them, for `retention`.
    case all
  }

  /// Which series are worth a column.
  package var keep: Keep
  /// How long samples stay that no selector asks for: all in `keep: all`, else those written with
  /// `always`.
  package var retention: PromDuration
  /// Added to every window: how late an evaluation may look back from.
  package var slack = PromDuration.minutes(1)
  /// The most rows a source keeps raw, rounded up to a power of two.
  package var rawRows = 128
  /// How many rows are sealed at a time; at most `rawRows`.
  package var sealRows = 64

  package init(keep: Keep = .all, retention: PromDuration = .hours(2)) {
    self.keep = keep
    self.retention = retention
  }
}

/// Why a sample was refused.
package enum AppendProblem: Error, Hashable, Sendable {
  /// The series (or, for a row, the source) has a newer sample.
  case outOfOrder
  /// The series has another value at the same timestamp.
  case duplicate
  /// No window reaches so far back.
  case tooOld
}

/// Why a copy for a query was refused.
package enum ExtractProblem: Error, Hashable, Sendable {
  /// The query would copy more than `limit` samples.
  case tooManySamples(limit: Int)
}

/// What a committed row did.
package struct RowSummary: Hashable, Sendable {
  /// Samples stored, stale markers not counted.
  package var samples = 0
  /// Stale markers written for series that were missing.
  package var staleMarkers = 0
  /// Samples refused because another place of the series has a newer one.
  package var outOfOrder = 0
  /// Samples refused because another place of the series has another value at this timestamp.
  package var duplicates = 0

  package init() {}
}

/// Sizes of a store.
package struct StoreStatistics: Hashable, Sendable {
  /// Sources that have data or are open.
  package var sources = 0
  /// Series with data.
  package var series = 0
  /// Columns in use.
  package var columns = 0
  /// Rows, raw and sealed.
  package var rows = 0
  /// Samples and stale markers held.
  package var samples = 0
  /// Of these, in sealed rows.
  package var sealedSamples = 0
  /// Bytes of the sealed rows.
  package var sealedBytes = 0
  /// Bytes held for samples, labels and indexes (estimated for the latter).
  package var bytes = 0
  /// Samples appended since the store was made.
  package var appended: UInt64 = 0
  /// Standing selectors.
  package var selectors = 0

  package init() {}
}
