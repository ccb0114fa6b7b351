/// One known line: that of a series, or a whole metadata line.
struct KnownLine {
  enum Kind: UInt8 {
    /// A series; its text stands in the body of the scan that saw it last.
    case series
    /// A series whose text the table keeps, since no body shows it as a line.
    case keptSeries
    /// HELP or UNIT; the table keeps the text.
    case metadata
    /// TYPE; the table keeps the text.
    case type
  }

  /// Bits of `shape` that hold the length; above them two of the kind and four of the type.
  private static let lengthBits = 26
  private static let lengthMask = UInt32(1) << UInt32(lengthBits) - 1
  /// The longest text a line can have.
  static let longest = Int(lengthMask)

  /// Of the text (see `LineHasher`).
  let hash: UInt64
  private var shape: UInt32
  /// Where the text stands.
  var offset: UInt32
  /// The line that followed last time.
  var next: UInt32 = 0
  /// The number of the scan that saw it last.
  var seen: UInt32

  init(hash: UInt64, length: Int, kind: Kind, type: MetricType, offset: Int, seen: UInt32) {
    self.hash = hash
    shape =
      UInt32(truncatingIfNeeded: length) | UInt32(kind.rawValue) << UInt32(Self.lengthBits)
      | UInt32(type.rawValue) << UInt32(Self.lengthBits + 2)
    self.offset = UInt32(truncatingIfNeeded: offset)
    self.seen = seen
  }

  /// Bytes of the text.
  @inline(__always)
  var length: Int { Int(shape & Self.lengthMask) }

  @inline(__always)
  var kind: Kind {
    get { Kind(rawValue: UInt8(truncatingIfNeeded: shape >> UInt32(Self.lengthBits)) & 3) ?? .type }
    set {
      shape &= ~(3 << UInt32(Self.lengthBits))
      shape |= UInt32(newValue.rawValue) << UInt32(Self.lengthBits)
    }
  }

  /// Of a TYPE line its type, of a series the type in force when it was first seen.
  var type: MetricType {
    MetricType(rawValue: UInt8(truncatingIfNeeded: shape >> UInt32(Self.lengthBits + 2)))
      ?? .unknown
  }

  /// Whether the line is none of a series.
  @inline(__always)
  var isMetadata: Bool { shape & (2 << UInt32(Self.lengthBits)) != 0 }

  /// Whether the table keeps the text.
  @inline(__always)
  var hasText: Bool { shape & (3 << UInt32(Self.lengthBits)) != 0 }
}

/// The lines a target is known to send, found by the hashes of their bytes.
///
/// Line 0 is a sentinel: what follows it is the first line of the document.
struct LineTable: ~Copyable {
  private(set) var lines: UnsafeMutablePointer<KnownLine>
  private(set) var payloads: UnsafeMutablePointer<UInt64>
  private(set) var count = 1
  let hasher: LineHasher
  private var capacity: Int
  /// The texts that no body shows.
  private var texts: GrowingBytes
  /// Open addressing: numbers of lines; 0 = free.
  private var slots: UnsafeMutablePointer<UInt32>
  private var slotMask: Int

  init(hasher: LineHasher, lines capacity: Int = 16, bytes: Int = 256) {
    self.hasher = hasher
    self.capacity = max(capacity, 1)
    lines = .allocate(capacity: self.capacity)
    payloads = .allocate(capacity: self.capacity)
    texts = GrowingBytes(capacity: bytes)
    var slotCount = 32
    while slotCount < self.capacity * 3 / 2 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    slotMask = slotCount - 1
    lines[0] = KnownLine(
      hash: 0, length: KnownLine.longest, kind: .metadata, type: .unknown, offset: 0, seen: 0)
    payloads[0] = 0
  }

  deinit {
    lines.deallocate()
    payloads.deallocate()
    texts.deallocate()
    slots.deallocate()
  }

  /// Bytes of memory held.
  var footprint: Int {
    capacity * (MemoryLayout<KnownLine>.stride + 8) + texts.capacity + (slotMask + 1) * 4
  }

  /// The line with these bytes, or 0.
  func find(length: Int, hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while true {
      let line = Int(slots[slot])
      if line == 0 || (lines[line].hash == hash && lines[line].length == length) { return line }
      slot = (slot &+ 1) & slotMask
    }
  }

  /// Adds a line that is not there yet; nil where it is too long, or the table full.
  ///
  /// - Parameter text: kept unless the line is one of a series.
  mutating func insert(
    _ text: UnsafePointer<UInt8>, _ length: Int, hash: UInt64, kind: KnownLine.Kind,
    type: MetricType, seen: UInt32, payload: UInt64
  ) -> Int? {
    guard length < KnownLine.longest, count < Int(UInt32.max) else { return nil }
    var line = KnownLine(
      hash: hash, length: length, kind: kind, type: type, offset: 0, seen: seen)
    if line.hasText {
      guard let offset = texts.append(text, length) else { return nil }
      line.offset = offset
    }
    return append(line, payload: payload)
  }

  private mutating func append(_ line: KnownLine, payload: UInt64) -> Int {
    if count == capacity { growLines() }
    let number = count
    (lines + number).initialize(to: line)
    payloads[number] = payload
    count += 1
    if count * 4 > (slotMask + 1) * 3 { growSlots() } else { place(number) }
    return number
  }

  /// The text of a line that the table keeps; valid until the table changes.
  func text(of line: KnownLine) -> UnsafeBufferPointer<UInt8> {
    precondition(line.hasText, "the text of a series' line stands in the body")
    return UnsafeBufferPointer(start: texts.base + Int(line.offset), count: line.length)
  }

  /// Keeps the text of a series, which may come without a line of its own from now on; false where
  /// there is no room.
  mutating func keepText(of number: Int, _ text: UnsafePointer<UInt8>) -> Bool {
    if lines[number].hasText { return true }
    guard let offset = texts.append(text, lines[number].length) else { return false }
    lines[number].kind = .keptSeries
    lines[number].offset = offset
    return true
  }

  private func place(_ line: Int) {
    var slot = Int(truncatingIfNeeded: lines[line].hash) & slotMask
    while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
    slots[slot] = UInt32(truncatingIfNeeded: line)
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

  private mutating func growSlots() {
    let size = (slotMask + 1) * 2
    slots.deallocate()
    slots = .allocate(capacity: size)
    slots.initialize(repeating: 0, count: size)
    slotMask = size - 1
    for line in 1..<count { place(line) }
  }

  /// A table of the lines last seen in `scan`, in their order, with room to spare but not much.
  func compacted(keeping scan: UInt32) -> LineTable {
    var live = 1
    var bytes = 0
    for i in 1..<max(count, 1) where lines[i].seen == scan {
      live += 1
      if lines[i].hasText { bytes += lines[i].length }
    }
    var table = LineTable(
      hasher: hasher, lines: live + live / 16 + 8, bytes: bytes + bytes / 16 + 64)
    for i in 1..<max(count, 1) where lines[i].seen == scan {
      var line = lines[i]
      line.next = 0
      if line.hasText, let text = text(of: line).baseAddress,
        let offset = table.texts.append(text, line.length)
      {
        line.offset = offset
      }
      let placed = table.append(line, payload: payloads[i])
      // Neighbours stay neighbours: the prediction holds where nothing was left out.
      table.lines[placed - 1].next = UInt32(placed)
    }
    return table
  }

  /// Whether memory was set aside well beyond what is used.
  var isLoose: Bool {
    capacity > count + count / 4 + 64 || texts.capacity > texts.count + texts.count / 4 + 1024
  }
}

/// Bytes one behind the other.
private struct GrowingBytes {
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private(set) var capacity: Int

  init(capacity: Int) {
    self.capacity = max(capacity, 16)
    base = .allocate(capacity: self.capacity)
  }

  /// Frees the memory; the buffer must not be used again.
  func deallocate() { base.deallocate() }

  /// Where the bytes were put; nil when 32 bits cannot tell any more.
  mutating func append(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> UInt32? {
    guard count + length < Int(UInt32.max) else { return nil }
    if count + length > capacity {
      let grown = count + max(capacity / 2, length)
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
      larger.update(from: base, count: count)
      base.deallocate()
      (base, capacity) = (larger, grown)
    }
    (base + count).update(from: bytes, count: length)
    defer { count += length }
    return UInt32(count)
  }
}
