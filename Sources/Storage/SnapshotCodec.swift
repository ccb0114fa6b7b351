import Model

/// Appends numbers to bytes.
struct SnapshotWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  @inline(__always)
  mutating func put(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  @inline(__always)
  mutating func put(signed value: Int64) {
    put(varint: UInt64(bitPattern: value &<< 1) ^ UInt64(bitPattern: value &>> 63))
  }

  @inline(__always)
  mutating func put(fixed value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ numbers: [Double]) {
    put(varint: UInt64(numbers.count))
    for number in numbers { put(fixed: number.bitPattern) }
  }
}

/// Reads what a `SnapshotWriter` wrote; nil where the bytes are damaged.
struct SnapshotReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { at >= bytes.count }

  @inline(__always)
  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < bytes.count, shift < 64 {
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  @inline(__always)
  mutating func signed() -> Int64? {
    guard let raw = varint() else { return nil }
    return Int64(bitPattern: raw &>> 1) ^ -Int64(bitPattern: raw & 1)
  }

  @inline(__always)
  mutating func fixed() -> UInt64? {
    guard at + 8 <= bytes.count else { return nil }
    defer { at += 8 }
    return UInt64(
      littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(
        fromByteOffset: at, as: UInt64.self))
  }

  /// How many things of at least `size` bytes follow.
  mutating func count(ofSize size: Int) -> Int? {
    guard let n = varint(), n <= UInt64((bytes.count - at) / size) else { return nil }
    return Int(n)
  }

  mutating func numbers() -> [Double]? {
    guard let n = count(ofSize: 8) else { return nil }
    var numbers: [Double] = []
    numbers.reserveCapacity(n)
    for _ in 0..<n {
      guard let bits = fixed() else { return nil }
      numbers.append(Double(bitPattern: bits))
    }
    return numbers
  }
}

/// The code of one row's cells: a sequence of numbers whose two low bits tell what follows.
enum RowCode {
  private static let integer: UInt64 = 0
  private static let absents: UInt64 = 1
  private static let number: UInt64 = 2
  private static let special: UInt64 = 3

  /// The code of `width` cells; absent ones at the end cost nothing.
  static func encode(_ cells: UnsafePointer<Double>, _ width: Int) -> [UInt8] {
    var writer = SnapshotWriter(capacity: width * 4)
    var absent: UInt64 = 0
    for c in 0..<width {
      let value = cells[c]
      let bits = value.bitPattern
      if bits == Cell.absent {
        absent += 1
        continue
      }
      if absent > 0 {
        writer.put(varint: absent << 2 | absents)
        absent = 0
      }
      if bits == Cell.stale {
        writer.put(varint: special)
      } else if bits == Cell.elsewhere {
        writer.put(varint: 1 << 2 | special)
      } else if let whole = whole(value) {
        writer.put(varint: UInt64(bitPattern: whole &<< 1 ^ whole &>> 63) << 2 | integer)
      } else {
        writer.put(varint: number)
        writer.put(fixed: bits)
      }
    }
    return writer.bytes
  }

  /// The integer that is just this number, bit for bit.
  @inline(__always)
  private static func whole(_ value: Double) -> Int64? {
    guard abs(value) < 0x1p52 else { return nil }
    let whole = Int64(value)
    return Double(whole).bitPattern == value.bitPattern ? whole : nil
  }

  /// Calls `body` with each cell that is not absent; false if the bytes are damaged.
  static func decode(_ bytes: [UInt8], _ body: (_ column: Int, _ cell: Double) -> Void) -> Bool {
    bytes.withUnsafeBufferPointer { buffer in
      var reader = SnapshotReader(buffer)
      var c = 0
      while !reader.isAtEnd {
        guard let token = reader.varint() else { return false }
        let rest = token >> 2
        switch token & 3 {
        case integer:
          body(c, Double(Int64(bitPattern: rest &>> 1) ^ -Int64(bitPattern: rest & 1)))
        case absents:
          guard rest > 0, rest < 1 << 32 else { return false }
          c += Int(rest)
          continue
        case number:
          guard let bits = reader.fixed() else { return false }
          body(c, Double(bitPattern: bits))
        default: body(c, Double(bitPattern: rest == 0 ? Cell.stale : Cell.elsewhere))
        }
        c += 1
      }
      return true
    }
  }
}

/// A sample beside the rows.
struct SideSample {
  var time: Int64
  var value: SampleValue
  var start: Int64?
}

/// The code of samples beside the rows: per series its number, a count and the samples.
enum SideCode {
  static func append(_ samples: [SideSample], of id: Int64, to writer: inout SnapshotWriter) {
    writer.put(signed: id)
    writer.put(varint: UInt64(samples.count))
    var time: Int64 = 0
    for sample in samples {
      var kind: UInt64 = sample.start == nil ? 0 : 2
      if case .histogram = sample.value { kind += 1 }
      writer.put(varint: kind)
      writer.put(signed: sample.time &- time)
      time = sample.time
      if let start = sample.start { writer.put(signed: start) }
      switch sample.value {
      case .float(let value): writer.put(fixed: value.bitPattern)
      case .histogram(let value): append(value, to: &writer)
      }
    }
  }

  private static func append(_ histogram: FloatHistogram, to writer: inout SnapshotWriter) {
    writer.put(varint: UInt64(histogram.counterResetHint.rawValue))
    writer.put(signed: Int64(histogram.schema))
    for number in [
      histogram.zeroThreshold, histogram.zeroCount, histogram.count, histogram.sum,
    ] { writer.put(fixed: number.bitPattern) }
    for spans in [histogram.positiveSpans, histogram.negativeSpans] {
      writer.put(varint: UInt64(spans.count))
      for span in spans {
        writer.put(signed: Int64(span.offset))
        writer.put(varint: UInt64(span.length))
      }
    }
    writer.put(histogram.positiveBuckets)
    writer.put(histogram.negativeBuckets)
    writer.put(histogram.customValues)
  }

  /// Calls `body` with the samples of each series; false if the bytes are damaged.
  static func decode(
    _ bytes: [UInt8], _ body: (_ id: Int64, _ samples: [SideSample]) -> Void
  ) -> Bool {
    bytes.withUnsafeBufferPointer { buffer in
      var reader = SnapshotReader(buffer)
      while !reader.isAtEnd {
        guard let id = reader.signed(), let n = reader.count(ofSize: 3) else { return false }
        var samples: [SideSample] = []
        var time: Int64 = 0
        for _ in 0..<n {
          guard let sample = sample(after: time, &reader) else { return false }
          time = sample.time
          samples.append(sample)
        }
        body(id, samples)
      }
      return true
    }
  }

  private static func sample(after time: Int64, _ reader: inout SnapshotReader) -> SideSample? {
    guard let kind = reader.varint(), kind < 4, let step = reader.signed() else { return nil }
    var start: Int64?
    if kind & 2 != 0 {
      guard let known = reader.signed() else { return nil }
      start = known
    }
    if kind & 1 == 0 {
      guard let bits = reader.fixed() else { return nil }
      return SideSample(
        time: time &+ step, value: .float(Double(bitPattern: bits)), start: start)
    }
    guard let value = histogram(&reader) else { return nil }
    return SideSample(time: time &+ step, value: .histogram(value), start: start)
  }

  private static func histogram(_ reader: inout SnapshotReader) -> FloatHistogram? {
    var histogram = FloatHistogram()
    guard let hint = reader.varint(), hint < 4,
      let known = FloatHistogram.CounterResetHint(rawValue: UInt8(hint)),
      let schema = reader.signed(), let narrow = Int32(exactly: schema),
      let threshold = reader.fixed(), let zeros = reader.fixed(), let count = reader.fixed(),
      let sum = reader.fixed(), let positive = spans(&reader), let negative = spans(&reader),
      let above = reader.numbers(), let below = reader.numbers(), let custom = reader.numbers()
    else { return nil }
    histogram.counterResetHint = known
    histogram.schema = narrow
    histogram.zeroThreshold = Double(bitPattern: threshold)
    histogram.zeroCount = Double(bitPattern: zeros)
    histogram.count = Double(bitPattern: count)
    histogram.sum = Double(bitPattern: sum)
    histogram.positiveSpans = positive
    histogram.negativeSpans = negative
    histogram.positiveBuckets = above
    histogram.negativeBuckets = below
    histogram.customValues = custom
    return histogram
  }

  private static func spans(_ reader: inout SnapshotReader) -> [FloatHistogram.Span]? {
    guard let n = reader.count(ofSize: 2) else { return nil }
    var spans: [FloatHistogram.Span] = []
    for _ in 0..<n {
      guard let offset = reader.signed().flatMap(Int32.init(exactly:)),
        let length = reader.varint().flatMap(UInt32.init(exactly:))
      else { return nil }
      spans.append(FloatHistogram.Span(offset: offset, length: length))
    }
    return spans
  }
}
