import Model

/// Builds a text exposition: families in the order written, each with HELP and TYPE.
package struct MetricsText {
  package enum Kind: String, Sendable { case counter, gauge, histogram, summary }

  package private(set) var bytes: [UInt8] = []
  private var name = ""

  package init() {}

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Starts a family; the samples that follow belong to it.
  package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    self.name = name
    let line = help.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\n": "\\n"
      default: String(scalar)
      }
    }.joined()
    put("# HELP \(name) \(line)\n# TYPE \(name) \(kind.rawValue)\n")
  }

  /// Writes one sample of the family.
  package mutating func sample(
    _ value: Double, _ labels: [(name: String, value: String)] = [], suffix: String = ""
  ) {
    put(name + suffix)
    if !labels.isEmpty {
      put("{" + labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ","))
      put("}")
    }
    put(" " + NumberText.general(value) + "\n")
  }

  /// Writes one count of the family.
  package mutating func sample(
    _ value: some BinaryInteger, _ labels: [(name: String, value: String)] = []
  ) {
    sample(Double(value), labels)
  }

  /// A family of a single sample without labels.
  package mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    family(name, kind, help)
    sample(value)
  }

  /// Writes quantiles, sum and count of a summary.
  package mutating func summary(
    _ summary: DurationSummary, _ labels: [(name: String, value: String)] = [],
    quantiles: [Double] = [0.5, 0.9, 0.99]
  ) {
    for (q, value) in zip(quantiles, summary.quantiles(quantiles)) {
      sample(value, labels + [("quantile", NumberText.general(q))])
    }
    sample(summary.sum, labels, suffix: "_sum")
    sample(Double(summary.count), labels, suffix: "_count")
  }

  /// Writes the cumulative buckets, sum and count of a histogram.
  package mutating func histogram(
    _ histogram: DurationHistogram, _ labels: [(name: String, value: String)] = []
  ) {
    var total: UInt64 = 0
    for (i, count) in histogram.counts.enumerated() {
      total += count
      let bound =
        i < histogram.bounds.count ? NumberText.general(histogram.bounds[i]) : "+Inf"
      sample(Double(total), labels + [("le", bound)], suffix: "_bucket")
    }
    sample(histogram.sum, labels, suffix: "_sum")
    sample(Double(total), labels, suffix: "_count")
  }

  private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private static func escape(_ text: String) -> String {
    var out: [UInt8] = []
    for b in text.utf8 {
      switch b {
      case UInt8(ascii: "\\"): out += Array("\\\\".utf8)
      case UInt8(ascii: "\""): out += Array("\\\"".utf8)
      case 0x0a: out += Array("\\n".utf8)
      default: out.append(b)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
