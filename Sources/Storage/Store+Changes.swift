import Model

extension Store {
  /// What was added since the last call; the first call yields everything.
  ///
  /// - Parameter listsObsolete: whether to say also what is no longer needed, which costs a walk
  ///   over sources and series.
  package func takeChanges(listsObsolete: Bool = false) -> StoreChanges {
    var changes = StoreChanges()
    changes.startsOver = marks.startsOver
    marks.startsOver = false
    for case let block? in blocks { takeRows(block, &changes) }
    takeSides(&changes)
    if listsObsolete { changes.obsolete = takeObsolete() }
    return changes
  }

  /// Lets the next changes be everything there is, because what was stored is lost.
  package func forgetChanges() {
    let parked = marks.parked
    let next = (marks.nextSource, marks.nextSide)
    marks = StoreMarks()
    marks.parked = parked
    (marks.nextSource, marks.nextSide) = next
    for case let block? in blocks { block.mark = SourceMark() }
    for case let side? in sides { side.markID = 0 }
  }

  private func takeRows(_ block: Block, _ changes: inout StoreChanges) {
    let from = max(block.mark.row, block.firstRow)
    let end = block.endRow
    if from >= end { return }
    if block.mark.id == 0 {
      block.mark.id = marks.nextSource
      marks.nextSource += 1
      marks.sources.insert(block.mark.id)
      changes.sources.append(StoreChanges.Source(id: block.mark.id, name: block.name))
    }
    let id = block.mark.id
    takeColumns(block, since: block.time(from), &changes)
    if from < block.firstRaw { takeSealed(block, from..<min(end, block.firstRaw), &changes) }
    for r in max(from, block.firstRaw)..<max(end, block.firstRaw) where r < end {
      changes.rows.append(
        StoreChanges.Row(
          source: id, time: block.time(r), cells: RowCode.encode(block.row(r), block.width)))
    }
    block.mark.row = end
  }

  /// The columns that hold other series than stored.
  private func takeColumns(_ block: Block, since: Int64, _ changes: inout StoreChanges) {
    let known = block.mark.owners.count
    if known < block.width {
      block.mark.owners += [SeriesID](repeating: Block.nobody, count: block.width - known)
    } else if known > block.width {
      block.mark.owners.removeLast(known - block.width)
    }
    for c in 0..<block.width where block.mark.owners[c] != block.owners[c] {
      block.mark.owners[c] = block.owners[c]
      if block.owners[c] == Block.nobody { continue }
      let slot = block.owners[c].index
      changes.columns.append(
        StoreChanges.Column(
          source: block.mark.id, column: c, since: since, labels: table.labels(slot),
          isAlways: table.records[Int(slot)].isAlways))
    }
  }

  /// Rows that are no longer raw: only when everything is stored anew.
  private func takeSealed(_ block: Block, _ rows: Range<Int>, _ changes: inout StoreChanges) {
    let step = 64
    // One row, then a tile of so many rows, column by column.
    let room = max(1, block.width * (step + 1))
    withUnsafeTemporaryAllocation(of: Double.self, capacity: room) { buffer in
      guard let row = buffer.baseAddress else { return }
      let columns = row + block.width
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
        let part = start..<min(start + step, rows.upperBound)
        sealedTile(block, part, into: columns)
        for r in part {
          for c in 0..<block.width { row[c] = columns[c * part.count + (r - start)] }
          changes.rows.append(
            StoreChanges.Row(
              source: block.mark.id, time: block.time(r), cells: RowCode.encode(row, block.width)))
        }
      }
    }
  }

  private func sealedTile(
    _ block: Block, _ rows: Range<Int>, into out: UnsafeMutablePointer<Double>
  ) {
    for c in 0..<block.width {
      block.copyCells(c, rows: rows, scratch: sealScratch, into: out + c * rows.count)
    }
  }

  private func takeSides(_ changes: inout StoreChanges) {
    if sides.isEmpty { return }
    var writer = SnapshotWriter()
    var newest = Int64.min
    for slot in 0..<UInt32(table.count) {
      let record = table.records[Int(slot)]
      guard record.isUsed, record.side >= 0, let side = sides[Int(record.side)],
        let last = side.newest, side.markID == 0 || last > side.markTime
      else { continue }
      if side.markID == 0 {
        side.markID = marks.nextSide
        side.markTime = .min
        marks.nextSide += 1
        marks.sides.insert(side.markID)
        changes.sideSeries.append(
          StoreChanges.SideSeries(
            id: side.markID, labels: table.labels(slot), isAlways: record.isAlways))
      }
      SideCode.append(side.samples(after: side.markTime), of: side.markID, to: &writer)
      side.markTime = last
      newest = max(newest, last)
    }
    if newest == .min { return }
    changes.sideRuns.append(StoreChanges.SideRun(newest: newest, samples: writer.bytes))
  }

  private func takeObsolete() -> StoreChanges.Obsolete {
    var obsolete = StoreChanges.Obsolete()
    var sources: Set<Int64> = []
    for case let block? in blocks where block.mark.id != 0 {
      sources.insert(block.mark.id)
      obsolete.rows[block.mark.id] =
        block.firstRow < block.endRow ? block.time(block.firstRow) : .max
    }
    var sides: Set<Int64> = []
    var oldest = Int64.max
    for case let side? in self.sides where side.markID != 0 {
      sides.insert(side.markID)
      oldest = min(oldest, side.oldest ?? .max)
    }
    obsolete.sources = marks.sources.subtracting(sources).sorted()
    obsolete.sideSeries = marks.sides.subtracting(sides).sorted()
    obsolete.sideRuns = oldest
    marks.sources = sources
    marks.sides = sides
    return obsolete
  }
}

extension SideSeries {
  /// The time of the oldest sample.
  var oldest: Int64? {
    [times.first, histograms.first?.timestamp].compactMap { $0 }.min()
  }

  /// The samples after a time, by time.
  func samples(after time: Int64) -> [SideSample] {
    var samples: [SideSample] = []
    for i in firstFloat(above: time)..<times.count {
      let start = starts.isEmpty || starts[i] == Self.noStart ? nil : starts[i]
      samples.append(SideSample(time: times[i], value: .float(values[i]), start: start))
    }
    let floats = samples.count
    for sample in histograms[firstHistogram(above: time)...] {
      samples.append(
        SideSample(
          time: sample.timestamp, value: .histogram(sample.value), start: sample.startTimestamp))
    }
    if floats > 0 && floats < samples.count { samples.sort { $0.time < $1.time } }
    return samples
  }
}
