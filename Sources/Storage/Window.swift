import Model

/// The samples of one series in an interval: floats and histograms, no stale markers, no absent
/// cells.
///
/// The pointers are valid until the scratch space that came with the call is used again.
package struct Window {
  /// A histogram sample of a window.
  package struct HistogramSample: Sendable {
    /// Milliseconds.
    package var timestamp: Int64
    package var value: FloatHistogram
    /// When counting began, if the sample said so.
    package var startTimestamp: Int64?

    package init(timestamp: Int64, value: FloatHistogram, startTimestamp: Int64? = nil) {
      self.timestamp = timestamp
      self.value = value
      self.startTimestamp = startTimestamp
    }
  }

  /// Times of the float samples in milliseconds, ascending.
  package let timestamps: UnsafeBufferPointer<Int64>
  /// The float samples.
  package let values: UnsafeBufferPointer<Double>
  /// Per float sample the time when counting began (`Int64.min` for none); nil if no sample has
  /// one.
  package let startTimestamps: UnsafeBufferPointer<Int64>?
  /// The histogram samples by time.
  package let histograms: [HistogramSample]

  @inlinable
  package init(
    timestamps: UnsafeBufferPointer<Int64>, values: UnsafeBufferPointer<Double>,
    startTimestamps: UnsafeBufferPointer<Int64>? = nil, histograms: [HistogramSample] = []
  ) {
    self.timestamps = timestamps
    self.values = values
    self.startTimestamps = startTimestamps
    self.histograms = histograms
  }

  /// The number of float samples.
  @inlinable
  package var count: Int { values.count }

  @inlinable
  package var isEmpty: Bool { values.isEmpty && histograms.isEmpty }
}

/// Neighbouring columns of one source over a row interval, each with a sample in every row.
///
/// The cells stand time-major: a row's cells are next to each other, so a kernel can take many
/// series at once.
package struct RowRun {
  /// The member whose series is the first column; the others follow in order.
  package let firstMember: Int
  /// The number of columns.
  package let count: Int
  /// The number of rows; at least one.
  package let rowCount: Int
  /// The time of each row in milliseconds.
  package let timestamps: UnsafePointer<Int64>
  @usableFromInline let cells: UnsafePointer<Double>
  @usableFromInline let stride: Int
  @usableFromInline let mask: Int
  @usableFromInline let firstRow: Int

  @inlinable
  init(
    firstMember: Int, count: Int, rowCount: Int, timestamps: UnsafePointer<Int64>,
    cells: UnsafePointer<Double>, stride: Int, mask: Int, firstRow: Int
  ) {
    self.firstMember = firstMember
    self.count = count
    self.rowCount = rowCount
    self.timestamps = timestamps
    self.cells = cells
    self.stride = stride
    self.mask = mask
    self.firstRow = firstRow
  }

  /// The cells of row `i` in `0..<rowCount`: `count` values.
  @inlinable
  package func row(_ i: Int) -> UnsafePointer<Double> {
    cells + ((firstRow &+ i) & mask) &* stride
  }
}
