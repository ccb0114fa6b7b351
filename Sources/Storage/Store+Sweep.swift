import Model

extension Store {
  /// Seals rows, forgets what no window reaches, and reclaims columns, series and sources that have
  /// ended.
  package func sweep(now: Timestamp) {
    let now = now.milliseconds
    lastSweep = now
    retireMembers(now)
    for index in blocks.indices {
      guard let block = blocks[index] else { continue }
      sweepBlock(block, Int32(index), now)
    }
    removeEndedSeries(now)
    for index in blocks.indices {
      guard let block = blocks[index] else { continue }
      block.rewriteSeals(scratch: sealScratch)
      block.shrinkRing()
      block.joinSeals(limit: joinedRows, scratch: sealScratch)
      if block.columnCount == 0 {
        if !block.isOpen {
          freeBlock(index)
          continue
        }
        if !block.hasOpenRow { block.forgetRows(through: now) }
      }
      if !block.hasOpenRow, block.width >= 16, block.freeColumns.count * 2 > block.width {
        compact(block, Int32(index))
      }
    }
    settle()
  }

  /// Takes members out of selectors whose windows no longer reach their newest sample.
  private func retireMembers(_ now: Int64) {
    for case let selector? in selectors {
      guard let number = selector.number else { continue }
      let horizon = now &- selector.window &- settings.slack.milliseconds
      let members = selector.series
      var leaving: Set<Int> = []
      for (i, member) in members.enumerated() {
        if let newest = newestTime(member.index), newest > horizon { continue }
        leaving.insert(i)
      }
      if leaving.isEmpty { continue }
      _ = selector.retire { leaving.contains($0) }
      for i in leaving.sorted() {
        let slot = members[i].index
        table.records[Int(slot)].joined = demand.moving(
          table.records[Int(slot)].joined, number, isAdding: false, window: window)
        noteGap(slot)
      }
      markDirty(number: number)
    }
  }

  /// Makes the next sample of a series one after a gap, so that it joins its selectors again.
  private func noteGap(_ slot: UInt32) {
    for place in table.columns(slot) {
      let block = block(at: place.block)
      let c = Int(place.column)
      if block.since[c] < Block.gap {
        block.setState(c, since: Block.gap, last: Int32(block.endRow - 1))
      }
    }
  }

  private func sweepBlock(_ block: Block, _ index: Int32, _ now: Int64) {
    block.forgetRows(through: blockHorizon(block, now: now))
    for c in 0..<block.width where block.owners[c] != Block.nobody {
      let slot = block.owners[c].index
      let horizon = horizon(slot, now: now)
      if block.hasOpenRow && horizon != .max { continue }
      if let row = block.newestRow(c), block.time(row) > horizon {
        if let seal = block.seals.first, block.time(seal.endRow - 1) <= horizon {
          block.forgetSealed(c, through: horizon)
        }
        continue
      }
      let others = table.columns(slot).filter {
        $0 != Place(block: index, column: Int32(c))
      }
      block.removeColumn(c)
      setPlaces(slot, others)
      layout &+= 1
      retentionVersion &+= 1
    }
    while block.rawCount > rawRows - rawRows / 4 && block.rawCount > sealRows {
      seal(block, now: now)
    }
  }

  private func compact(_ block: Block, _ index: Int32) {
    let places = block.compact(scratch: sealScratch)
    var shared: Set<Int32> = []
    for (c, old) in places.enumerated() {
      let slot = block.owners[c].index
      let moved = table.columns(slot).map {
        $0 == Place(block: index, column: old) ? Place(block: index, column: Int32(c)) : $0
      }
      table.setColumns(slot, moved)
      if table.records[Int(slot)].block == SeriesRecord.several { shared.insert(Int32(c)) }
      markDirty(slot)
    }
    block.shared = shared
    layout &+= 1
  }

  /// Removes series without columns whose side store is empty; their places become free.
  private func removeEndedSeries(_ now: Int64) {
    var removed: [UInt32] = []
    var touched: Set<Int32> = []
    for slot in 0..<UInt32(table.count) where table.records[Int(slot)].isUsed {
      let record = table.records[Int(slot)]
      if record.side >= 0, let side = sides[Int(record.side)] {
        side.forget(through: horizon(slot, now: now))
        if side.isEmpty { freeSide(slot) } else { continue }
      }
      guard table.columns(slot).isEmpty else { continue }
      leaveAll(slot)
      touched.insert(record.name)
      table.remove(slot)
      layout &+= 1
      removed.append(slot)
    }
    for name in touched.sorted() {
      names.filterSeries(of: name) { table.records[Int($0)].isUsed }
    }
    for slot in removed { table.release(slot) }
    if !removed.isEmpty { table.tidy() }
  }

  /// Takes a series that is removed out of all selectors.
  private func leaveAll(_ slot: UInt32) {
    let record = table.records[Int(slot)]
    let id = table.id(slot)
    for number in demand.selectors(record.joined) {
      guard let selector = selectors[Int(number)] else { continue }
      _ = selector.retire { selector.series[$0] == id }
      markDirty(number: number)
    }
    demand.release(record.joined)
    demand.release(record.accepted)
    table.records[Int(slot)].joined = DemandSets.empty
    table.records[Int(slot)].accepted = DemandSets.empty
  }

  /// Sizes; costs a walk over sources and side stores.
  package var statistics: StoreStatistics {
    var s = StoreStatistics()
    s.series = table.liveCount
    s.appended = appended
    s.selectors = selectorsByMatchers.count
    s.bytes = table.byteCount
    for case let block? in blocks {
      s.sources += 1
      s.columns += block.columnCount
      s.rows += block.rowCount
      s.samples += block.rawSamples
      s.bytes += block.byteCount
      for seal in block.seals {
        s.samples += seal.samples
        s.sealedSamples += seal.samples
        s.sealedBytes += seal.heldBytes
      }
    }
    for case let side? in sides {
      s.samples += side.count
      s.bytes += side.byteCount
    }
    for case let selector? in selectors { s.bytes += selector.series.count * 8 }
    return s
  }
}
