import Model

/// Where a row that is being written puts its cells; lives at one address as long as its block.
package struct RowTarget {
  /// The open row's cells.
  package var cells: UnsafeMutablePointer<Double>
  /// The series of each column; a free column has none.
  package var owners: UnsafeMutablePointer<SeriesID>
  package var width: Int
}

/// The rows of one source: times, raw cells in a ring, sealed rows before them.
///
/// Rows have numbers that only grow. `firstRow..<firstRaw` are sealed, `firstRaw..<endRow` raw; the
/// row `endRow` is the one being written and visible to nobody.
final class Block {
  /// Marks a free column's owner.
  static let nobody = SeriesID(index: .max, generation: 0)
  /// `since` of a column that ended (stale marker, or nothing yet).
  static let ended = Int32.max
  /// `since` of a column whose newest sample is not in the newest row.
  static let gap = Int32.max - 1

  let name: String
  let id: SourceID
  var isOpen = true
  private(set) var hasOpenRow = false

  private(set) var firstRow = 0
  private(set) var firstRaw = 0
  private(set) var endRow = 0
  private var times = SlidingBuffer<Int64>()
  private var counts = SlidingBuffer<Int32>()
  private(set) var seals: [SealedRows] = []

  /// The ring: `capacity` rows (a power of two) of `stride` cells.
  private(set) var cells: UnsafeMutablePointer<Double>
  private(set) var stride: Int
  private(set) var capacity: Int
  let target: UnsafeMutablePointer<RowTarget>

  /// Columns in use or free below this one.
  private(set) var width = 0
  private(set) var owners: UnsafeMutablePointer<SeriesID>
  /// The row since which a column has had a sample in each row, or `gap` or `ended`.
  private(set) var since: UnsafeMutablePointer<Int32>
  /// The row of the newest sample or stale marker, where `since` does not tell; −1 for none.
  private(set) var last: UnsafeMutablePointer<Int32>
  private(set) var freeColumns: [Int32] = []
  /// Columns whose series has other places too.
  var shared: Set<Int32> = []
  /// The longest retention of the columns in milliseconds, true for one version of the store's
  /// registrations.
  var retention: Int64 = -1
  var retentionVersion: UInt64 = 0
  /// What of it is stored outside.
  var mark = SourceMark()

  init(name: String, id: SourceID, stride: Int = 8, capacity: Int = 8) {
    self.name = name
    self.id = id
    self.stride = stride
    self.capacity = capacity
    cells = .allocate(capacity: stride * capacity)
    cells.initialize(repeating: SpecialValue.absent, count: stride * capacity)
    owners = .allocate(capacity: stride)
    since = .allocate(capacity: stride)
    last = .allocate(capacity: stride)
    owners.initialize(repeating: Self.nobody, count: stride)
    since.initialize(repeating: Self.ended, count: stride)
    last.initialize(repeating: -1, count: stride)
    target = .allocate(capacity: 1)
    target.initialize(to: RowTarget(cells: cells, owners: owners, width: 0))
  }

  deinit {
    cells.deallocate()
    owners.deallocate()
    since.deallocate()
    last.deallocate()
    target.deallocate()
    times.deallocate()
    counts.deallocate()
  }

  // MARK: Rows

  var rawCount: Int { endRow - firstRaw }
  var rowCount: Int { endRow - firstRow }
  var columnCount: Int { width - freeColumns.count }
  /// The time of the newest row.
  var newest: Int64? { endRow > firstRow ? time(endRow - 1) : nil }

  /// The time of a row.
  @inline(__always)
  func time(_ row: Int) -> Int64 { times.elements[row &- firstRow] }

  /// The times from a row on.
  @inline(__always)
  func times(from row: Int) -> UnsafePointer<Int64> {
    UnsafePointer(times.elements + (row &- firstRow))
  }

  /// The cells of a raw row.
  @inline(__always)
  func row(_ row: Int) -> UnsafeMutablePointer<Double> {
    cells + (row & (capacity &- 1)) &* stride
  }

  /// The first row with a time above `t`.
  func firstRow(above t: Int64) -> Int {
    let n = rowCount
    let times = times.elements
    if n == 0 || times[n - 1] <= t { return endRow }
    var low = 0
    var high = n - 1  // times[high] > t
    while low < high {
      let middle = (low + high) / 2
      if times[middle] > t { high = middle } else { low = middle + 1 }
    }
    return firstRow + low
  }

  /// The rows with times in (after, through].
  func rows(after: Int64, through: Int64) -> Range<Int> {
    let low = firstRow(above: after)
    return low..<max(low, firstRow(above: through))
  }

  /// The seal that holds a row below `firstRaw`.
  func sealIndex(_ row: Int) -> Int {
    var low = 0
    var high = seals.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if seals[middle].firstRow <= row { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Whether the ring must be drained or grow before the next row.
  var isFull: Bool { rawCount == capacity }

  /// Opens the row `endRow` with nothing in it; the ring must have room.
  func openRow() {
    precondition(!hasOpenRow, "a source writes one row at a time")
    precondition(!isFull, "the ring must have room for a row")
    hasOpenRow = true
    let row = row(endRow)
    row.update(repeating: SpecialValue.absent, count: stride)
    target.pointee = RowTarget(cells: row, owners: owners, width: width)
  }

  /// Ends the open row: makes it visible with `samples` samples, or forgets it.
  func closeRow(at time: Int64?, samples: Int) {
    precondition(hasOpenRow, "the row to close was never opened")
    hasOpenRow = false
    if let time { appendRow(at: time, samples: samples) }
  }

  /// Makes the row `endRow` visible.
  func appendRow(at time: Int64, samples: Int) {
    precondition(endRow < 1 << 30, "a source has fewer rows than the states of columns can tell")
    times.append(time)
    counts.append(Int32(samples))
    endRow += 1
  }

  /// Samples in raw rows.
  var rawSamples: Int {
    var sum = 0
    for i in (firstRaw - firstRow)..<rowCount { sum += Int(counts.elements[i]) }
    return sum
  }

  // MARK: Columns

  /// Gives a series a column.
  func addColumn(_ owner: SeriesID) -> Int {
    let c: Int
    if let free = freeColumns.popLast() {
      c = Int(free)
    } else {
      if width == stride { reshape(stride: max(8, (width + width / 4 + 8) & ~7)) }
      c = width
      width += 1
      target.pointee.width = width
    }
    owners[c] = owner
    since[c] = Self.ended
    last[c] = -1
    return c
  }

  /// Frees a column: its cells read as absent from now on.
  func removeColumn(_ c: Int) {
    for r in firstRaw..<endRow { row(r)[c] = SpecialValue.absent }
    if hasOpenRow { target.pointee.cells[c] = SpecialValue.absent }
    for seal in seals { seal.forget(c) }
    owners[c] = Self.nobody
    since[c] = Self.ended
    last[c] = -1
    freeColumns.append(Int32(c))
    unshare(c)
  }

  /// Notes that the column's series has no other places any more.
  func unshare(_ c: Int) { shared.remove(Int32(c)) }

  /// Sets the state of a column (see `since` and `last`).
  @inline(__always)
  func setState(_ c: Int, since newSince: Int32, last newLast: Int32) {
    since[c] = newSince
    last[c] = newLast
  }

  /// The row of a column's newest sample or marker that is still held, or nil.
  func newestRow(_ c: Int) -> Int? {
    let row = since[c] < Self.gap ? endRow - 1 : Int(last[c])
    return row >= firstRow && row < endRow ? row : nil
  }

  /// Changes the row width or the number of raw rows.
  ///
  /// Rows that hold nothing yet are not touched: memory of theirs is not taken before it is needed.
  func reshape(stride newStride: Int? = nil, capacity newCapacity: Int? = nil) {
    let toStride = newStride ?? stride
    let toCapacity = newCapacity ?? capacity
    let fresh = UnsafeMutablePointer<Double>.allocate(capacity: toStride * toCapacity)
    for r in firstRaw..<(hasOpenRow ? endRow + 1 : endRow) {
      let to = fresh + (r & (toCapacity - 1)) * toStride
      to.update(from: row(r), count: width)
      (to + width).update(repeating: SpecialValue.absent, count: toStride - width)
    }
    cells.deallocate()
    cells = fresh
    capacity = toCapacity
    if toStride != stride {
      owners = Self.grown(owners, width, toStride, Self.nobody)
      since = Self.grown(since, width, toStride, Self.ended)
      last = Self.grown(last, width, toStride, -1)
      stride = toStride
    }
    target.pointee = RowTarget(cells: row(endRow), owners: owners, width: width)
  }

  private static func grown<T: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<T>, _ count: Int, _ capacity: Int, _ filler: T
  ) -> UnsafeMutablePointer<T> {
    let fresh = UnsafeMutablePointer<T>.allocate(capacity: capacity)
    fresh.initialize(repeating: filler, count: capacity)
    fresh.update(from: old, count: count)
    old.deallocate()
    return fresh
  }

  /// Moves the columns in use together; handles of those that moved become invalid.
  ///
  /// Not while a row is open.
  ///
  /// - Returns: for each new column the old one.
  func compact(scratch: SealScratch) -> [Int32] {
    precondition(!hasOpenRow, "columns must not move under an open row")
    let places = (0..<width).filter { owners[$0] != Self.nobody }.map(Int32.init)
    let oldCells = cells
    let oldStride = stride
    stride = max(8, (places.count + places.count / 8 + 8) & ~7)
    cells = .allocate(capacity: stride * capacity)
    for r in firstRaw..<endRow {
      let from = oldCells + (r & (capacity - 1)) * oldStride
      let to = row(r)
      to.update(repeating: SpecialValue.absent, count: stride)
      for (c, old) in places.enumerated() { to[c] = from[Int(old)] }
    }
    oldCells.deallocate()
    for (c, old) in places.enumerated() {
      owners[c] = owners[Int(old)]
      since[c] = since[Int(old)]
      last[c] = last[Int(old)]
    }
    owners = Self.grown(owners, places.count, stride, Self.nobody)
    since = Self.grown(since, places.count, stride, Self.ended)
    last = Self.grown(last, places.count, stride, -1)
    width = places.count
    freeColumns = []
    for i in seals.indices { rebuild(i, places, scratch) }
    target.pointee = RowTarget(cells: row(endRow), owners: owners, width: width)
    return places
  }

  // MARK: Sealing and forgetting

  /// Makes the ring smaller when most of it is unused.
  func shrinkRing() {
    guard !hasOpenRow, capacity > 8, rawCount * 4 <= capacity else { return }
    var size = 8
    while size < rawCount * 2 { size *= 2 }
    if size < capacity { reshape(capacity: size) }
  }

  /// Forgets whole seals, and raw rows where nothing is sealed, that are not above `horizon`.
  func forgetRows(through horizon: Int64) {
    var dropped = 0
    while dropped < seals.count, time(seals[dropped].endRow - 1) <= horizon { dropped += 1 }
    var to = firstRow
    if dropped > 0 {
      to = seals[dropped - 1].endRow
      seals.removeFirst(dropped)
    }
    if seals.isEmpty {
      to = max(to, firstRaw)
      while to < endRow, time(to) <= horizon { to += 1 }
      firstRaw = to
    }
    times.removeFirst(to - firstRow)
    counts.removeFirst(to - firstRow)
    firstRow = to
  }

  /// Seals the oldest `n` raw rows of the columns that `isWanted` names.
  func seal(_ n: Int, scratch: SealScratch, isWanted: (Int) -> Bool) {
    let offsets = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, width))
    var writer = ByteWriter(capacity: width * n / 2)
    writer.reserve(1)
    writer.put(UInt8(0))
    var samples = 0
    let tile = 8
    withUnsafeTemporaryAllocation(of: Double.self, capacity: tile * n) { buffer in
      guard let buffer = buffer.baseAddress else { return }
      for start in Swift.stride(from: 0, to: width, by: tile) {
        let count = min(tile, width - start)
        for i in 0..<n {
          let from = row(firstRaw + i) + start
          for k in 0..<count { buffer[k * n + i] = from[k] }
        }
        for k in 0..<count {
          offsets[start + k] = 0
          guard owners[start + k] != Self.nobody, isWanted(start + k) else { continue }
          let at = writer.count
          let run = buffer + k * n
          guard SealedRun.encode(run, n, scratch: scratch, into: &writer) != nil else { continue }
          offsets[start + k] = UInt32(at)
          for i in 0..<n where run[i].bitPattern != Cell.absent { samples += 1 }
        }
      }
    }
    if samples > 0 || !seals.isEmpty {
      seals.append(
        SealedRows(
          firstRow: firstRaw, rowCount: n, columnCount: width, offsets: offsets,
          bytes: writer.base, byteCount: writer.count, samples: samples))
      firstRaw += n
    } else {
      offsets.deallocate()
      firstRaw += n
      times.removeFirst(firstRaw - firstRow)
      counts.removeFirst(firstRaw - firstRow)
      firstRow = firstRaw
    }
    writer.deallocate()
  }

  /// Rewrites seals that are mostly made of forgotten columns.
  func rewriteSeals(scratch: SealScratch) {
    for i in seals.indices where seals[i].forgottenBytes * 2 > seals[i].byteCount {
      rebuild(i, (0..<Int32(seals[i].columnCount)).map { $0 }, scratch)
    }
  }

  private func rebuild(_ i: Int, _ places: [Int32], _ scratch: SealScratch) {
    seals[i] = SealedRows(joining: [seals[i]], columns: places, scratch: scratch)
  }

  /// Joins seals of one size by fours where many rows are kept: fewer summaries to read, less to
  /// store.
  ///
  /// - Parameter limit: rows that a seal may have.
  func joinSeals(limit: Int, scratch: SealScratch) {
    var i = 0
    // The newest seals stay as they are; a joined one is a small part of all, for rows are
    // forgotten by the seal.
    while i + 6 <= seals.count {
      let n = seals[i].rowCount
      let parts = Array(seals[i..<(i + 4)])
      guard n * 4 <= limit, n * 32 <= firstRaw - firstRow,
        parts.allSatisfy({ $0.rowCount == n })
      else {
        i += 1
        continue
      }
      let columns = parts.reduce(0) { max($0, $1.columnCount) }
      let joined = SealedRows(
        joining: parts, columns: (0..<Int32(columns)).map { $0 }, scratch: scratch)
      seals.replaceSubrange(i..<(i + 4), with: [joined])
      i = max(0, i - 3)
    }
  }

  /// Makes a sealed column that nothing reaches any more read as absent.
  func forgetSealed(_ c: Int, through horizon: Int64) {
    for seal in seals {
      if time(seal.endRow - 1) > horizon { break }
      seal.forget(c)
    }
  }

  /// Bytes held.
  var byteCount: Int {
    var bytes = stride * capacity * 8 + stride * 16 + times.byteCount + counts.byteCount + 400
    for seal in seals { bytes += seal.heldBytes + 100 }
    return bytes
  }
}
