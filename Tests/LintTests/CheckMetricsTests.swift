import Diagnostics
import Testing

@testable import Lint

@Suite struct CheckMetricsTests {
  private func check(_ text: String, contentType: String? = nil) -> CheckOutcome {
    var options = CheckOptions()
    options.failOn = .warning
    return CheckMetrics.run(
      bodies: [CheckMetrics.Body(SourceText(name: "m", text: text), contentType: contentType)],
      failures: [], extended: true, options: options)
  }

  @Test func cleanMetrics() {
    let outcome = check(
      """
      # HELP requests_total Requests.
      # TYPE requests_total counter
      requests_total{code="200"} 1
      requests_total{code="500"} 2
      # HELP latency_seconds Latency.
      # TYPE latency_seconds histogram
      latency_seconds_bucket{le="+Inf"} 1
      latency_seconds_count 1
      latency_seconds_sum 1

      """)
    #expect(outcome.exitCode == 0)
    #expect(outcome.standardOutput.contains("SUCCESS: 5 samples found"))
    #expect(outcome.standardOutput.contains("latency_seconds  3            60.00%"))
  }

  @Test(arguments: [
    ("# TYPE a counter\na 1\n", "a: counter metrics should have \"_total\" suffix"),
    ("# TYPE a_total gauge\na_total 1\n", "non-counter metrics should not have \"_total\" suffix"),
    ("a_milliseconds 1\n", "use base unit \"seconds\" instead of \"milliseconds\""),
    ("a_ms 1\n", "metric names should not contain abbreviated units"),
    ("a:b 1\n", "metric names should not contain ':'"),
    ("aB 1\n", "metric names should be written in 'snake_case' not 'camelCase'"),
    ("a{bC=\"1\"} 1\n", "label names should be written in 'snake_case' not 'camelCase'"),
    ("# TYPE a gauge\na{le=\"1\"} 1\n", "non-histogram metrics should not have \"le\" label"),
    ("# TYPE a_gauge gauge\na_gauge 1\n", "metric name should not include type 'gauge'"),
    ("a 1\n", "a: no help text"),
  ])
  func remarks(text: String, remark: String) {
    let outcome = check(text)
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardOutput.contains(remark), "\(outcome.standardOutput)")
  }

  @Test func syntaxErrorsNameTheirLine() {
    let outcome = check("# HELP a A.\n# TYPE a gauge\na 1\na{b=c} 2\n")
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardOutput.contains("m:4"), "\(outcome.standardOutput)")
    #expect(check("a 1\n", contentType: "text/html").exitCode == 1)
    #expect(check("# TYPE a counter\na_total 1\n# EOF\n").standardOutput.contains("no help text"))
  }
}
