import Model

/// Reads the histograms of remote write, which number their fields otherwise than a scrape does.
enum PushedHistogram {
  private struct Side {
    var spans: [FloatHistogram.Span] = []
    var deltas: [Int64] = []
    var counts: [Double] = []

    /// Counts are absolute in float histograms, and differences in others.
    func absolute(isFloat: Bool) -> [Double] {
      if isFloat { return counts }
      var current: Int64 = 0
      return deltas.map {
        current &+= $0
        return Double(current)
      }
    }
  }

  static func read(_ message: WireReader) throws(WireProblem) -> PushedSeries.Sample {
    var fields = message
    var histogram = FloatHistogram()
    var (positive, negative) = (Side(), Side())
    var isFloat = false
    var (time, start) = (Int64(0), Int64(0))
    while let tag = try fields.tag() {
      switch tag.field {
      case 1, 6:
        try WireReader.expect(tag, .varint)
        let number = Double(try fields.varint())
        if tag.field == 1 { histogram.count = number } else { histogram.zeroCount = number }
      case 2, 3, 5, 7:
        try WireReader.expect(tag, .fixed64)
        let number = try fields.double()
        switch tag.field {
        case 2: (histogram.count, isFloat) = (number, true)
        case 3: histogram.sum = number
        case 5: histogram.zeroThreshold = number
        default: histogram.zeroCount = number
        }
      case 4:
        try WireReader.expect(tag, .varint)
        histogram.schema = Int32(truncatingIfNeeded: try fields.zigzag())
      case 8, 9, 10: try read(&fields, tag, tag.field - 8, &negative)
      case 11, 12, 13: try read(&fields, tag, tag.field - 11, &positive)
      case 14, 15, 17:
        try WireReader.expect(tag, .varint)
        let number = Int64(bitPattern: try fields.varint())
        switch tag.field {
        case 14: histogram.counterResetHint = hint(number)
        case 15: time = number
        default: start = number
        }
      case 16: histogram.customValues += try doubles(&fields, tag)
      default: try fields.skip(tag.kind)
      }
    }
    histogram.positiveSpans = positive.spans
    histogram.negativeSpans = negative.spans
    histogram.positiveBuckets = positive.absolute(isFloat: isFloat)
    histogram.negativeBuckets = negative.absolute(isFloat: isFloat)
    return PushedSeries.Sample(
      timestamp: Timestamp(milliseconds: time), value: .histogram(histogram),
      start: start == 0 ? nil : Timestamp(milliseconds: start))
  }

  private static func hint(_ number: Int64) -> FloatHistogram.CounterResetHint {
    switch number {
    case 1: .reset
    case 2: .notReset
    case 3: .gauge
    default: .unknown
    }
  }

  /// Spans, deltas and counts of a side, under three numbers in a row.
  private static func read(
    _ fields: inout WireReader, _ tag: WireReader.Tag, _ kind: UInt32, _ side: inout Side
  ) throws(WireProblem) {
    switch kind {
    case 0:
      try WireReader.expect(tag, .bytes)
      side.spans.append(try span(try fields.message()))
    case 1:
      var deltas: [Int64] = []
      try fields.forEach(tag, of: .varint) { one throws(WireProblem) in
        deltas.append(try one.zigzag())
      }
      side.deltas += deltas
    default: side.counts += try doubles(&fields, tag)
    }
  }

  private static func doubles(
    _ fields: inout WireReader, _ tag: WireReader.Tag
  ) throws(WireProblem) -> [Double] {
    var numbers: [Double] = []
    try fields.forEach(tag, of: .fixed64) { one throws(WireProblem) in
      numbers.append(try one.double())
    }
    return numbers
  }

  private static func span(_ message: WireReader) throws(WireProblem) -> FloatHistogram.Span {
    var fields = message
    var span = FloatHistogram.Span(offset: 0, length: 0)
    while let tag = try fields.tag() {
      try WireReader.expect(tag, .varint)
      switch tag.field {
      case 1: span.offset = Int32(truncatingIfNeeded: try fields.zigzag())
      case 2: span.length = UInt32(truncatingIfNeeded: try fields.varint())
      default: try fields.skip(tag.kind)
      }
    }
    return span
  }
}
