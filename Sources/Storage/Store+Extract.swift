import Model

extension Store {
  /// What an extract copies of one series: samples in (after, through].
  private struct Want {
    var slot: UInt32
    var after: Int64
    var through: Int64
  }

  /// A copy of just the samples that a query wants; it can be read while this store is written.
  ///
  /// Each want asks for the samples in [from, through]; a series named by several gets all from the
  /// earliest to the latest.
  package func extract(
    _ wants: [(matchers: [Matcher], from: Timestamp, through: Timestamp)], maxSamples: Int
  ) throws(ExtractProblem) -> Store {
    var settings = StoreSettings(keep: .all, retention: .days(36_500))
    settings.sealRows = sealRows
    settings.rawRows = rawRows
    let copy = Store(settings)
    var budget = maxSamples
    let columns = copySeries(merged(wants), into: copy)
    for (index, wanted) in columns.sorted(by: { $0.key < $1.key }) {
      let ok = copyBlock(block(at: index), wanted, into: copy, budget: &budget)
      if !ok { throw .tooManySamples(limit: maxSamples) }
    }
    for case let side? in copy.sides { budget -= side.count }
    if budget < 0 { throw .tooManySamples(limit: maxSamples) }
    return copy
  }

  /// The wanted series in order of first mention, with the hull of their intervals.
  private func merged(
    _ wants: [(matchers: [Matcher], from: Timestamp, through: Timestamp)]
  ) -> [Want] {
    var list: [Want] = []
    var places: [UInt32: Int] = [:]
    for want in wants {
      let selector = Selector(matchers: want.matchers, labels: table.labels)
      let after = want.from.milliseconds &- 1
      let through = want.through.milliseconds
      for slot in candidates(selector) where selector.acceptsRest(table.labels(slot)) {
        if let i = places[slot] {
          list[i].after = min(list[i].after, after)
          list[i].through = max(list[i].through, through)
        } else {
          places[slot] = list.count
          list.append(Want(slot: slot, after: after, through: through))
        }
      }
    }
    return list
  }

  /// Makes the series in the copy, with their side samples; returns the columns to copy by block.
  private func copySeries(
    _ wants: [Want], into copy: Store
  ) -> [Int32: [(column: Int, series: SeriesID, want: Want)]] {
    var columns: [Int32: [(column: Int, series: SeriesID, want: Want)]] = [:]
    for want in wants {
      guard let id = copy.series(for: table.labels(want.slot)) else { continue }
      for place in table.columns(want.slot) {
        columns[place.block, default: []].append((Int(place.column), id, want))
      }
      let index = table.records[Int(want.slot)].side
      guard index >= 0, let side = sides[Int(index)] else { continue }
      let target = copy.side(for: id.index)
      for i in side.firstFloat(above: want.after)..<side.times.count
      where side.times[i] <= want.through {
        let start = side.starts.isEmpty ? SideSeries.noStart : side.starts[i]
        target.append(
          side.times[i], .float(side.values[i]), start: start == SideSeries.noStart ? nil : start)
      }
      for h in side.histograms[side.firstHistogram(above: want.after)...]
      where h.timestamp <= want.through {
        target.adopt(h)
      }
    }
    return columns
  }

  /// Copies columns of one block as raw rows; false if the budget does not suffice.
  private func copyBlock(
    _ from: Block, _ wanted: [(column: Int, series: SeriesID, want: Want)], into copy: Store,
    budget: inout Int
  ) -> Bool {
    let after = wanted.reduce(Int64.max) { min($0, $1.want.after) }
    let through = wanted.reduce(Int64.min) { max($0, $1.want.through) }
    let rows = from.rows(after: after, through: through)
    if rows.isEmpty { return true }
    let source = copy.openSource(from.name)
    let to = copy.block(source)
    var capacity = to.capacity
    while capacity < rows.count { capacity *= 2 }
    to.reshape(stride: (wanted.count + 7) & ~7, capacity: capacity)
    to.blankRows(rows.count)
    let room = UnsafeMutablePointer<Double>.allocate(capacity: rows.count)
    defer { room.deallocate() }
    let scratch = SealScratch(capacity: joinedRows)
    for (column, series, want) in wanted {
      let c = to.addColumn(series)
      copy.setPlaces(
        series.index,
        copy.table.columns(series.index) + [Place(block: Int32(source.index), column: Int32(c))])
      let part = from.rows(after: want.after, through: want.through)
      from.copyCells(column, rows: part, scratch: scratch, into: room)
      for i in 0..<part.count where room[i].bitPattern != Cell.absent {
        budget -= 1
        to.row(part.lowerBound - rows.lowerBound + i)[c] = room[i]
      }
      if budget < 0 { return false }
    }
    to.adopt(times: from.times(from: rows.lowerBound), rows.count)
    copy.settle()
    return true
  }
}

extension Block {
  /// Empties the first rows of a fresh block.
  func blankRows(_ n: Int) {
    for i in 0..<n { row(i).update(repeating: SpecialValue.absent, count: stride) }
  }

  /// Makes `n` rows visible whose cells have been written already; the block must be fresh.
  func adopt(times: UnsafePointer<Int64>, _ n: Int) {
    precondition(endRow == 0 && n <= capacity, "rows are adopted by a fresh block with room")
    for i in 0..<n {
      var samples = 0
      for c in 0..<width where row(i)[c].bitPattern != Cell.absent { samples += 1 }
      appendRow(at: times[i], samples: samples)
    }
    for c in 0..<width { recomputeState(c) }
  }

  /// Works a column's state out from its raw cells.
  private func recomputeState(_ c: Int) {
    var r = endRow - 1
    while r >= firstRaw, row(r)[c].bitPattern == Cell.absent { r -= 1 }
    if r < firstRaw || row(r)[c].bitPattern == Cell.stale {
      setState(c, since: Self.ended, last: Int32(max(r, -1)))
    } else if r < endRow - 1 {
      setState(c, since: Self.gap, last: Int32(r))
    } else {
      while r > firstRaw, !Cell.isSpecial(row(r - 1)[c].bitPattern) { r -= 1 }
      setState(c, since: Int32(r), last: Int32(endRow - 1))
    }
  }
}
