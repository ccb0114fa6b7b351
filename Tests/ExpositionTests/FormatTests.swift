import Model
import Testing

@testable import Exposition

@Suite struct FormatTests {
  private func decide(_ type: String, _ fallback: String? = nil) throws -> (
    ExpositionFormat, String?
  ) {
    let decision = try ExpositionFormat.from(contentType: type, fallback: fallback)
    return (decision.format, decision.warning)
  }

  @Test func contentTypes() throws {
    for type in ["text/plain", "text/plain; version=0.0.4; charset=utf-8", "Text/Plain;a=\"b;c\""] {
      #expect(try decide(type) == (.text, nil), "\(type)")
    }
    #expect(try decide("application/openmetrics-text; version=1.0.0") == (.openMetrics, nil))
    #expect(try decide("application/vnd.google.protobuf") == (.protobuf, nil))
  }

  @Test func refusals() {
    let refused = [
      "":
        "non-compliant scrape target sending blank Content-Type"
        + " and no fallback_scrape_protocol specified for target",
      "text/html":
        "received unsupported Content-Type \"text/html\""
        + " and no fallback_scrape_protocol specified for target",
      "text/plain; x":
        "cannot parse Content-Type \"text/plain; x\""
        + " and no fallback_scrape_protocol for target\nmime: invalid media parameter",
    ]
    for (type, message) in refused {
      #expect(throws: ExpositionProblem(message)) { try decide(type) }
    }
  }

  @Test func fallbacks() throws {
    let (format, warning) = try decide("text/html", "PrometheusText0.0.4")
    #expect(format == .text)
    #expect(
      warning
        == "received unsupported Content-Type \"text/html\","
        + " using fallback_scrape_protocol \"text/plain\""
    )
    #expect(try decide("", "OpenMetricsText1.0.0").0 == .openMetrics)
  }

  @Test func acceptHeader() {
    #expect(
      ScrapeProtocol.acceptHeader()
        == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
    #expect(
      ScrapeProtocol.acceptHeader([.text100], escaping: .underscores)
        == "text/plain;version=1.0.0;escaping=underscores;q=0.6,*/*;q=0.5")
  }

  @Test func labelLimits() {
    let labels: LabelSet = ["__name__": "m", "long_name": "value"]
    #expect(LabelLimits().check(labels) == nil)
    #expect(
      LabelLimits(count: 1).check(labels)
        == "label_limit exceeded (metric: m, number of labels: 2, limit: 1)")
    #expect(
      LabelLimits(nameLength: 8).check(labels)
        == "label_name_length_limit exceeded "
        + "(metric: m, label name: long_name, length: 9, limit: 8)"
    )
    #expect(
      LabelLimits(valueLength: 4).check(labels)
        == "label_value_length_limit exceeded "
        + "(metric: m, label name: long_name, value: \"value\", length: 5, limit: 4)"
    )
    #expect(LabelLimits(count: 2, nameLength: 9, valueLength: 5).check(labels) == nil)
  }
}
