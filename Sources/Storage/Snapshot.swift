import Model

/// What was added to a store since somebody last took note, in a form to be stored; read back in
/// full it is what `Store.restore` takes.
///
/// A source has a number that no other has had. Its rows are compressed cell by cell; which series
/// a cell belongs to is told once, when the column gets its series. Samples that no row can hold
/// come as runs of many series.
package struct StoreChanges: Sendable {
  /// A source of rows.
  package struct Source: Hashable, Sendable {
    package var id: Int64
    package var name: String

    package init(id: Int64, name: String) {
      self.id = id
      self.name = name
    }
  }

  /// The series that a source's column holds from a time on.
  package struct Column: Hashable, Sendable {
    package var source: Int64
    package var column: Int
    /// Milliseconds; of the first row it is true for.
    package var since: Int64
    package var labels: LabelSet
    /// Whether the series is kept though no selector asks for it.
    package var isAlways: Bool

    package init(source: Int64, column: Int, since: Int64, labels: LabelSet, isAlways: Bool) {
      self.source = source
      self.column = column
      self.since = since
      self.labels = labels
      self.isAlways = isAlways
    }
  }

  /// One row, compressed.
  package struct Row: Hashable, Sendable {
    package var source: Int64
    /// Milliseconds.
    package var time: Int64
    package var cells: [UInt8]

    package init(source: Int64, time: Int64, cells: [UInt8]) {
      self.source = source
      self.time = time
      self.cells = cells
    }
  }

  /// A series that has samples beside the rows.
  package struct SideSeries: Hashable, Sendable {
    package var id: Int64
    package var labels: LabelSet
    package var isAlways: Bool

    package init(id: Int64, labels: LabelSet, isAlways: Bool) {
      self.id = id
      self.labels = labels
      self.isAlways = isAlways
    }
  }

  /// Samples beside the rows, compressed.
  package struct SideRun: Hashable, Sendable {
    /// The time of the newest of them in milliseconds.
    package var newest: Int64
    package var samples: [UInt8]

    package init(newest: Int64, samples: [UInt8]) {
      self.newest = newest
      self.samples = samples
    }
  }

  /// What is no longer needed.
  package struct Obsolete: Hashable, Sendable {
    /// Rows of a source before this time.
    package var rows: [Int64: Int64] = [:]
    /// Sources that are gone, and series beside the rows.
    package var sources: [Int64] = []
    package var sideSeries: [Int64] = []
    /// Runs whose newest sample is older than this.
    package var sideRuns: Int64 = .min

    package init() {}
  }

  /// Whether this is everything there is, and replaces all that was stored before.
  package var startsOver = false
  package var sources: [Source] = []
  package var columns: [Column] = []
  package var rows: [Row] = []
  package var sideSeries: [SideSeries] = []
  package var sideRuns: [SideRun] = []
  package var obsolete: Obsolete?

  package init() {}

  /// Whether there is nothing to store.
  package var isEmpty: Bool {
    !startsOver && sources.isEmpty && columns.isEmpty && rows.isEmpty && sideSeries.isEmpty
      && sideRuns.isEmpty && obsolete == nil
  }

  /// Adds later changes, as storing one after the other would.
  package mutating func merge(_ later: StoreChanges) {
    if later.startsOver {
      self = later
      return
    }
    sources += later.sources
    columns += later.columns
    rows += later.rows
    sideSeries += later.sideSeries
    sideRuns += later.sideRuns
    guard let obsolete = later.obsolete else { return }
    let gone = Set(obsolete.sources)
    let goneSides = Set(obsolete.sideSeries)
    sources.removeAll { gone.contains($0.id) }
    columns.removeAll { gone.contains($0.source) }
    rows.removeAll {
      gone.contains($0.source) || $0.time < obsolete.rows[$0.source] ?? .min
    }
    sideSeries.removeAll { goneSides.contains($0.id) }
    sideRuns.removeAll { $0.newest < obsolete.sideRuns }
    removeSupersededColumns(before: obsolete.rows)
  }

  /// Forgets what columns held before the oldest row.
  private mutating func removeSupersededColumns(before horizons: [Int64: Int64]) {
    var newest: [[Int64]: Int64] = [:]
    for column in columns where column.since <= horizons[column.source] ?? .min {
      let key = [column.source, Int64(column.column)]
      newest[key] = max(newest[key] ?? .min, column.since)
    }
    columns.removeAll {
      $0.since < newest[[$0.source, Int64($0.column)]] ?? .min
    }
  }
}

/// What came back into a store.
package struct RestoreSummary: Hashable, Sendable {
  package var series = 0
  package var rows = 0
  package var samples = 0

  package init() {}
}

/// What of a source is known to be stored.
struct SourceMark {
  /// Zero before anything is.
  var id: Int64 = 0
  /// Rows below this number are stored.
  var row = 0
  /// The series of the columns that are stored, by column.
  var owners: [SeriesID] = []
}

/// What of a store is known to be stored.
struct StoreMarks {
  var nextSource: Int64 = 1
  var nextSide: Int64 = 1
  /// The next changes are all there is.
  var startsOver = true
  /// Numbers that are stored and may have become obsolete.
  var sources: Set<Int64> = []
  var sides: Set<Int64> = []
  /// Sources that came back from an earlier process and that nobody has opened yet, by their names'
  /// bytes.
  var parked: [[UInt8]: [SourceID]] = [:]
}
