import Model

/// The fields of a `Histogram` message, read in one pass; classic buckets stay where they lie.
struct ProtobufHistogram {
  struct Bucket {
    var bound = 0.0
    var count = 0.0
  }

  private(set) var count = 0.0
  private(set) var sum = 0.0
  private(set) var buckets: [Bucket] = []
  private var countFloat = 0.0
  private var schema: Int32 = 0
  private var zeroThreshold = 0.0
  private var zeroCount = 0.0
  private var zeroCountFloat = 0.0
  private var positive = Side()
  private var negative = Side()

  /// The buckets of one sign.
  private struct Side {
    var spans: [FloatHistogram.Span] = []
    var deltas: [Int64] = []
    var counts: [Double] = []

    /// The counts of integer histograms are kept as differences.
    var absolute: [Double] {
      var current: Int64 = 0
      return deltas.map {
        current &+= $0
        return Double(current)
      }
    }
  }

  /// Reads a message; `buckets` is memory from the message before to be used again.
  init(_ message: WireReader, reusing buckets: [Bucket] = []) throws(WireProblem) {
    var fields = message
    self.buckets = buckets
    self.buckets.removeAll(keepingCapacity: true)
    while let tag = try fields.tag() {
      switch tag.field {
      case 1: count = Double(try Self.integer(&fields, tag))
      case 2: sum = try Self.number(&fields, tag)
      case 3: self.buckets.append(try Self.bucket(&fields, tag))
      case 4: countFloat = try Self.number(&fields, tag)
      case 5:
        try WireReader.expect(tag, .varint)
        schema = Int32(truncatingIfNeeded: try fields.zigzag())
      case 6: zeroThreshold = try Self.number(&fields, tag)
      case 7: zeroCount = Double(try Self.integer(&fields, tag))
      case 8: zeroCountFloat = try Self.number(&fields, tag)
      case 9: negative.spans.append(try Self.span(&fields, tag))
      case 12: positive.spans.append(try Self.span(&fields, tag))
      case 10, 11: try Self.side(&fields, tag, first: 10, &negative)
      case 13, 14: try Self.side(&fields, tag, first: 13, &positive)
      default: try fields.skip(tag.kind)
      }
    }
    if countFloat > 0 { count = countFloat }
  }

  /// Whether any field is set that only native histograms have.
  var isNative: Bool {
    zeroThreshold > 0 || zeroCount > 0 || zeroCountFloat > 0 || !positive.spans.isEmpty
      || !negative.spans.isEmpty
  }

  /// The native histogram.
  func native(isGauge: Bool) -> FloatHistogram {
    let isFloat = countFloat > 0 || zeroCountFloat > 0
    var histogram = FloatHistogram()
    histogram.counterResetHint = isGauge ? .gauge : .unknown
    histogram.schema = schema
    histogram.zeroThreshold = zeroThreshold
    histogram.count = isFloat ? countFloat : count
    histogram.zeroCount = isFloat ? zeroCountFloat : zeroCount
    histogram.sum = sum
    histogram.positiveSpans = positive.spans
    histogram.negativeSpans = negative.spans
    histogram.positiveBuckets = isFloat ? positive.counts : positive.absolute
    histogram.negativeBuckets = isFloat ? negative.counts : negative.absolute
    return histogram
  }

  private static func number(
    _ fields: inout WireReader, _ tag: WireReader.Tag
  ) throws(WireProblem) -> Double {
    try WireReader.expect(tag, .fixed64)
    return try fields.double()
  }

  private static func integer(
    _ fields: inout WireReader, _ tag: WireReader.Tag
  ) throws(WireProblem) -> UInt64 {
    try WireReader.expect(tag, .varint)
    return try fields.varint()
  }

  private static func bucket(
    _ fields: inout WireReader, _ tag: WireReader.Tag
  ) throws(WireProblem) -> Bucket {
    try WireReader.expect(tag, .bytes)
    var message = try fields.message()
    var bucket = Bucket()
    var float = 0.0
    while let tag = try message.tag() {
      switch tag.field {
      case 1: bucket.count = Double(try integer(&message, tag))
      case 2: bucket.bound = try number(&message, tag)
      case 4: float = try number(&message, tag)
      default: try message.skip(tag.kind)
      }
    }
    if float > 0 { bucket.count = float }
    return bucket
  }

  private static func span(
    _ fields: inout WireReader, _ tag: WireReader.Tag
  ) throws(WireProblem) -> FloatHistogram.Span {
    try WireReader.expect(tag, .bytes)
    var message = try fields.message()
    var span = FloatHistogram.Span(offset: 0, length: 0)
    while let tag = try message.tag() {
      switch tag.field {
      case 1: span.offset = Int32(truncatingIfNeeded: try message.zigzag())
      case 2: span.length = UInt32(truncatingIfNeeded: try integer(&message, tag))
      default: try message.skip(tag.kind)
      }
    }
    return span
  }

  /// Deltas under the first number, counts under the next.
  private static func side(
    _ fields: inout WireReader, _ tag: WireReader.Tag, first: UInt32, _ side: inout Side
  ) throws(WireProblem) {
    var (deltas, counts) = (side.deltas, side.counts)
    if tag.field == first {
      try fields.forEach(tag, of: .varint) { one throws(WireProblem) in
        deltas.append(try one.zigzag())
      }
    } else {
      try fields.forEach(tag, of: .fixed64) { one throws(WireProblem) in
        counts.append(try one.double())
      }
    }
    (side.deltas, side.counts) = (deltas, counts)
  }
}
