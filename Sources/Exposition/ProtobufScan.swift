import Glibc
import Model

/// One pass over a body of delimited `MetricFamily` messages.
///
/// As with text, a series is predicted from the one that followed last time: its key is put
/// together from the bytes of the message and compared, and labels are decoded only for a key that
/// is new.
struct ProtobufScan {
  private let body: UnsafeBufferPointer<UInt8>
  private let honorsTimestamps: Bool
  private let reading: HistogramReading
  private let current: UInt32
  private let expected: UInt32
  private let limits: ScrapeLimits

  private(set) var summary = ScanSummary()
  /// Samples without a timestamp put into the buffers.
  private(set) var delivered = 0
  /// Distinct series that were seen.
  private(set) var lines = 0
  private(set) var histograms: [HistogramSample] = []
  private var previous = 0
  private var key = ProtobufKey()
  private var family = Family()
  private var timestamp: Int64?
  private var buckets: [ProtobufHistogram.Bucket] = []

  init(
    _ body: UnsafeBufferPointer<UInt8>, honorTimestamps: Bool, reading: HistogramReading,
    current: UInt32, expected: UInt32, limits: ScrapeLimits
  ) {
    self.body = body
    self.honorsTimestamps = honorTimestamps
    self.reading = reading
    self.current = current
    self.expected = expected
    self.limits = limits
  }

  mutating func run(
    _ table: inout LineTable, _ buffers: ScanBuffers, _ timed: inout [TimedSample]
  ) throws(ExpositionProblem) {
    var families = WireReader(body)
    var number = 0
    while !families.isAtEnd {
      number += 1
      family = Family()
      do throws(WireProblem) {
        let message = try families.message()
        family = try Family(message)
        try family.check()
        key.begin(family: family.name)
        summary.metadataLines += family.metadata
        try metrics(of: message, &table, buffers, &timed)
      } catch {
        let name = String(decoding: family.name, as: UTF8.self)
        let place = name.isEmpty ? "metric family \(number)" : "metric family \(name)"
        throw ExpositionProblem("\(place): \(error.message)", line: number)
      }
    }
  }

  private mutating func metrics(
    of message: WireReader, _ table: inout LineTable, _ buffers: ScanBuffers,
    _ timed: inout [TimedSample]
  ) throws(WireProblem) {
    var fields = message
    while let tag = try fields.tag() {
      guard tag.field == 4 else {
        try fields.skip(tag.kind)
        continue
      }
      try WireReader.expect(tag, .bytes)
      try metric(try fields.message(), &table, buffers, &timed)
    }
  }

  /// One metric: its labels and time first, then what it measured.
  private mutating func metric(
    _ message: WireReader, _ table: inout LineTable, _ buffers: ScanBuffers,
    _ timed: inout [TimedSample]
  ) throws(WireProblem) {
    key.beginMetric()
    timestamp = nil
    var value: WireReader?
    var fields = message
    let wanted = family.valueField
    while let tag = try fields.tag() {
      switch tag.field {
      case 1:
        try WireReader.expect(tag, .bytes)
        key.append(label: try fields.bytes())
      case 6:
        try WireReader.expect(tag, .varint)
        // Zero stands for a metric without a time.
        let time = Int64(bitPattern: try fields.varint())
        if honorsTimestamps && time != 0 { timestamp = time }
      case wanted:
        try WireReader.expect(tag, .bytes)
        value = try fields.message()
      default: try fields.skip(tag.kind)
      }
    }
    let content = value ?? WireReader(UnsafeBufferPointer(start: nil, count: 0))
    switch family.type {
    case .summary: try summary(content, &table, buffers, &timed)
    case .histogram, .gaugeHistogram: try histogram(content, &table, buffers, &timed)
    default:
      key.select(.value)
      try deliver(try Self.number(content), &table, buffers, &timed)
    }
  }

  /// The value of a counter, gauge or untyped metric.
  private static func number(_ message: WireReader) throws(WireProblem) -> Double {
    var fields = message
    var value = 0.0
    while let tag = try fields.tag() {
      if tag.field == 1 {
        try WireReader.expect(tag, .fixed64)
        value = try fields.double()
      } else {
        try fields.skip(tag.kind)
      }
    }
    return value
  }

  private mutating func summary(
    _ message: WireReader, _ table: inout LineTable, _ buffers: ScanBuffers,
    _ timed: inout [TimedSample]
  ) throws(WireProblem) {
    var fields = message
    var (count, sum) = (0.0, 0.0)
    while let tag = try fields.tag() {
      switch tag.field {
      case 1:
        try WireReader.expect(tag, .varint)
        count = Double(try fields.varint())
      case 2:
        try WireReader.expect(tag, .fixed64)
        sum = try fields.double()
      default: try fields.skip(tag.kind)
      }
    }
    key.select(.count)
    try deliver(count, &table, buffers, &timed)
    key.select(.sum)
    try deliver(sum, &table, buffers, &timed)
    fields = message
    while let tag = try fields.tag() {
      guard tag.field == 3 else {
        try fields.skip(tag.kind)
        continue
      }
      try WireReader.expect(tag, .bytes)
      var quantile = try fields.message()
      var (rank, value) = (0.0, 0.0)
      while let tag = try quantile.tag() {
        switch tag.field {
        case 1, 2:
          try WireReader.expect(tag, .fixed64)
          let number = try quantile.double()
          if tag.field == 1 { rank = number } else { value = number }
        default: try quantile.skip(tag.kind)
        }
      }
      key.select(.quantile, bound: rank)
      try deliver(value, &table, buffers, &timed)
    }
  }

  private mutating func histogram(
    _ message: WireReader, _ table: inout LineTable, _ buffers: ScanBuffers,
    _ timed: inout [TimedSample]
  ) throws(WireProblem) {
    let histogram = try ProtobufHistogram(message, reusing: buckets)
    buckets = []
    defer { buckets = histogram.buckets }
    let isNative = reading.readsNative && histogram.isNative
    if isNative {
      let native = histogram.native(isGauge: family.type == .gaugeHistogram)
      try deliver(native, &table)
      if !reading.keepsClassic || histogram.buckets.isEmpty { return }
    } else if reading.convertsClassic {
      try deliver(
        CustomBuckets.histogram(
          histogram.buckets.map { ($0.bound, $0.count) }, count: histogram.count,
          sum: histogram.sum, isGauge: family.type == .gaugeHistogram), &table)
      if !reading.keepsClassic { return }
    }
    key.select(.count)
    try deliver(histogram.count, &table, buffers, &timed)
    key.select(.sum)
    try deliver(histogram.sum, &table, buffers, &timed)
    for bucket in histogram.buckets {
      key.select(.bucket, bound: bucket.bound)
      try deliver(bucket.count, &table, buffers, &timed)
      if bucket.bound == .infinity { return }
    }
    // The last bucket holds everything, written or not.
    key.select(.bucket, bound: .infinity)
    try deliver(histogram.count, &table, buffers, &timed)
  }

  // MARK: Delivery

  /// Takes a number for the series whose key is selected.
  private mutating func deliver(
    _ value: Double, _ table: inout LineTable, _ buffers: ScanBuffers, _ timed: inout [TimedSample]
  ) throws(WireProblem) {
    let (e, isFirst) = try entry(&table)
    if let timestamp {
      timed.append(TimedSample(e, value, timestamp))
    } else if !isFirst {
      summary.duplicates += 1
    } else {
      if delivered == buffers.capacity { buffers.grow(keeping: delivered) }
      buffers.entries[delivered] = UInt32(truncatingIfNeeded: e)
      buffers.values[delivered] = value
      delivered += 1
    }
  }

  /// Takes a native histogram.
  private mutating func deliver(
    _ value: FloatHistogram, _ table: inout LineTable
  ) throws(WireProblem) {
    do throws(HistogramFault) {
      try value.validate()
    } catch {
      throw WireProblem(error.description)
    }
    key.select(.native)
    let (e, isFirst) = try entry(&table)
    if timestamp == nil && !isFirst {
      summary.duplicates += 1
      return
    }
    histograms.append(
      HistogramSample(
        entry: UInt32(truncatingIfNeeded: e), value: value.compacted(),
        timestamp: timestamp.map(Timestamp.init(milliseconds:))))
  }

  /// The entry of the selected key, made known if need be; false: this scan has seen it before.
  @inline(__always)
  private mutating func entry(
    _ table: inout LineTable
  ) throws(WireProblem) -> (entry: Int, isFirst: Bool) {
    summary.samples += 1
    let predicted = Int(table.lines[previous].next)
    var e = predicted
    let matches =
      predicted != 0
      && key.bytes.withUnsafeBufferPointer { bytes in
        let known = table.text(of: table.lines[predicted])
        guard known.count == bytes.count, let a = known.baseAddress, let b = bytes.baseAddress
        else { return false }
        return memcmp(a, b, bytes.count) == 0
      }
    if !matches {
      e = try lookUp(&table)
      table.lines[previous].next = UInt32(truncatingIfNeeded: e)
    }
    previous = e
    let seen = table.lines[e].seen
    if seen == current { return (e, false) }
    lines += 1
    if seen != expected {
      table.payloads[e] = ScrapeCache.unresolved
      summary.newEntries += 1
    }
    table.lines[e].seen = current
    return (e, true)
  }

  @inline(never)
  private mutating func lookUp(_ table: inout LineTable) throws(WireProblem) -> Int {
    let length = key.bytes.count
    if length > limits.lineLength {
      throw WireProblem("a series longer than \(limits.lineLength) bytes")
    }
    let (bytes, type, seen) = (key.bytes, family.type, expected &- 1)
    let hasRoom = table.count <= limits.lines
    let found = bytes.withUnsafeBufferPointer { buffer -> Int? in
      guard let text = buffer.baseAddress else { return nil }
      let hash = table.hasher.hash(text, length)
      let known = table.find(length: length, hash: hash)
      if known != 0 { return known }
      guard hasRoom else { return nil }
      return table.insert(
        text, length, hash: hash, kind: .keptSeries, type: type, seen: seen,
        payload: ScrapeCache.unresolved)
    }
    guard let found else { throw WireProblem("more than \(limits.lines) series in one exposition") }
    return found
  }
}
