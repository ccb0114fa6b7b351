import Model

/// A remark about a query's result, in Prometheus' words.
struct Annotation: Hashable {
  enum Kind: Hashable {
    case warning, info
  }

  var kind: Kind
  /// What makes the remark another one than others, and its main text.
  var text: String
  /// What is added to the text where the query's text is known, as the position is.
  var detail: String

  private init(_ kind: Kind, _ text: String, detail: String = "") {
    self.kind = kind
    self.text = (kind == .warning ? "PromQL warning: " : "PromQL info: ") + text
    self.detail = detail
  }

  private static func named(_ text: String, _ name: String) -> String {
    name.isEmpty ? text : text + " for metric name " + GoText.quote(name)
  }
}

extension Annotation {
  static func invalidQuantile(_ q: Double) -> Annotation {
    Annotation(
      .warning, "quantile value should be between 0 and 1, got \(GoNumber.shortest(q))")
  }

  static func invalidRatio(_ ratio: Double, cappedTo limit: Double) -> Annotation {
    Annotation(
      .warning,
      "ratio value should be between -1 and 1, got \(GoNumber.shortest(ratio)), "
        + "capping to \(GoNumber.shortest(limit))")
  }

  static func badBucketLabel(_ value: String, metric: String) -> Annotation {
    Annotation(
      .warning,
      named(
        "bucket label \"le\" is missing or has a malformed value of \(GoText.quote(value))", metric)
    )
  }

  static func mixedFloatsHistograms(metric: String) -> Annotation {
    Annotation(
      .warning,
      "encountered a mix of histograms and floats for metric name \(GoText.quote(metric))")
  }

  static let mixedFloatsHistogramsInAggregation = Annotation(
    .warning, "encountered a mix of histograms and floats for aggregation")

  static func mixedClassicNative(metric: String) -> Annotation {
    Annotation(.warning, named("vector contains a mix of classic and native histograms", metric))
  }

  static func histogramNotCounter(metric: String) -> Annotation {
    Annotation(
      .warning, "this native histogram metric is not a counter: \(GoText.quote(metric))")
  }

  static func histogramNotGauge(metric: String) -> Annotation {
    Annotation(.warning, "this native histogram metric is not a gauge: \(GoText.quote(metric))")
  }

  static func mixedExponentialCustom(metric: String) -> Annotation {
    Annotation(
      .warning,
      "vector contains a mix of histograms with exponential and custom buckets schemas "
        + "for metric name \(GoText.quote(metric))")
  }

  static func incompatibleBucketLayout(_ op: String) -> Annotation {
    Annotation(.warning, "incompatible bucket layout encountered for binary operator \(op)")
  }

  static func counterResetCollision(_ operation: HistogramOperation) -> Annotation {
    Annotation(.warning, "conflicting counter resets during histogram \(operation.rawValue)")
  }

  static let ineffectiveSort = Annotation(
    .warning,
    "sort is ineffective for range queries since results are always ordered by labels")

  static func startTimeOverlap(metric: String) -> Annotation {
    Annotation(
      .warning,
      "sample has start time that overlaps with previous sample timestamp for metric "
        + GoText.quote(metric))
  }

  static func possibleNonCounter(metric: String) -> Annotation {
    Annotation(
      .info,
      "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
        + GoText.quote(metric))
  }

  static func possibleNonCounter(metric: String, typeLabel: String) -> Annotation {
    Annotation(
      .info,
      "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", "
        + "got \(GoText.quote(typeLabel)): \(GoText.quote(metric))")
  }

  static func mismatchedCustomBuckets(_ operation: HistogramOperation) -> Annotation {
    Annotation(
      .info, "mismatched custom buckets were reconciled during \(operation.rawValue)")
  }

  static func incompatibleTypes(_ left: String, _ op: String, _ right: String) -> Annotation {
    Annotation(
      .info,
      "incompatible sample types encountered for binary operator \(GoText.quote(op)): "
        + "\(left) \(op) \(right)")
  }

  static func histogramIgnored(in aggregation: String) -> Annotation {
    Annotation(.info, "ignored histogram in \(aggregation) aggregation")
  }

  static func histogramsIgnoredInRange(metric: String) -> Annotation {
    Annotation(
      .info,
      "ignored histograms in a range containing both floats and histograms for metric name "
        + GoText.quote(metric))
  }

  static func quantileIsNaN(metric: String) -> Annotation {
    Annotation(
      .info,
      named("input to histogram_quantile has NaN observations, result is NaN", metric))
  }

  static func quantileIsSkewed(metric: String) -> Annotation {
    Annotation(
      .info,
      named("input to histogram_quantile has NaN observations, result is skewed higher", metric))
  }

  static func fractionIgnoresNaN(metric: String) -> Annotation {
    Annotation(
      .info,
      named(
        "input to histogram_fraction has NaN observations, which are excluded from all fractions",
        metric))
  }

  static func forcedMonotonicity(_ forced: ForcedMonotonicity) -> Annotation {
    let range =
      "from buckets \(GoNumber.shortest(forced.minBucket)) to "
      + "\(GoNumber.shortest(forced.maxBucket)), with a max diff of "
      + "\(GoNumber.significant(forced.maxDifference, digits: 2)), over \(forced.printedCount) "
      + "samples from \(forced.first.rfc3339Seconds) to \(forced.last.rfc3339Seconds)"
    return Annotation(
      .info,
      named(
        "input to histogram_quantile needed to be fixed for monotonicity (see "
          + "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)",
        forced.metric), detail: ", " + range)
  }
}

/// The operations on histograms that annotations name.
enum HistogramOperation: String {
  case addition, subtraction, aggregation
}

/// The remarks of one query, each once; of several places the last one is told.
struct AnnotationSink {
  private let source: [UInt8]?
  /// Says where a byte of the text stands, where `line:column` in the text itself will not do.
  private let locate: ((Int) -> String)?
  private var entries: [String: (annotation: Annotation, offset: Int)] = [:]

  /// How often a remark was made, known ones included.
  private(set) var additions: UInt64 = 0

  init(source: String?, locate: ((Int) -> String)? = nil) {
    self.source = source.map { Array($0.utf8) }
    self.locate = locate
  }

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  /// The remarks with their places, in any order: each text once.
  var remarks: [(annotation: Annotation, offset: Int)] {
    entries.isEmpty ? [] : Array(entries.values)
  }

  /// Adds a remark about the expression that starts at a byte of the query text; −1 where that is
  /// not known.
  mutating func add(_ annotation: Annotation, at offset: Int) {
    additions += 1
    entries[annotation.text] = (annotation, offset)
  }

  /// The texts of one kind, sorted, with their position if the query text is known.
  func texts(_ kind: Annotation.Kind) -> [String] {
    var texts: [String] = []
    for entry in entries.values where entry.annotation.kind == kind {
      guard let source else {
        texts.append(entry.annotation.text)
        continue
      }
      let offset = max(0, entry.offset)
      let position = locate?(offset) ?? Self.position(of: offset, in: source)
      texts.append(entry.annotation.text + entry.annotation.detail + " (\(position))")
    }
    return texts.sorted(by: ByteOrder.less)
  }

  private static func position(of offset: Int, in source: [UInt8]) -> String {
    guard offset >= 0, offset <= source.count else { return "invalid position" }
    var line = 1
    var lineStart = 0
    for i in 0..<offset where source[i] == UInt8(ascii: "\n") {
      line += 1
      lineStart = i + 1
    }
    return "\(line):\(offset - lineStart + 1)"
  }
}

extension Timestamp {
  /// RFC 3339 to the second, as Go's `time.RFC3339` lays it out.
  fileprivate var rfc3339Seconds: String {
    Timestamp(milliseconds: milliseconds.flooredDivision(by: 1000).quotient * 1000).rfc3339
  }
}
