import Diagnostics
import Model

/// One position of a series in expanding notation.
package enum SequenceValue: Hashable, Sendable {
  /// `_`: time passes, no sample.
  case omitted
  case float(Double)
  /// A histogram, and whether its `counter_reset_hint` was written (only then is it compared).
  case histogram(FloatHistogram, hintIsGiven: Bool)

  /// Whether there is no sample here.
  package var isOmitted: Bool { self == .omitted }

  /// The number, or zero where there is none.
  package var value: Double {
    if case .float(let value) = self { value } else { 0 }
  }

  /// The histogram, if it is one.
  package var histogram: FloatHistogram? {
    if case .histogram(let histogram, _) = self { histogram } else { nil }
  }

  /// Whether the histogram's literal says `counter_reset_hint:…`.
  package var counterResetHintGiven: Bool {
    if case .histogram(_, let isGiven) = self { isGiven } else { false }
  }

  /// The sample, if there is one.
  package var sample: SampleValue? {
    switch self {
    case .omitted: nil
    case .float(let value): .float(value)
    case .histogram(let histogram, _): .histogram(histogram)
    }
  }
}

/// A metric and its values.
package struct SeriesDescription: Hashable, Sendable {
  package var labels: LabelSet
  package var values: [SequenceValue]

  package init(labels: LabelSet, values: [SequenceValue]) {
    self.labels = labels
    self.values = values
  }
}

extension PromQLParser {
  /// The most values a series description may expand to.
  package static let maximumSequenceLength = 10_000_000

  // MARK: Metrics

  /// A metric: a name, labels, both or neither.
  mutating func metric() throws(ParseProblem) -> LabelSet {
    var labels: [Label] = []
    var name: String?
    if try peek().kind.isMetricName { name = spelling(try take()) }
    if try peek().kind == .leftBrace { labels = try labelSet() }
    if let name { labels.append(Label(name: LabelName.metricName, value: name)) }
    return LabelSet(labels: labels)
  }

  private mutating func labelSet() throws(ParseProblem) -> [Label] {
    func problem(_ token: Token, _ expected: String) -> ParseProblem {
      unexpected(token, in: Context(construct: "label set", expected: expected))
    }
    try take()
    var labels: [Label] = []
    while try peek().kind != .rightBrace {
      let token = try take()
      switch token.kind {
      case .identifier:
        let equal = try take()
        guard equal.kind == .equal else { throw problem(equal, "\"=\"") }
        labels.append(Label(name: spelling(token), value: try labelValue()))
      case .string:
        let name = unquoted(token).text
        if try take(if: .equal) {
          labels.append(Label(name: name, value: try labelValue()))
        } else {
          labels.append(Label(name: LabelName.metricName, value: name))
        }
      default: throw problem(token, "identifier or \"}\"")
      }
      if try peek().kind == .rightBrace { break }
      let separator = try take()
      guard separator.kind == .comma else { throw problem(separator, "\",\" or \"}\"") }
    }
    try take()
    return labels
  }

  private mutating func labelValue() throws(ParseProblem) -> String {
    let token = try take()
    guard token.kind == .string else {
      throw unexpected(token, in: Context(construct: "label set", expected: "string"))
    }
    return unquoted(token).text
  }

  // MARK: Values

  /// A metric and its values, to the end of the text.
  mutating func wholeSeries() throws(ParseProblem) -> SeriesDescription {
    let labels = try metric()
    var values: [SequenceValue] = []
    while try take(if: .space) {
      context = Context(construct: "series values")
      try appendItem(to: &values)
      context = .none
    }
    try expect(.end)
    return SeriesDescription(labels: labels, values: values)
  }

  /// One blank-separated item; nothing where none begins, which the caller finds out.
  private mutating func appendItem(to values: inout [SequenceValue]) throws(ParseProblem) {
    let token = try peek()
    switch token.kind {
    case .blank:
      try take()
      let count = try take(if: .times) ? try repetition(after: values.count, extra: 0) : 1
      values.append(contentsOf: repeatElement(.omitted, count: count))
    case .identifier:
      try take()
      guard spelling(token) == "stale" else {
        throw unexpected(
          token,
          in: Context(construct: "series values", expected: "number or \"stale\""))
      }
      try appendFloats(from: SpecialValue.stale, to: &values)
    case .number: try appendFloats(from: try signedNumber(), to: &values)
    case let kind where kind.sign != nil:
      try appendFloats(from: try signedNumber(), to: &values)
    case .openHistogram: try appendHistograms(to: &values)
    default: break
    }
  }

  /// What may follow a number: `xN`, `+DxN`, `-DxN`.
  ///
  /// Steps are summed up, not multiplied.
  private mutating func appendFloats(
    from first: Double, to values: inout [SequenceValue]
  ) throws(ParseProblem) {
    var value = first
    var step: Double?
    if try peek().kind.sign != nil {
      step = try signedNumber()
      try expect(.times)
    } else if try !take(if: .times) {
      values.append(.float(value))
      return
    }
    for _ in 0..<(try repetition(after: values.count, extra: 1)) {
      values.append(.float(value))
      if let step { value += step }
    }
  }

  /// The number behind `x`, plus `extra`.
  private mutating func repetition(
    after count: Int, extra: Int
  ) throws(ParseProblem) -> Int {
    let token = try peek()
    let times = try unsigned("invalid repetition in series values: ")
    let limit = Self.maximumSequenceLength - count - extra
    guard limit >= 0, times <= UInt64(limit) else {
      throw ParseProblem(
        "more than \(Self.maximumSequenceLength) values in one series", range: token.range)
    }
    return Int(times) + extra
  }

  private mutating func unsigned(_ prefix: String) throws(ParseProblem) -> UInt64 {
    let token = try expect(.number)
    do {
      return try GoNumber.unsigned(spelling(token))
    } catch {
      throw ParseProblem(prefix + error.description, range: token.range)
    }
  }

  // MARK: Histograms

  private mutating func appendHistograms(
    to values: inout [SequenceValue]
  ) throws(ParseProblem) {
    var (value, hintIsGiven) = try histogram()
    var step: FloatHistogram?
    let sign = try peek().kind.sign
    if sign != nil {
      try take()
      guard try peek().kind == .openHistogram else { throw unexpected(try peek()) }
      let increment = try histogram()
      step = increment.value
      hintIsGiven = increment.hintIsGiven
      try expect(.times)
    } else if try !take(if: .times) {
      values.append(.histogram(value, hintIsGiven: hintIsGiven))
      return
    }
    let last = try peek().range
    let count = try repetition(after: values.count, extra: 1)
    for i in 0..<count {
      values.append(.histogram(value, hintIsGiven: hintIsGiven))
      guard let step, i + 1 < count else { continue }
      if value.schema > step.schema {
        throw ParseProblem(
          "error combining histograms: cannot merge from schema \(step.schema) "
            + "to \(value.schema)", range: last)
      }
      let next = sign == .subtract ? value.subtracting(step) : value.adding(step)
      guard let next else { throw ParseProblem(FloatHistogram.incompatibleSchemas, range: last) }
      value = next.histogram
    }
  }

  private mutating func histogram() throws(ParseProblem) -> (
    value: FloatHistogram, hintIsGiven: Bool
  ) {
    let outer = context
    defer { context = outer }
    try expect(.openHistogram)
    var literal = HistogramLiteral()
    if try take(if: .closeHistogram) { return (literal.histogram, false) }
    if try take(if: .space) {
      try expect(.closeHistogram)
      return (literal.histogram, false)
    }
    try histogramItem(of: &literal)
    context = Context(
      construct: "histogram description",
      expected: "histogram description key, e.g. buckets:[5 10 7]")
    while try peek().kind != .closeHistogram {
      try expect(.space)
      if try peek().kind == .closeHistogram { break }
      try histogramItem(of: &literal)
    }
    try take()
    return (literal.histogram, literal.keys.contains(.counterResetHint))
  }

  private mutating func histogramItem(of literal: inout HistogramLiteral) throws(ParseProblem) {
    let token = try take()
    guard case .histogramKey(let key) = token.kind else { throw unexpected(token) }
    try expect(.colon)
    switch key {
    case .sum: literal.parts.sum = try signedNumber()
    case .count: literal.parts.count = try signedNumber()
    case .zeroBucket: literal.parts.zeroCount = try signedNumber()
    case .zeroWidth: literal.parts.zeroThreshold = try numberLiteral().value
    case .schema: literal.parts.schema = try integer()
    case .offset: literal.offset = try integer()
    case .negativeOffset: literal.negativeOffset = try integer()
    case .buckets: literal.parts.positiveBuckets = try bucketList()
    case .negativeBuckets: literal.parts.negativeBuckets = try bucketList()
    case .customValues: literal.parts.customValues = try bucketList()
    case .counterResetHint:
      let hint = try take()
      guard case .resetHint(let value) = hint.kind else { throw unexpected(hint) }
      literal.parts.counterResetHint = value
    }
    if !literal.keys.insert(key).inserted {
      throw ParseProblem("duplicate key \"\(key.rawValue)\" in histogram", range: .zero)
    }
  }

  private mutating func integer() throws(ParseProblem) -> Int32 {
    let isNegative = try take(if: .infix(.subtract))
    let magnitude = Int64(truncatingIfNeeded: try unsigned("invalid repetition in series values: "))
    return Int32(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
  }

  private mutating func bucketList() throws(ParseProblem) -> [Double] {
    try expect(.leftBracket)
    var values = [try signedNumber()]
    while try take(if: .space) {
      if try peek().kind == .rightBracket { break }
      values.append(try signedNumber())
    }
    try expect(.rightBracket)
    return values
  }
}

/// A histogram literal while it is read.
private struct HistogramLiteral {
  var keys: Set<HistogramKey> = []
  var parts = FloatHistogram()
  var offset: Int32 = 0
  var negativeOffset: Int32 = 0

  /// The histogram; each list of buckets is one span.
  var histogram: FloatHistogram {
    var out = parts
    out.positiveSpans = Self.spans(offset, out.positiveBuckets)
    out.negativeSpans = Self.spans(negativeOffset, out.negativeBuckets)
    return out
  }

  private static func spans(_ offset: Int32, _ buckets: [Double]) -> [FloatHistogram.Span] {
    buckets.isEmpty ? [] : [.init(offset: offset, length: UInt32(buckets.count))]
  }
}
