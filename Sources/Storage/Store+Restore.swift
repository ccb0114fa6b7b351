import Model

extension Store {
  /// A source that comes back: where its rows go, and which cells belong to which column.
  private struct Returning {
    let block: Block
    var columns: ArraySlice<StoreChanges.Column>
    /// Per stored column the block's, or −1 for a series that nobody wants any more.
    var places: [Int32] = []
  }

  /// Puts stored samples back, those that a window still reaches; for a store that has its
  /// selectors and no samples yet.
  ///
  /// A source that is open under its stored name gets its own rows. The others stay readable until
  /// no window reaches them, and go on where a source of that name is opened.
  ///
  /// What lies ahead of `now` is dropped: it would keep new samples out. Then everything is stored
  /// anew, lest it comes back between samples of the same time.
  ///
  /// - Parameter areStored: whether the samples stay stored under the same numbers. If not, the
  ///   next changes are everything.
  package func restore(
    _ stored: StoreChanges, now: Timestamp, areStored: Bool
  ) -> RestoreSummary {
    var summary = RestoreSummary()
    let horizon = now.milliseconds &- longestRetention &- settings.slack.milliseconds
    let reach = (horizon &+ 1)...max(horizon &+ 1, now.milliseconds)
    let areStored = areStored && !stored.reaches(beyond: reach.upperBound)
    restoreRows(stored, within: reach, areStored: areStored, &summary)
    restoreSides(stored, within: reach, areStored: areStored, &summary)
    for case let block? in blocks where block.mark.id != 0 { block.mark.row = block.endRow }
    summary.series = table.liveCount
    marks.startsOver = !areStored
    appends.note(.min / 2)
    if areStored {
      marks.nextSource = max(marks.nextSource, (stored.sources.map(\.id).max() ?? 0) + 1)
      marks.nextSide = max(marks.nextSide, (stored.sideSeries.map(\.id).max() ?? 0) + 1)
      marks.sources.formUnion(stored.sources.map(\.id))
      marks.sides.formUnion(stored.sideSeries.map(\.id))
    }
    settle()
    return summary
  }

  private var longestRetention: Int64 {
    selectors.reduce(settings.retention.milliseconds) { max($0, $1?.window ?? 0) }
  }

  private func restoreRows(
    _ stored: StoreChanges, within reach: ClosedRange<Int64>, areStored: Bool,
    _ summary: inout RestoreSummary
  ) {
    var sources = returning(stored, within: reach, areStored: areStored)
    // In the order in which they were written: of a series that moved from one source to another
    // the newer sample comes later.
    let rows = stored.rows.filter { reach.contains($0.time) }.sorted {
      ($0.time, $0.source) < ($1.time, $1.source)
    }
    for row in rows {
      guard var source = sources[row.source] else { continue }
      sources[row.source] = nil
      restore(row, of: &source, &summary)
      sources[row.source] = source
    }
    for id in sources.keys.sorted() {
      if let source = sources[id], isParked(source.block) { closeSource(source.block.id) }
    }
  }

  /// Finds or makes the blocks of the sources that have rows within reach.
  private func returning(
    _ stored: StoreChanges, within reach: ClosedRange<Int64>, areStored: Bool
  ) -> [Int64: Returning] {
    var waiting: [[UInt8]: [Block]] = [:]
    for case let block? in blocks.reversed() where block.isOpen && block.rowCount == 0 {
      waiting[Array(block.name.utf8), default: []].append(block)
    }
    let alive = Set(stored.rows.lazy.filter { reach.contains($0.time) }.map(\.source))
    let columns = Dictionary(grouping: stored.columns, by: \.source)
    var sources: [Int64: Returning] = [:]
    let live = stored.sources.filter { alive.contains($0.id) }.sorted { $0.id < $1.id }
    var ended = Dictionary(grouping: live) { Array($0.name.utf8) }.mapValues(\.count)
    for (name, blocks) in waiting { ended[name] = (ended[name] ?? 0) - blocks.count }
    for source in live {
      let name = Array(source.name.utf8)
      // Of several that had one name in turn, the last ones go on.
      let hasEnded = ended[name] ?? 0 > 0
      ended[name] = (ended[name] ?? 0) - 1
      let block = (hasEnded ? nil : waiting[name]?.popLast()) ?? park(source.name)
      if areStored { block.mark.id = source.id }
      sources[source.id] = Returning(
        block: block,
        columns: (columns[source.id] ?? []).sorted { $0.since < $1.since }[...])
    }
    return sources
  }

  /// Makes a source that waits for somebody to open it.
  private func park(_ name: String) -> Block {
    let id = makeSource(name)
    marks.parked[Array(name.utf8), default: []].append(id)
    return block(id)
  }

  private func isParked(_ block: Block) -> Bool {
    marks.parked[Array(block.name.utf8)]?.contains(block.id) ?? false
  }

  /// The source of an earlier process that goes on under a name, if one waits.
  func reopenParked(_ name: String) -> SourceID? {
    if marks.parked.isEmpty { return nil }
    let key = Array(name.utf8)
    while let id = marks.parked[key]?.popLast() {
      if marks.parked[key]?.isEmpty == true { marks.parked[key] = nil }
      // Meanwhile its samples may have become too old.
      guard let block = blocks[Int(id.index)], block.id == id, !block.isOpen else { continue }
      block.isOpen = true
      return id
    }
    return nil
  }

  private func restore(
    _ row: StoreChanges.Row, of source: inout Returning, _ summary: inout RestoreSummary
  ) {
    let block = source.block
    guard
      let writer = try? beginRow(block.id, at: Timestamp(milliseconds: row.time))
    else { return }
    assignColumns(&source, through: row.time)
    let places = source.places
    let isWhole = RowCode.decode(row.cells) { c, cell in
      if c < places.count, places[c] >= 0 { block.target.pointee.cells[Int(places[c])] = cell }
    }
    if !isWhole {
      abandon(writer)
      return
    }
    var counts = RowSummary()
    let revived = block.scanOpenRow(markMissingStale: false, &counts)
    block.closeRow(at: row.time, samples: counts.samples + counts.staleMarkers)
    for c in revived { rejoin(block.owners[c].index) }
    settle()
    summary.rows += 1
    summary.samples += counts.samples
  }

  /// Gives the columns their series as they were at a time.
  private func assignColumns(_ source: inout Returning, through time: Int64) {
    while let next = source.columns.first, next.since <= time {
      source.columns.removeFirst()
      guard next.column >= 0, next.column < 1 << 24 else { continue }
      if next.column >= source.places.count {
        source.places += [Int32](repeating: -1, count: next.column + 1 - source.places.count)
      }
      let column = column(for: next.labels, in: source.block.id, always: next.isAlways)
      source.places[next.column] = column.map { Int32($0.index) } ?? -1
    }
  }

  private func restoreSides(
    _ stored: StoreChanges, within reach: ClosedRange<Int64>, areStored: Bool,
    _ summary: inout RestoreSummary
  ) {
    var known: [Int64: StoreChanges.SideSeries] = [:]
    for series in stored.sideSeries { known[series.id] = series }
    for run in stored.sideRuns {
      var samples = 0
      _ = SideCode.decode(run.samples) { id, list in
        // The number of a series that is gone may still stand in a run: nobody else gets it.
        if areStored, id < .max { marks.nextSide = max(marks.nextSide, id + 1) }
        let live = list.filter { reach.contains($0.time) }
        guard !live.isEmpty, let entry = known[id],
          let series = series(for: entry.labels, always: entry.isAlways)
        else { return }
        let side = side(for: series.index)
        for sample in live where sample.time > side.newest ?? .min {
          side.append(sample.time, sample.value, start: sample.start)
          samples += 1
        }
        if areStored {
          side.markID = id
          side.markTime = side.newest ?? .min
        }
        rejoin(series.index)
      }
      summary.samples += samples
    }
  }
}

extension StoreChanges {
  /// Whether there are samples of a later time.
  fileprivate func reaches(beyond time: Int64) -> Bool {
    rows.contains { $0.time > time } || sideRuns.contains { $0.newest > time }
  }
}
