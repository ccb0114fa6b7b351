/// The exposition formats a target may answer in.
package enum ExpositionFormat: String, Sendable, Hashable {
  case text = "text/plain"
  case openMetrics = "application/openmetrics-text"
  /// Delimited `io.prometheus.client.MetricFamily` messages.
  case protobuf = "application/vnd.google.protobuf"

  /// What a target's Content-Type decides, with the words of Prometheus.
  ///
  /// - Parameters:
  ///   - contentType: the header, empty when there is none.
  ///   - fallback: `fallback_scrape_protocol` (`PrometheusText0.0.4`, …), or nil.
  /// - Returns: the format, and a warning when the fallback had to be used.
  package static func from(
    contentType: String, fallback: String?
  ) throws(ExpositionProblem) -> (format: ExpositionFormat, warning: String?) {
    let fallbackFormat = fallback.flatMap { ScrapeProtocol(rawValue: $0)?.format }
    let complaint: String
    if contentType.isEmpty {
      complaint = "non-compliant scrape target sending blank Content-Type"
      guard let fallbackFormat else {
        throw ExpositionProblem(
          complaint + " and no fallback_scrape_protocol specified for target")
      }
      return (fallbackFormat, complaint + ", using fallback_scrape_protocol " + q(fallbackFormat))
    }
    var reason = ""
    switch MediaType.parse(contentType) {
    case .failure(let problem):
      reason = "\n" + problem.text
      guard let fallbackFormat else {
        throw ExpositionProblem(
          "cannot parse Content-Type \(q(contentType)) and no fallback_scrape_protocol for target"
            + reason)
      }
      return (
        fallbackFormat,
        "could not parse received Content-Type \(q(contentType)), using fallback_scrape_protocol "
          + q(fallbackFormat) + reason
      )
    case .success(let name):
      if let format = ExpositionFormat(rawValue: name) { return (format, nil) }
    }
    complaint = "received unsupported Content-Type \(q(contentType))"
    guard let fallbackFormat else {
      throw ExpositionProblem(complaint + " and no fallback_scrape_protocol specified for target")
    }
    return (fallbackFormat, complaint + ", using fallback_scrape_protocol " + q(fallbackFormat))
  }

  private static func q(_ text: String) -> String { QuotedBytes.text(text.utf8) }
  private static func q(_ format: ExpositionFormat) -> String { q(format.rawValue) }
}

/// How a target is asked to send names with characters beyond letters, digits, `_` and `:`.
package enum NameEscaping: String, Sendable, CaseIterable {
  /// As they are.
  case allowUTF8 = "allow-utf-8"
  case underscores, dots, values
}

/// The names of `scrape_protocols`.
package enum ScrapeProtocol: String, Sendable, CaseIterable {
  case protobuf = "PrometheusProto"
  case text004 = "PrometheusText0.0.4"
  case text100 = "PrometheusText1.0.0"
  case openMetrics001 = "OpenMetricsText0.0.1"
  case openMetrics100 = "OpenMetricsText1.0.0"

  package var format: ExpositionFormat {
    switch self {
    case .protobuf: .protobuf
    case .text004, .text100: .text
    case .openMetrics001, .openMetrics100: .openMetrics
    }
  }

  /// What is asked for when a configuration names no protocols.
  package static let defaults: [ScrapeProtocol] = [
    .openMetrics100, .openMetrics001, .text100, .text004,
  ]

  /// The Accept header that prefers the protocols in the order given.
  ///
  /// - Parameter escaping: what the target is asked to do with names that are not plain.
  package static func acceptHeader(
    _ protocols: [ScrapeProtocol] = defaults, escaping: NameEscaping = .allowUTF8
  ) -> String {
    let escaping = ";escaping=" + escaping.rawValue
    var weight = ScrapeProtocol.allCases.count + 1
    var parts: [String] = []
    for item in protocols {
      let name: String
      switch item {
      case .protobuf:
        name =
          "application/vnd.google.protobuf;"
          + "proto=io.prometheus.client.MetricFamily;encoding=delimited"
      case .text004: name = "text/plain;version=0.0.4"
      case .text100: name = "text/plain;version=1.0.0" + escaping
      case .openMetrics001: name = "application/openmetrics-text;version=0.0.1"
      case .openMetrics100: name = "application/openmetrics-text;version=1.0.0" + escaping
      }
      parts.append("\(name);q=0.\(weight)")
      weight -= 1
    }
    parts.append("*/*;q=0.\(weight)")
    return parts.joined(separator: ",")
  }
}
