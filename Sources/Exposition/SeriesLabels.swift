import Model

/// Label sets from raw entries: escapes resolved, bucket bounds and quantiles in OpenMetrics'
/// number form.
struct SeriesLabels {
  /// `name`, `value` pairs as bytes in name order; duplicates and empty values included.
  private(set) var pairs: [(name: [UInt8], value: [UInt8])] = []

  init(_ entry: RawEntry, in lexer: Lexer, type: MetricType) {
    pairs.reserveCapacity(entry.labels.count + 1)
    pairs.append(
      (Array(LabelName.metricName.utf8), Self.unescaped(lexer.bytes(entry.name), quotes: true)))
    for label in entry.labels {
      let name = Self.unescaped(lexer.bytes(label.name), quotes: true)
      let value = Self.unescaped(lexer.bytes(label.value), quotes: true)
      pairs.append((name, Self.normalized(value, label: name, type: type)))
    }
    pairs.sort { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// Labels that are read already.
  init(pairs: [(name: [UInt8], value: [UInt8])]) {
    self.pairs = pairs
    self.pairs.sort { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// Labels outside of a series (an exemplar's).
  init(_ labels: [RawLabel], in lexer: Lexer) {
    pairs = labels.map { (lexer.bytes($0.name), lexer.bytes($0.value)) }
    pairs.sort { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// The set; of equal names the last wins.
  var labelSet: LabelSet {
    var bytes: [UInt8] = []
    for (i, pair) in pairs.enumerated() where !pair.value.isEmpty {
      if i + 1 < pairs.count, pairs[i + 1].name == pair.name { continue }
      LabelSet.encode(pair.name, into: &bytes)
      LabelSet.encode(pair.value, into: &bytes)
    }
    return LabelSet(bytes: bytes)
  }

  /// The pairs as texts.
  var labels: [Label] {
    pairs.map {
      Label(
        name: String(decoding: $0.name, as: UTF8.self),
        value: String(decoding: $0.value, as: UTF8.self))
    }
  }

  /// Why a store would refuse the set, in Prometheus' words.
  var problem: String? {
    for i in pairs.indices.dropFirst() where pairs[i].name == pairs[i - 1].name {
      let name = String(decoding: pairs[i].name, as: UTF8.self)
      return "label name \"\(name)\" is not unique: invalid sample"
    }
    for pair in pairs {
      let bad =
        pair.name.isEmpty || !QuotedBytes.isValidUTF8(pair.name)
        || !QuotedBytes.isValidUTF8(pair.value)
      let unnamed = pair.value.isEmpty && pair.name.elementsEqual(LabelName.metricName.utf8)
      if bad || unnamed { return "invalid metric name or label names: \(labelSet)" }
    }
    return nil
  }

  /// Resolves `\\`, `\n` and, where `quotes` says so, `\"`; any other backslash stands for itself.
  static func unescaped(_ text: [UInt8], quotes: Bool) -> [UInt8] {
    guard text.contains(Byte.backslash) else { return text }
    var out: [UInt8] = []
    var i = 0
    while i < text.count {
      let next = i + 1 < text.count ? text[i + 1] : 0
      if text[i] == Byte.backslash {
        if next == Byte.backslash || (quotes && next == Byte.quote) {
          out.append(next)
          i += 2
          continue
        }
        if next == UInt8(ascii: "n") {
          out.append(Byte.newline)
          i += 2
          continue
        }
      }
      out.append(text[i])
      i += 1
    }
    return out
  }

  /// `le` of histograms and `quantile` of summaries as OpenMetrics writes numbers: `1` becomes
  /// `1.0`.
  private static func normalized(_ value: [UInt8], label: [UInt8], type: MetricType) -> [UInt8] {
    let applies =
      type == .histogram && label.elementsEqual(LabelName.bucketBound.utf8)
      || type == .summary && label.elementsEqual(LabelName.quantile.utf8)
    guard applies, let number = try? value.withUnsafeBufferPointer(GoNumber.parse) else {
      return value
    }
    return Array(openMetricsText(of: number).utf8)
  }

  /// A number as OpenMetrics writes bounds: with a decimal point or an exponent.
  static func openMetricsText(of number: Double) -> String {
    if number == 0 { return "0.0" }
    let text = NumberText.general(number)
    let isFloat = text.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }
    return isFloat || !number.isFinite ? text : text + ".0"
  }
}
