import Diagnostics
import Model

/// The reserved words that steer modifiers.
enum Keyword: String, Hashable, Sendable, CaseIterable {
  case bool, by, fill, ignoring, offset, smoothed, anchored, on, without
  case groupLeft = "group_left"
  case groupRight = "group_right"
  case fillLeft = "fill_left"
  case fillRight = "fill_right"
}

/// The words that name something of the query itself: its bounds, its step, or a choice of two
/// durations.
enum QueryWord: String, Hashable, Sendable, CaseIterable {
  case start, end, step, range
  case maxOf = "max_of"
  case minOf = "min_of"
}

/// The keys of a native histogram in series notation.
enum HistogramKey: String, Hashable, Sendable, CaseIterable {
  case sum, count, schema, offset
  case negativeOffset = "n_offset"
  case buckets
  case negativeBuckets = "n_buckets"
  case zeroBucket = "z_bucket"
  case zeroWidth = "z_bucket_w"
  case customValues = "custom_values"
  case counterResetHint = "counter_reset_hint"
}

/// What a token is; words keep their spelling in the text, so a keyword can also serve as a name.
enum TokenKind: Hashable, Sendable {
  case end
  case comma, colon, equal
  case leftParen, rightParen, leftBrace, rightBrace, leftBracket, rightBracket
  case string, number, duration, identifier, metricIdentifier
  case infix(BinaryOperator)
  case at, equalRegexp, notEqualRegexp
  case aggregator(AggregateOperator)
  case keyword(Keyword)
  case query(QueryWord)
  // Series notation only.
  case space, blank, times, openHistogram, closeHistogram
  case histogramKey(HistogramKey)
  case resetHint(FloatHistogram.CounterResetHint)

  /// Every word of the language with a meaning of its own, in lower case.
  static let words: [String: TokenKind] = {
    var table: [String: TokenKind] = ["inf": .number, "nan": .number]
    for op in [BinaryOperator.and, .or, .unless, .atan2] { table[op.rawValue] = .infix(op) }
    for op in AggregateOperator.allCases { table[op.rawValue] = .aggregator(op) }
    for word in Keyword.allCases { table[word.rawValue] = .keyword(word) }
    for word in QueryWord.allCases { table[word.rawValue] = .query(word) }
    return table
  }()

  /// Whether the token can be a metric name outside braces.
  var isMetricName: Bool {
    switch self {
    case .identifier, .metricIdentifier, .aggregator, .query: true
    case .infix(let op): op.isSet
    case .keyword(let word):
      switch word {
      case .by, .without, .offset, .smoothed, .anchored, .fill, .fillLeft, .fillRight: true
      case .bool, .on, .ignoring, .groupLeft, .groupRight: false
      }
    default: false
    }
  }

  /// Whether the token can be a label name in `by (…)`, `on (…)` and their like.
  var isGroupingLabel: Bool {
    switch self {
    case .identifier, .metricIdentifier, .aggregator, .query: true
    case .infix(let op): op.isSet || op == .atan2
    case .keyword(let word): word != .without
    default: false
    }
  }

  /// A leading sign, or nil.
  var sign: BinaryOperator? {
    if case .infix(let op) = self, op == .add || op == .subtract { return op }
    return nil
  }
}

/// One lexical unit: its kind and its bytes in the input.
struct Token: Sendable {
  var kind: TokenKind
  var range: SourceRange

  /// How error texts name the token; `text` is its spelling.
  func name(text: String) -> String {
    switch kind {
    case .end: "end of input"
    case .identifier: "identifier \(GoText.quote(text))"
    case .metricIdentifier: "metric identifier \(GoText.quote(text))"
    case .string: "string \(Self.shortened(text))"
    case .number: "number \(Self.shortened(text))"
    case .duration: "duration \(Self.shortened(text))"
    case .keyword: "<\(text)>"
    case .infix, .at, .equalRegexp, .notEqualRegexp: "<op:\(text)>"
    case .aggregator: "<aggr:\(text)>"
    case .histogramKey(let key): "\"<Item \(Self.number(of: key))>\" \(Self.shortened(text))"
    case .resetHint(let hint):
      "\"<Item \(57445 + Int(hint.rawValue))>\" \(Self.shortened(text))"
    default: Self.shortened(text)
    }
  }

  /// The first ten characters, quoted, with dots where more follow.
  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > 10 else { return GoText.quote(text) }
    var head = ""
    head.unicodeScalars.append(contentsOf: text.unicodeScalars.prefix(10))
    return GoText.quote(head) + "..."
  }

  /// The numbers by which Prometheus' messages call the keys, which have no name there.
  private static func number(of key: HistogramKey) -> Int {
    57370 + (HistogramKey.allCases.firstIndex(of: key) ?? 0)
  }
}
