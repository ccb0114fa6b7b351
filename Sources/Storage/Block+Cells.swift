import Model

extension Block {
  /// Brings the columns' states up to the open row, which is about to become visible, and writes
  /// its stale markers.
  ///
  /// - Returns: the columns that show a sample again after a gap, or for the first time.
  func scanOpenRow(markMissingStale: Bool, _ summary: inout RowSummary) -> [Int] {
    var revived: [Int] = []
    let cells = target.pointee.cells
    let since = since
    let width = width
    var samples = 0
    var c = 0
    while c + 8 <= width {
      // Eight columns at a time while nothing changes: zero times a number is zero, and `gap` and
      // `ended` have a bit that no row number has.
      let values = UnsafeRawPointer(cells + c).loadUnaligned(as: SIMD8<Double>.self)
      let states = UnsafeRawPointer(since + c).loadUnaligned(as: SIMD4<UInt64>.self)
      let zeros = values * 0
      let zero = (zeros.lowHalf + zeros.highHalf).sum()
      let state = states.x | states.y | states.z | states.w
      if zero == 0 && state & 0x4000_0000_4000_0000 == 0 {
        samples += 8
      } else {
        for i in c..<(c + 8) { samples += scanCell(i, cells, markMissingStale, &summary, &revived) }
      }
      c += 8
    }
    while c < width {
      samples += scanCell(c, cells, markMissingStale, &summary, &revived)
      c += 1
    }
    summary.samples += samples
    return revived
  }

  /// One column of `scanOpenRow`; returns the number of samples.
  @inline(__always)
  private func scanCell(
    _ c: Int, _ cells: UnsafeMutablePointer<Double>, _ marks: Bool, _ summary: inout RowSummary,
    _ revived: inout [Int]
  ) -> Int {
    let row = Int32(truncatingIfNeeded: endRow)
    switch cells[c].bitPattern {
    case Cell.absent:
      if since[c] == Self.ended { return 0 }
      if marks {
        cells[c] = SpecialValue.stale
        summary.staleMarkers += 1
        setState(c, since: Self.ended, last: row)
      } else if since[c] != Self.gap {
        setState(c, since: Self.gap, last: row - 1)
      }
      return 0
    case Cell.stale:
      summary.staleMarkers += 1
      setState(c, since: Self.ended, last: row)
      return 0
    case Cell.elsewhere:
      revived.append(c)
      setState(c, since: Self.gap, last: row)
      return 1
    default:
      if since[c] >= Self.gap {
        revived.append(c)
        setState(c, since: row, last: row)
      }
      return 1
    }
  }

  /// The newest cell with a float or a stale marker within the rows.
  func newestCell(_ c: Int, rows: Range<Int>) -> (row: Int, bits: UInt64)? {
    var r = rows.upperBound - 1
    if since[c] >= Self.gap { r = min(r, Int(last[c])) }
    while r >= max(rows.lowerBound, firstRaw) {
      let bits = row(r)[c].bitPattern
      if bits != Cell.absent && bits != Cell.elsewhere { return (r, bits) }
      r -= 1
    }
    while r >= rows.lowerBound {
      let seal = seals[sealIndex(r)]
      if let run = seal.run(c) {
        let found = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: seal.rowCount * 2) {
          room -> (row: Int, bits: UInt64)? in
          guard let packed = room.baseAddress else { return nil }
          let bits = packed + seal.rowCount
          let low = max(rows.lowerBound, seal.firstRow)
          bits.withMemoryRebound(to: Double.self, capacity: seal.rowCount) {
            SealedRun.decode(run, seal.rowCount, packed: packed, into: $0)
          }
          for i in Swift.stride(from: r, through: low, by: -1)
          where bits[i - seal.firstRow] != Cell.absent {
            return (i, bits[i - seal.firstRow])
          }
          return nil
        }
        if let found { return found }
      }
      r = seal.firstRow - 1
    }
    return nil
  }

  /// Copies a column's cells of the rows, absent and stale ones included.
  func copyCells(
    _ c: Int, rows: Range<Int>, scratch: SealScratch, into out: UnsafeMutablePointer<Double>
  ) {
    var r = rows.lowerBound
    var next = sealIndex(r)
    while r < min(rows.upperBound, firstRaw) {
      let seal = seals[next]
      next += 1
      let end = min(seal.endRow, rows.upperBound)
      let to = out + (r - rows.lowerBound)
      if let run = seal.run(c) {
        SealedRun.decode(run, seal.rowCount, packed: scratch.packed, into: scratch.values)
        to.update(from: scratch.values + (r - seal.firstRow), count: end - r)
      } else {
        to.update(repeating: SpecialValue.absent, count: end - r)
      }
      r = end
    }
    while r < rows.upperBound {
      let cell = row(r)[c]
      out[r - rows.lowerBound] =
        cell.bitPattern == Cell.elsewhere ? SpecialValue.absent : cell
      r += 1
    }
  }
}
