import Model

/// All samples the program keeps.
///
/// One owner at a time: writers need the store for themselves; readers may run side by side, each
/// with its own scratch space, while nobody writes.
package final class Store: @unchecked Sendable {
  /// How samples are kept.
  package private(set) var settings: StoreSettings
  /// Changes when a series that had no column may be wanted now.
  package internal(set) var demandGeneration: UInt64 = 1

  var blocks: [Block?] = []
  private var blockGenerations: [UInt32] = []
  private var freeBlocks: [Int] = []
  var table = SeriesTable()
  var names = NameIndex()
  var demand = DemandSets()
  var selectors: [Selector?] = []
  var freeSelectors: [UInt32] = []
  var selectorsByMatchers: [Set<Matcher>: Selector] = [:]
  /// Selectors that do not demand one metric name.
  var restSelectors: [UInt32] = []
  /// Selectors whose runs must be computed afresh before the next read.
  var dirtySelectors: [UInt32] = []
  var sides: [SideSeries?] = []
  private var freeSides: [Int] = []
  /// Changes whenever a series' place changes or is freed.
  var layout: UInt64 = 1
  /// Changes whenever a registration does: blocks then compute their longest retention again.
  var retentionVersion: UInt64 = 1
  let sealScratch: SealScratch
  let rawRows: Int
  let sealRows: Int
  /// Rows of the largest seal, joined of smaller ones.
  let joinedRows: Int
  /// Samples appended so far.
  var appended: UInt64 = 0
  /// The times they were appended at.
  var appends = AppendLog()
  /// What of all this is stored outside.
  var marks = StoreMarks()
  /// What a memory limit leaves of `settings.retention`.
  var adHocCap = PromDuration.maximum
  /// The time of the last sweep.
  var lastSweep: Int64?

  package init(_ settings: StoreSettings = StoreSettings()) {
    precondition(
      settings.rawRows > 0 && settings.rawRows <= 32_768 && settings.sealRows > 0
        && settings.sealRows <= settings.rawRows,
      "a store keeps 1…32768 raw rows and seals at most that many at a time")
    self.settings = settings
    var power = 1
    while power < settings.rawRows { power *= 2 }
    rawRows = power
    sealRows = settings.sealRows
    var joined = settings.sealRows
    while joined * 4 <= 256 { joined *= 4 }
    joinedRows = joined
    sealScratch = SealScratch(capacity: joined)
  }

  deinit { table.deallocate() }

  /// Changes what is kept, and for how long, from now on.
  package func keep(_ keep: StoreSettings.Keep, retention: PromDuration) {
    settings.keep = keep
    settings.retention = retention
    retentionVersion &+= 1
    demandGeneration &+= 1
  }

  /// Changes how far behind the newest samples an evaluation may look back from, from now on.
  package func allowLateness(_ slack: PromDuration) { settings.slack = slack }

  // MARK: Sources

  /// Makes a source of rows; the name is for people.
  ///
  /// One of an earlier process goes on under its name.
  package func openSource(_ name: String) -> SourceID {
    reopenParked(name) ?? makeSource(name)
  }

  /// Makes a source that no other has been.
  func makeSource(_ name: String) -> SourceID {
    let index: Int
    if let free = freeBlocks.popLast() {
      index = free
    } else {
      index = blocks.count
      blocks.append(nil)
      blockGenerations.append(0)
    }
    blockGenerations[index] &+= 1
    let id = SourceID(index: UInt32(index), generation: blockGenerations[index])
    blocks[index] = Block(name: name, id: id, capacity: min(8, rawRows))
    return id
  }

  /// Ends a source: no more rows; the ones it has stay readable until no window reaches them.
  ///
  /// Stale markers are the caller's: an empty row committed with `markMissingStale` writes them.
  package func closeSource(_ source: SourceID) {
    let block = block(source)
    precondition(!block.hasOpenRow, "a source is closed between rows")
    block.isOpen = false
  }

  /// The block of an open source.
  func block(_ source: SourceID) -> Block {
    guard Int(source.index) < blocks.count, let block = blocks[Int(source.index)],
      block.id == source, block.isOpen
    else { preconditionFailure("rows are written to open sources only") }
    return block
  }

  /// A block that is known to be there.
  @inline(__always)
  func block(at index: Int32) -> Block {
    guard let block = blocks[Int(index)] else {
      preconditionFailure("a series' place names a block that is gone")
    }
    return block
  }

  /// Forgets a closed source without columns.
  func freeBlock(_ index: Int) {
    blocks[index] = nil
    freeBlocks.append(index)
  }

  // MARK: Series

  /// The column a source shall write the series to, or nil if no selector wants it (`keep: rules`,
  /// not `always`): ask again when `demandGeneration` has changed.
  package func column(
    for labels: LabelSet, in source: SourceID, always: Bool = false
  ) -> Column? {
    let block = block(source)
    guard let slot = slot(for: labels, always: always) else { return nil }
    let id = table.id(slot)
    let columns = table.columns(slot)
    let index = Int32(source.index)
    if let known = columns.first(where: { $0.block == index }) {
      return Column(source: source, index: UInt32(known.column), series: id)
    }
    let c = block.addColumn(id)
    setPlaces(slot, columns + [Place(block: index, column: Int32(c))])
    noteRetention(of: slot, in: block)
    rejoin(slot)
    // A row that is being written ends with `commit` or `abandon`: many births settle at once.
    if !block.hasOpenRow { settle() }
    return Column(source: source, index: UInt32(c), series: id)
  }

  /// The series of a label set, made if it is wanted; `append(to:)` then needs no look-up.
  ///
  /// A series without samples lives until the next sweep.
  package func series(for labels: LabelSet, always: Bool = false) -> SeriesID? {
    guard let slot = slot(for: labels, always: always) else { return nil }
    rejoin(slot)
    return table.id(slot)
  }

  /// The labels of a series, or nil if it is gone.
  package func labels(of series: SeriesID) -> LabelSet? {
    table.isLive(series) ? table.labels(series.index) : nil
  }

  /// Finds or makes a series that is wanted; a new one is not yet a member anywhere.
  private func slot(for labels: LabelSet, always: Bool) -> UInt32? {
    let hash = SeriesTable.hash(labels)
    if let slot = table.find(labels, hash: hash) {
      if always && !table.records[Int(slot)].isAlways {
        table.records[Int(slot)].isAlways = true
        retentionVersion &+= 1
      }
      return retention(slot) < 0 ? nil : slot
    }
    let name = Self.metricName(labels)
    let accepting = selectorsAccepting(labels, name: name)
    if accepting.isEmpty && !always && settings.keep == .rules { return nil }
    let entry = names.intern(name)
    let slot = table.insert(labels, hash: hash, name: entry)
    names.add(series: slot, to: entry)
    table.records[Int(slot)].isAlways = always
    table.records[Int(slot)].accepted = demand.intern(accepting, window: window)
    demand.retain(DemandSets.empty)
    return slot
  }

  /// The metric name's bytes; empty for a series without one.
  static func metricName(_ labels: LabelSet) -> [UInt8] {
    let key: StaticString = "__name__"
    let wanted = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
    return labels.bytes.withUnsafeBufferPointer { all in
      var i = 0
      while i < all.count {
        let name = LabelSet.next(all, &i)
        let value = LabelSet.next(all, &i)
        if ByteOrder.compare(name, wanted) == 0 { return Array(value) }
      }
      return []
    }
  }

  /// How far back a series is kept in milliseconds; −1 for one that nobody wants.
  func retention(_ slot: UInt32) -> Int64 {
    let record = table.records[Int(slot)]
    let asked = demand.longest(record.accepted)
    return settings.keep == .all || record.isAlways
      ? max(asked, adHocRetention.milliseconds) : asked
  }

  /// Samples of the series at or before this time are reached by no window.
  func horizon(_ slot: UInt32, now: Int64) -> Int64 {
    let retention = retention(slot)
    return retention < 0 ? .max : now &- retention &- settings.slack.milliseconds
  }

  /// Notes that a block must keep rows for one more series.
  private func noteRetention(of slot: UInt32, in block: Block) {
    if block.retentionVersion == retentionVersion {
      block.retention = max(block.retention, retention(slot))
    }
  }

  /// Sets the columns of a series that had others before.
  func setPlaces(_ slot: UInt32, _ columns: [Place]) {
    let before = table.columns(slot)
    let hadPlace = table.records[Int(slot)].block != SeriesRecord.none
    table.setColumns(slot, columns)
    let isShared = table.records[Int(slot)].block == SeriesRecord.several
    for place in columns {
      let block = block(at: place.block)
      block.unshare(Int(place.column))
      if isShared { block.shared.insert(place.column) }
    }
    if !before.isEmpty || hadPlace || table.records[Int(slot)].joined != DemandSets.empty {
      layout &+= 1
      markDirty(slot)
    }
  }

  // MARK: Side stores

  /// The side store of a series, made if need be.
  func side(for slot: UInt32) -> SideSeries {
    let index = table.records[Int(slot)].side
    if index >= 0, let side = sides[Int(index)] { return side }
    let side = SideSeries()
    if let free = freeSides.popLast() {
      sides[free] = side
      table.records[Int(slot)].side = Int32(free)
    } else {
      table.records[Int(slot)].side = Int32(sides.count)
      sides.append(side)
    }
    let columns = table.columns(slot)
    if columns.isEmpty { table.setColumns(slot, []) } else { setPlaces(slot, columns) }
    return side
  }

  /// Forgets the side store of a series.
  func freeSide(_ slot: UInt32) {
    let index = Int(table.records[Int(slot)].side)
    let columns = table.columns(slot)
    sides[index] = nil
    freeSides.append(index)
    table.records[Int(slot)].side = -1
    setPlaces(slot, columns)
  }
}
