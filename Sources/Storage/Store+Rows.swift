import Model

/// A row that is being written; `Store.commit` makes it visible, `Store.abandon` forgets it.
package struct RowWriter {
  /// A sample that a cell cannot hold.
  struct Extra {
    var column: Column
    var value: SampleValue
    var start: Int64?
  }

  /// The source of the row.
  package let source: SourceID
  /// The time of all samples of the row.
  package let timestamp: Timestamp
  package let target: UnsafeMutablePointer<RowTarget>
  var extras: [Extra] = []

  init(source: SourceID, timestamp: Timestamp, target: UnsafeMutablePointer<RowTarget>) {
    self.source = source
    self.timestamp = timestamp
    self.target = target
  }

  /// Puts a float or a stale marker into the row; false if the column is no longer that of its
  /// series (ask `Store.column(for:in:always:)` again).
  @inlinable
  @discardableResult
  package mutating func set(_ column: Column, _ value: Double) -> Bool {
    let c = Int(column.index)
    guard owns(c, column.series) else { return false }
    target.pointee.cells[c] = value
    return true
  }

  /// Puts a float or a histogram, with the time when counting began, into the row.
  @discardableResult
  package mutating func set(
    _ column: Column, _ value: SampleValue, startTimestamp: Timestamp? = nil
  ) -> Bool {
    if case .float(let v) = value, startTimestamp == nil { return set(column, v) }
    guard set(column, Double(bitPattern: Cell.elsewhere)) else { return false }
    extras.removeAll { $0.column == column }
    extras.append(Extra(column: column, value: value, start: startTimestamp?.milliseconds))
    return true
  }

  @inlinable
  @inline(__always)
  package func owns(_ c: Int, _ series: SeriesID) -> Bool {
    guard c < target.pointee.width else { return false }
    let owner = target.pointee.owners[c]
    return owner.index == series.index && owner.generation == series.generation
  }

  /// Whether the row has a sample for the column.
  @inlinable
  package func isSet(_ column: Column) -> Bool {
    let c = Int(column.index)
    guard owns(c, column.series) else { return false }
    return !SpecialValue.isAbsent(target.pointee.cells[c])
  }
}

extension Store {
  /// Begins a row; the times of a source's rows must ascend.
  package func beginRow(
    _ source: SourceID, at time: Timestamp
  ) throws(AppendProblem) -> RowWriter {
    let block = block(source)
    if let newest = block.newest, time.milliseconds <= newest { throw .outOfOrder }
    makeRoom(block, now: time.milliseconds)
    block.openRow()
    return RowWriter(source: source, timestamp: time, target: block.target)
  }

  /// Forgets a row that was begun.
  package func abandon(_ row: RowWriter) {
    block(row.source).closeRow(at: nil, samples: 0)
    settle()
  }

  /// Makes a row visible as a whole.
  ///
  /// With `markMissingStale` every column whose newest cell is a sample and that was not set gets
  /// the stale marker.
  @discardableResult
  package func commit(_ row: RowWriter, markMissingStale: Bool) -> RowSummary {
    let block = block(row.source)
    let time = row.timestamp.milliseconds
    var summary = RowSummary()
    // Columns that must not get a marker in this row, with their state before it.
    var unmarked: [(column: Int, since: Int32, last: Int32)] = []
    for extra in row.extras {
      let c = Int(extra.column.index)
      // The column may have been set again, with a float, or reclaimed.
      guard block.owners[c] == extra.column.series,
        block.target.pointee.cells[c].bitPattern == Cell.elsewhere
      else { continue }
      if !appendExtra(extra, time, &summary) {
        unmarked.append((c, block.since[c], block.last[c]))
        block.target.pointee.cells[c] = SpecialValue.absent
      }
    }
    if !block.shared.isEmpty {
      checkShared(block, time, markMissingStale, &summary, &unmarked)
    }
    let revived = block.scanOpenRow(markMissingStale: markMissingStale, &summary)
    for (c, since, last) in unmarked {
      let cell = block.target.pointee.cells + c
      guard cell.pointee.bitPattern == Cell.stale else { continue }
      cell.pointee = SpecialValue.absent
      summary.staleMarkers -= 1
      if since < Block.gap {
        block.setState(c, since: Block.gap, last: Int32(block.endRow - 1))
      } else {
        block.setState(c, since: since, last: last)
      }
    }
    block.closeRow(at: time, samples: summary.samples + summary.staleMarkers)
    appended &+= UInt64(summary.samples)
    appends.note(time)
    for c in revived { rejoin(block.owners[c].index) }
    settle()
    return summary
  }

  /// Takes a row's histogram into the side store; false if the series has a newer sample, or one at
  /// this time.
  private func appendExtra(
    _ extra: RowWriter.Extra, _ time: Int64, _ summary: inout RowSummary
  ) -> Bool {
    let slot = extra.column.series.index
    if let newest = newestTime(slot), time <= newest {
      if time < newest {
        summary.outOfOrder += 1
      } else if !isSame(slot, extra.value, at: time) {
        summary.duplicates += 1
      }
      return false
    }
    side(for: slot).append(time, extra.value, start: extra.start)
    return true
  }

  /// Refuses cells of series that have a newer sample, or another value, in another place.
  private func checkShared(
    _ block: Block, _ time: Int64, _ marks: Bool, _ summary: inout RowSummary,
    _ unmarked: inout [(column: Int, since: Int32, last: Int32)]
  ) {
    for shared in block.shared {
      let c = Int(shared)
      let cell = block.target.pointee.cells + c
      let bits = cell.pointee.bitPattern
      if bits == Cell.elsewhere || (bits == Cell.absent && !marks) { continue }
      let slot = block.owners[c].index
      guard let newest = newestTime(slot), time <= newest else { continue }
      unmarked.append((c, block.since[c], block.last[c]))
      if bits == Cell.absent { continue }
      if time < newest {
        summary.outOfOrder += bits == Cell.stale ? 0 : 1
      } else if !holds(slot, bits, at: time) {
        summary.duplicates += bits == Cell.stale ? 0 : 1
      }
      cell.pointee = SpecialValue.absent
    }
  }

  /// The time of a series' newest sample or stale marker, in all its places.
  func newestTime(_ slot: UInt32) -> Int64? {
    var newest: Int64?
    let record = table.records[Int(slot)]
    if record.block >= 0 {
      let block = block(at: record.block)
      return block.newestRow(Int(record.column)).map { block.time($0) }
    }
    if record.side >= 0, let side = sides[Int(record.side)] { newest = side.newest }
    if let only = SeriesTable.only(record) {
      let block = block(at: only.block)
      guard let row = block.newestRow(Int(only.column)) else { return newest }
      return max(newest ?? .min, block.time(row))
    }
    if record.block == SeriesRecord.several {
      for place in table.columns(slot) {
        let block = block(at: place.block)
        guard let row = block.newestRow(Int(place.column)) else { continue }
        newest = max(newest ?? .min, block.time(row))
      }
    }
    return newest
  }

  /// Whether some place of a series has just this float at its newest time.
  func holds(_ slot: UInt32, _ bits: UInt64, at time: Int64) -> Bool {
    let record = table.records[Int(slot)]
    if record.side >= 0, let side = sides[Int(record.side)], side.newest == time,
      side.endsWith(.float(Double(bitPattern: bits)))
    {
      return true
    }
    for place in table.columns(slot) {
      let block = block(at: place.block)
      guard let row = block.newestRow(Int(place.column)), block.time(row) == time else { continue }
      if block.newestCell(Int(place.column), rows: row..<(row + 1))?.bits == bits { return true }
    }
    return false
  }

  /// Makes room for one more raw row.
  private func makeRoom(_ block: Block, now: Int64) {
    guard block.isFull else { return }
    block.forgetRows(through: blockHorizon(block, now: now))
    if block.rawCount * 4 <= block.capacity * 3 { return }
    if block.capacity < rawRows {
      block.reshape(capacity: block.capacity * 2)
    } else if block.isFull {
      seal(block, now: now)
    }
  }

  /// Rows of the block at or before this time are reached by no window.
  func blockHorizon(_ block: Block, now: Int64) -> Int64 {
    if block.retentionVersion != retentionVersion {
      block.retentionVersion = retentionVersion
      block.retention = -1
      for c in 0..<block.width where block.owners[c] != Block.nobody {
        block.retention = max(block.retention, retention(block.owners[c].index))
      }
    }
    return block.retention < 0 ? now : now &- block.retention &- settings.slack.milliseconds
  }

  /// Seals the oldest rows of a block.
  func seal(_ block: Block, now: Int64) {
    let n = min(sealRows, block.rawCount)
    let last = block.time(block.firstRaw + n - 1)
    block.seal(n, scratch: sealScratch) { horizon(block.owners[$0].index, now: now) < last }
  }

  // MARK: Samples with their own times

  /// Appends one sample; false if nobody wants the series.
  ///
  /// The same value at the same time again is fine.
  @discardableResult
  package func append(
    _ labels: LabelSet, at time: Timestamp, _ value: SampleValue, startTimestamp: Timestamp? = nil,
    always: Bool = false
  ) throws(AppendProblem) -> Bool {
    guard let series = series(for: labels, always: always) else { return false }
    return try append(to: series, at: time, value, startTimestamp: startTimestamp)
  }

  /// Appends one sample to a series; false if the series is gone (ask `series(for:always:)` again).
  @discardableResult
  package func append(
    to series: SeriesID, at time: Timestamp, _ value: SampleValue,
    startTimestamp: Timestamp? = nil
  ) throws(AppendProblem) -> Bool {
    guard table.isLive(series) else { return false }
    let slot = series.index
    let t = time.milliseconds
    if let lastSweep, t <= horizon(slot, now: lastSweep) { throw .tooOld }
    if let newest = newestTime(slot), t <= newest {
      if t < newest { throw .outOfOrder }
      if isSame(slot, value, at: t) { return true }
      throw .duplicate
    }
    side(for: slot).append(t, value, start: startTimestamp?.milliseconds)
    appends.note(t)
    if case .float(let v) = value, SpecialValue.isStale(v) {} else { appended &+= 1 }
    rejoin(slot)
    settle()
    return true
  }

  private func isSame(_ slot: UInt32, _ value: SampleValue, at time: Int64) -> Bool {
    if case .float(let v) = value { return holds(slot, v.bitPattern, at: time) }
    let index = table.records[Int(slot)].side
    guard index >= 0, let side = sides[Int(index)] else { return false }
    return side.newest == time && side.endsWith(value)
  }
}
