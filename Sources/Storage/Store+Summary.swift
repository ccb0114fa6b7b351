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
    var all = SealSummary()
    var r = rows.lowerBound
    var next = sealIndex(r)
    while r < min(rows.upperBound, firstRaw) {
      let seal = seals[next]
      next += 1
      let end = min(seal.endRow, rows.upperBound)
      defer { r = end }
      guard let run = seal.run(c) else { continue }
      if end - r == seal.rowCount {
        var part = SealedRun.summary(run, seal.rowCount)
        part.firstIndex += seal.firstRow
        part.lastIndex += seal.firstRow
        all.add(part)
        continue
      }
      buffers.reserveSeal(seal.rowCount)
      let cells = buffers.seal.values
      SealedRun.decode(run, seal.rowCount, packed: buffers.seal.packed, into: cells)
      for i in r..<end where !Cell.isSpecial(cells[i - seal.firstRow].bitPattern) {
        all.add(cells[i - seal.firstRow], at: i)
      }
    }
    while r < rows.upperBound {
      let cell = row(r)[c]
      if !Cell.isSpecial(cell.bitPattern) { all.add(cell, at: r) }
      r += 1
    }
    var summary = WindowSummary(all)
    if all.count > 0 {
      summary.firstTimestamp = time(all.firstIndex)
      summary.lastTimestamp = time(all.lastIndex)
    }
    return summary
  }
}
