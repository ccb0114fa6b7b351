import Model

/// What the store knows of one series, beside its labels.
struct SeriesRecord {
  /// No block: the series has no column.
  static let none: Int32 = -1
  /// The series has several places, see `SeriesTable.places`.
  static let several: Int32 = -2

  var hash: UInt32 = 0
  var generation: UInt32 = 0
  /// The entry of its metric name.
  var name: Int32 = 0
  /// The only block the series is in, or `none` or `several`.
  var block: Int32 = Self.none
  var column: Int32 = 0
  /// For `several` places: the block of the only column beside the side store, or −1.
  var home: Int32 = -1
  /// The side store, or −1.
  var side: Int32 = -1
  /// The selectors that accept the series.
  var accepted: Int32 = 0
  /// The selectors that have it as a member now.
  var joined: Int32 = 0
  var isUsed = false
  /// Whether the series is kept though no selector asks for it.
  var isAlways = false
}

/// One column of a series.
struct Place: Equatable {
  var block: Int32
  var column: Int32
}

/// Labels → series by open addressing, and the records of all series.
///
/// A place freed by a series is used again under the next generation.
struct SeriesTable {
  private(set) var records: UnsafeMutablePointer<SeriesRecord>
  private(set) var capacity: Int
  /// Places handed out, free ones included.
  private(set) var count = 0
  let labels = LabelStore()
  private var free: [UInt32] = []
  /// Above the generations of all places that were given back.
  private var firstGeneration: UInt32 = 0
  /// The columns of series that have more than one.
  private var places: [UInt32: [Place]] = [:]
  /// Slot + 1 per bucket, zero for an empty one.
  private var index: HashIndex

  init() {
    capacity = 64
    records = .allocate(capacity: capacity)
    index = HashIndex(size: 128)
  }

  /// Frees the records; the table must not be used again.
  func deallocate() { records.deallocate() }

  /// Series held.
  var liveCount: Int { count - free.count }
  /// Bytes held, roughly.
  var byteCount: Int {
    capacity * MemoryLayout<SeriesRecord>.stride + index.byteCount + labels.byteCount
  }

  /// A 64-bit hash of the bytes, the same in every process.
  static func hash(_ labels: LabelSet) -> UInt64 {
    labels.bytes.withUnsafeBytes { hash($0) }
  }

  /// A 64-bit hash of bytes, the same in every process.
  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var h: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
    var i = 0
    while i + 8 <= bytes.count {
      h = mix(h ^ bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      i += 8
    }
    var tail: UInt64 = 0
    while i < bytes.count {
      tail = tail << 8 | UInt64(bytes[i])
      i += 1
    }
    return mix(h ^ tail)
  }

  @inline(__always)
  private static func mix(_ x: UInt64) -> UInt64 {
    let (high, low) = x.multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return high ^ low
  }

  func labels(_ slot: UInt32) -> LabelSet { labels.labels(slot) }

  func id(_ slot: UInt32) -> SeriesID {
    SeriesID(index: slot, generation: records[Int(slot)].generation)
  }

  /// Whether a handle still names a series.
  @inline(__always)
  func isLive(_ id: SeriesID) -> Bool {
    Int(id.index) < count && records[Int(id.index)].generation == id.generation
      && records[Int(id.index)].isUsed
  }

  func find(_ wanted: LabelSet, hash: UInt64) -> UInt32? {
    let hash = UInt32(truncatingIfNeeded: hash)
    return index.find(hash) { records[Int($0)].hash == hash && labels.holds($0, wanted) }
  }

  /// Adds a series that is not there yet.
  mutating func insert(_ new: LabelSet, hash: UInt64, name: Int32) -> UInt32 {
    if (liveCount + 1) * 2 > index.size { rehash(index.size * 2) }
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
    } else {
      slot = UInt32(count)
      if count == capacity { grow() }
      count += 1
      records[Int(slot)] = SeriesRecord()
      records[Int(slot)].generation = firstGeneration
    }
    let generation = records[Int(slot)].generation
    records[Int(slot)] = SeriesRecord()
    records[Int(slot)].generation = generation
    records[Int(slot)].hash = UInt32(truncatingIfNeeded: hash)
    records[Int(slot)].name = name
    records[Int(slot)].isUsed = true
    labels.set(slot, generation: generation, new)
    index.insert(slot, hash: records[Int(slot)].hash)
    return slot
  }

  /// Removes a series; its place becomes free with `release`.
  mutating func remove(_ slot: UInt32) {
    let records = records
    index.remove(slot) { records[Int($0)].hash }
    labels.remove(slot)
    places[slot] = nil
    records[Int(slot)].isUsed = false
    records[Int(slot)].generation &+= 1
  }

  /// Lets the place of a removed series be used again.
  mutating func release(_ slot: UInt32) { free.append(slot) }

  /// Gives memory back when most of it belongs to series that are gone.
  mutating func tidy() {
    if free.count > liveCount + 64 {
      while count > 0, !records[count - 1].isUsed {
        count -= 1
        firstGeneration = max(firstGeneration, records[count].generation &+ 1)
      }
      free = free.filter { Int($0) < count }
      if capacity > 2 * count + 64 { resize(to: count + count / 8 + 64) }
      while index.size > 128, liveCount * 8 < index.size { rehash(index.size / 2) }
    }
    labels.tidy(places: count)
  }

  private mutating func grow() { resize(to: capacity + capacity / 4) }

  private mutating func resize(to size: Int) {
    let larger = UnsafeMutablePointer<SeriesRecord>.allocate(capacity: size)
    larger.update(from: records, count: count)
    records.deallocate()
    records = larger
    capacity = size
  }

  private mutating func rehash(_ size: Int) {
    index = HashIndex(size: size)
    for slot in 0..<UInt32(count) where records[Int(slot)].isUsed {
      index.insert(slot, hash: records[Int(slot)].hash)
    }
  }

  // MARK: Places

  /// All columns of a series.
  func columns(_ slot: UInt32) -> [Place] {
    let record = records[Int(slot)]
    if let only = Self.only(record) { return [only] }
    return record.block == SeriesRecord.several ? places[slot] ?? [] : []
  }

  /// The column of a series that has just one, with a side store or without.
  @inline(__always)
  static func only(_ record: SeriesRecord) -> Place? {
    if record.block >= 0 { return Place(block: record.block, column: record.column) }
    return record.block == SeriesRecord.several && record.home >= 0
      ? Place(block: record.home, column: record.column) : nil
  }

  /// Sets the columns of a series; a side store makes any number of them `several`.
  mutating func setColumns(_ slot: UInt32, _ columns: [Place]) {
    let i = Int(slot)
    records[i].home = -1
    if records[i].side >= 0 || columns.count > 1 {
      records[i].block = SeriesRecord.several
      places[slot] = columns.count > 1 ? columns : nil
      if columns.count == 1 {
        records[i].home = columns[0].block
        records[i].column = columns[0].column
      }
    } else if let only = columns.first {
      records[i].block = only.block
      records[i].column = only.column
      places[slot] = nil
    } else {
      records[i].block = SeriesRecord.none
      places[slot] = nil
    }
  }
}
