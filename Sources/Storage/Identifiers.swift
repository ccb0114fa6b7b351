/// Names a source of rows for as long as it has data.
package struct SourceID: Hashable, Sendable, BitwiseCopyable {
  /// The place in the store's list of sources; reused after the source is gone.
  package let index: UInt32
  /// Tells the sources apart that have had one place.
  package let generation: UInt32

  @inlinable
  package init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// Names a stored series for as long as it has data.
package struct SeriesID: Hashable, Sendable, BitwiseCopyable {
  /// The place in the series table; reused after the series is gone.
  package let index: UInt32
  /// Tells the series apart that have had one place.
  package let generation: UInt32

  @inlinable
  package init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// Where a source writes a series: the handle a scraper keeps beside its copy of the line.
package struct Column: Hashable, Sendable, BitwiseCopyable {
  /// The source whose rows hold the column.
  package let source: SourceID
  /// The place in the source's rows.
  package let index: UInt32
  /// The series that is written there.
  package let series: SeriesID

  @inlinable
  package init(source: SourceID, index: UInt32, series: SeriesID) {
    self.source = source
    self.index = index
    self.series = series
  }
}
