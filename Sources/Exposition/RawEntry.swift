/// One entry of an exposition as positions in its bytes: nothing is copied yet.
struct RawEntry {
  enum Kind { case series, type, help, unit, comment }

  var kind = Kind.comment
  /// First byte of the entry; of a series this is where its raw text starts.
  var start = 0
  /// Behind the raw text of a series (name and labels).
  var keyEnd = 0
  /// Behind the entry.
  var end = 0
  var name = 0..<0
  var labels: [RawLabel] = []
  /// Help text, unit or comment.
  var text = 0..<0
  var type = MetricType.unknown
  var value = 0.0
  var timestamp: Int64?
  var exemplar: RawExemplar?
}

/// A label name and its value, both without quotes and still escaped.
struct RawLabel {
  var name: Range<Int>
  var value: Range<Int>
}

/// What follows ` # ` behind a sample.
struct RawExemplar {
  var labels: [RawLabel]
  var value: Double
  var timestamp: Int64?
}

/// The metric types of both text formats; `untyped` is `unknown`.
package enum MetricType: UInt8, Sendable, Hashable {
  case unknown, counter, gauge, histogram, gaugeHistogram, summary, info, stateSet

  /// The name in metadata.
  package var name: String {
    self == .gaugeHistogram ? "gaugehistogram" : self == .stateSet ? "stateset" : "\(self)"
  }

  /// Reads the text of a TYPE line.
  init?(text: [UInt8], openMetrics: Bool) {
    switch String(decoding: text, as: UTF8.self) {
    case "counter": self = .counter
    case "gauge": self = .gauge
    case "histogram": self = .histogram
    case "summary": self = .summary
    case "untyped" where !openMetrics: self = .unknown
    case "unknown" where openMetrics: self = .unknown
    case "gaugehistogram" where openMetrics: self = .gaugeHistogram
    case "info" where openMetrics: self = .info
    case "stateset" where openMetrics: self = .stateSet
    default: return nil
    }
  }
}
