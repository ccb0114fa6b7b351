import Glibc

/// One known line: the raw text of a series, or a whole metadata line.
struct KnownLine {
  enum Kind: UInt8 { case series, metadata, type }

  /// Where the text stands in the table's arena.
  var offset: UInt32
  var length: UInt32
  var hash: UInt32
  /// The line that followed last time.
  var next: UInt32
  /// The number of the scan that saw it last.
  var seen: UInt32
  var kind: Kind
  /// Of a TYPE line its type, of a series the type in force when it was first seen.
  var type: MetricType
}

/// The lines a target is known to send, found by their bytes.
///
/// Line 0 is a sentinel: what follows it is the first line of the document.
struct LineTable: ~Copyable {
  private(set) var lines: UnsafeMutablePointer<KnownLine>
  private(set) var payloads: UnsafeMutablePointer<UInt64>
  private(set) var arena: UnsafeMutablePointer<UInt8>
  private(set) var count = 1
  private var capacity: Int
  private var arenaCount = 0
  private var arenaCapacity: Int
  /// Open addressing: hash in the upper half, line in the lower; 0 = free.
  private(set) var slots: UnsafeMutablePointer<UInt64>
  private(set) var slotMask: Int

  init(lines capacity: Int = 16, bytes: Int = 1024) {
    self.capacity = max(capacity, 1)
    lines = .allocate(capacity: self.capacity)
    payloads = .allocate(capacity: self.capacity)
    arenaCapacity = max(bytes, 16)
    arena = .allocate(capacity: arenaCapacity)
    var slotCount = 32
    while slotCount < self.capacity * 3 / 2 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    slotMask = slotCount - 1
    lines[0] = KnownLine(
      offset: 0, length: .max, hash: 0, next: 0, seen: 0, kind: .metadata, type: .unknown)
    payloads[0] = 0
  }

  deinit {
    lines.deallocate()
    payloads.deallocate()
    arena.deallocate()
    slots.deallocate()
  }

  /// Bytes of memory held.
  var footprint: Int {
    capacity * (MemoryLayout<KnownLine>.stride + 8) + arenaCapacity + (slotMask + 1) * 8
  }

  /// The line with these bytes, or 0.
  func find(_ text: UnsafePointer<UInt8>, _ length: Int, hash: UInt32) -> Int {
    var slot = Int(hash) & slotMask
    while true {
      let entry = slots[slot]
      if entry == 0 { return 0 }
      if UInt32(truncatingIfNeeded: entry >> 32) == hash {
        let line = Int(entry & 0xffff_ffff)
        let known = lines[line]
        if Int(known.length) == length, memcmp(arena + Int(known.offset), text, length) == 0 {
          return line
        }
      }
      slot = (slot &+ 1) & slotMask
    }
  }

  /// Adds a line that is not there yet; nil when the arena's 32-bit offsets are used up.
  mutating func insert(
    _ text: UnsafePointer<UInt8>, _ length: Int, hash: UInt32, kind: KnownLine.Kind,
    type: MetricType, seen: UInt32, payload: UInt64
  ) -> Int? {
    guard arenaCount + length < Int(UInt32.max) else { return nil }
    if count == capacity { growLines() }
    if arenaCount + length > arenaCapacity { growArena(by: length) }
    (arena + arenaCount).update(from: text, count: length)
    let line = count
    lines[line] = KnownLine(
      offset: UInt32(arenaCount), length: UInt32(length), hash: hash, next: 0, seen: seen,
      kind: kind, type: type)
    payloads[line] = payload
    count += 1
    arenaCount += length
    if count * 4 > (slotMask + 1) * 3 { growSlots() }
    place(line, hash)
    return line
  }

  private func place(_ line: Int, _ hash: UInt32) {
    var slot = Int(hash) & slotMask
    while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
    slots[slot] = UInt64(hash) << 32 | UInt64(line)
  }

  private mutating func growLines() {
    let grown = capacity + capacity / 2 + 16
    let newLines = UnsafeMutablePointer<KnownLine>.allocate(capacity: grown)
    newLines.update(from: lines, count: count)
    let newPayloads = UnsafeMutablePointer<UInt64>.allocate(capacity: grown)
    newPayloads.update(from: payloads, count: count)
    lines.deallocate()
    payloads.deallocate()
    (lines, payloads, capacity) = (newLines, newPayloads, grown)
  }

  private mutating func growArena(by length: Int) {
    let grown = arenaCapacity + max(arenaCapacity / 2, length)
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
    bytes.update(from: arena, count: arenaCount)
    arena.deallocate()
    (arena, arenaCapacity) = (bytes, grown)
  }

  private mutating func growSlots() {
    let size = (slotMask + 1) * 2
    slots.deallocate()
    slots = .allocate(capacity: size)
    slots.initialize(repeating: 0, count: size)
    slotMask = size - 1
    for line in 1..<count { place(line, lines[line].hash) }
  }

  /// A table of the lines last seen in `scan`, in their order, with room to spare but not much.
  func compacted(keeping scan: UInt32) -> LineTable {
    var live = 1
    var bytes = 0
    for i in 1..<max(count, 1) where lines[i].seen == scan {
      live += 1
      bytes += Int(lines[i].length)
    }
    var table = LineTable(lines: live + live / 16 + 8, bytes: bytes + bytes / 16 + 256)
    for i in 1..<max(count, 1) where lines[i].seen == scan {
      let line = lines[i]
      let placed = table.insert(
        arena + Int(line.offset), Int(line.length), hash: line.hash, kind: line.kind,
        type: line.type, seen: line.seen, payload: payloads[i])
      // Neighbours stay neighbours: the prediction holds where nothing was left out.
      if let placed { table.lines[placed - 1].next = UInt32(placed) }
    }
    return table
  }

  /// Whether memory was set aside well beyond what is used.
  var isLoose: Bool {
    capacity > count + count / 4 + 64 || arenaCapacity > arenaCount + arenaCount / 4 + 4096
  }

  /// A 32-bit hash of bytes (folded multiplications, eight bytes a time), never 0.
  @inline(__always)
  static func hash(_ text: UnsafePointer<UInt8>, _ length: Int) -> UInt32 {
    let raw = UnsafeRawPointer(text)
    var h = UInt64(length) &* 0x9e37_79b9_7f4a_7c15
    var i = 0
    while i &+ 8 <= length {
      h = fold(h ^ raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      i &+= 8
    }
    if length >= 8 {
      h = fold(h ^ raw.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self))
    } else {
      while i < length {
        h = fold(h ^ UInt64(text[i]))
        i &+= 1
      }
    }
    let mixed = UInt32(truncatingIfNeeded: h ^ (h >> 32))
    return mixed == 0 ? 1 : mixed
  }

  @inline(__always)
  private static func fold(_ x: UInt64) -> UInt64 {
    let (high, low) = (x ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return high ^ low
  }
}
