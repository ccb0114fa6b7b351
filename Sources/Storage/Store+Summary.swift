import Model

/// What a window's float samples come to, without the samples.
///
/// Over sealed rows `sum` and `correction` are put together from partial sums: they may differ in
/// the last bits from those of adding sample by sample. Everything else is exact.
package struct WindowSummary {
  /// The number of float samples; with none, nothing else has a meaning.
  package var count = 0
  /// Times of the first and the last sample in milliseconds.
  package var firstTimestamp: Int64 = 0
  package var lastTimestamp: Int64 = 0
  package var first = 0.0
  package var last = 0.0
  /// The smallest and the largest value, NaN only if all are.
  package var min = Double.nan
  package var max = Double.nan
  /// The compensated sum and its compensation: the result is `sum + compensation`.
  package var sum = 0.0
  package var compensation = 0.0
  /// The sum of the values right before each counter reset.
  package var correction = 0.0
  package var changes = 0
  package var resets = 0
  /// Whether the values before several resets come as one sum; they are whole numbers then.
  package var joinsCorrections = false
  /// Whether the window has histogram samples too.
  package var hasHistograms = false
}

extension Store {
  /// Sums up a series over (after, through]; whole sealed stretches cost one look each.
  package func summary(
    of series: SeriesID, after: Timestamp, through: Timestamp, into scratch: inout WindowScratch
  ) -> WindowSummary {
    guard table.isLive(series) else { return WindowSummary() }
    let buffers = scratch.buffers
    let record = table.records[Int(series.index)]
    if record.block >= 0 {
      let block = block(at: record.block)
      let rows = block.rows(after: after.milliseconds, through: through.milliseconds)
      return block.summary(Int(record.column), rows, buffers)
    }
    let window = window(of: series, after: after, through: through, into: &scratch)
    var all = SealSummary()
    for i in 0..<window.count { all.add(window.values[i], at: i) }
    var summary = WindowSummary(all)
    summary.hasHistograms = !window.histograms.isEmpty
    if let first = window.timestamps.first, let last = window.timestamps.last {
      summary.firstTimestamp = first
      summary.lastTimestamp = last
    }
    return summary
  }
}

extension WindowSummary {
  init(_ s: SealSummary) {
    count = s.count
    first = s.first
    last = s.last
    min = s.min
    max = s.max
    sum = s.sum
    compensation = s.compensation
    correction = s.correction
    changes = s.changes
    resets = s.resets
  }
}

extension Block {
  /// Sums up a column over rows.
  func summary(_ c: Int, _ rows: Range<Int>, _ buffers: WindowBuffers) -> WindowSummary {
    buffers.look(at: self, rows)
    return summary(c, rows, needs: [], buffers)
  }

  /// Sums up a column over rows of which `buffers` has the seals at hand.
  ///
  /// What is needed comes out bit for bit as sample by sample: a seal whose summary cannot tell is
  /// read.
  func summary(
    _ c: Int, _ rows: Range<Int>, needs: SummaryNeeds, _ buffers: WindowBuffers
  ) -> WindowSummary {
    var all = SealSummary()
    buffers.corrections.removeAll(keepingCapacity: true)
    var joinsCorrections = false
    for seal in buffers.seals {
      guard let run = seal.run(c) else { continue }
      let low = max(rows.lowerBound, seal.firstRow)
      let high = min(rows.upperBound, seal.firstRow + seal.rowCount)
      if high - low == seal.rowCount {
        let (part, isIntegral) = SealedRun.summary(run, seal.rowCount)
        let isSummed = !needs.contains(.sum) || isIntegral && part.isExact(behind: all)
        let isCorrected = !needs.contains(.correction) || part.resets <= 1 || isIntegral
        if isSummed && isCorrected {
          if part.count > 0 && all.count > 0 && part.first < all.last {
            buffers.corrections.append(all.last)
          }
          if part.resets > 0 { buffers.corrections.append(part.correction) }
          if part.resets > 1 { joinsCorrections = true }
          all.add(part, startingAt: seal.firstRow)
          continue
        }
      }
      buffers.reserveSeal(seal.rowCount)
      let cells = buffers.seal.values
      SealedRun.decode(run, seal.rowCount, packed: buffers.seal.packed, into: cells)
      for i in low..<high {
        Self.take(cells[i - seal.firstRow], i, &all, buffers)
      }
    }
    for r in max(rows.lowerBound, firstRaw)..<max(rows.upperBound, firstRaw, rows.lowerBound) {
      Self.take(row(r)[c], r, &all, buffers)
    }
    var summary = WindowSummary(all)
    summary.joinsCorrections = joinsCorrections
    if all.count > 0 {
      summary.firstTimestamp = time(all.firstIndex)
      summary.lastTimestamp = time(all.lastIndex)
    }
    return summary
  }

  @inline(__always)
  private static func take(
    _ cell: Double, _ row: Int, _ all: inout SealSummary, _ buffers: WindowBuffers
  ) {
    if Cell.isSpecial(cell.bitPattern) { return }
    if all.count > 0 && cell < all.last { buffers.corrections.append(all.last) }
    all.add(cell, at: row)
  }
}

/// What a reader of a `WindowSummary` wants to the last bit, beside counts and extremes.
package struct SummaryNeeds: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Sum and compensation.
  package static let sum = SummaryNeeds(rawValue: 1)
  /// The values before each reset, one by one.
  package static let correction = SummaryNeeds(rawValue: 2)
}

/// Where a seal's runs are, without the object around them.
struct SealView: BitwiseCopyable {
  let firstRow: Int
  let rowCount: Int
  let columnCount: Int
  let offsets: UnsafePointer<UInt32>
  let bytes: UnsafePointer<UInt8>

  /// The run of a column, or nil if it has nothing here.
  @inline(__always)
  func run(_ column: Int) -> UnsafeRawPointer? {
    guard column < columnCount, offsets[column] != 0 else { return nil }
    return UnsafeRawPointer(bytes + Int(offsets[column]))
  }
}

extension WindowBuffers {
  /// Lays the seals of a block that hold some of the rows ready.
  func look(at block: Block, _ rows: Range<Int>) {
    seals.removeAll(keepingCapacity: true)
    guard rows.lowerBound < block.firstRaw, !rows.isEmpty else { return }
    var next = block.sealIndex(rows.lowerBound)
    while next < block.seals.count, block.seals[next].firstRow < rows.upperBound {
      seals.append(block.seals[next].view)
      next += 1
    }
  }
}

extension SealSummary {
  /// Whether adding these whole numbers to what came before loses nothing.
  func isExact(behind all: SealSummary) -> Bool {
    let most = Swift.max(min.magnitude, max.magnitude) * Double(count) + all.sum.magnitude
    return most <= 9_007_199_254_740_992 && all.sum == all.sum.rounded(.towardZero)
  }

  /// Takes in the summary of a seal that begins at a row.
  mutating func add(_ next: SealSummary, startingAt row: Int) {
    var placed = next
    placed.firstIndex += row
    placed.lastIndex += row
    add(placed)
  }
}
