import TestSupport
import Testing

@Suite struct PromQLCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder([:]) }

  @Test func formatsAnExpression() throws {
    let outcome = try Command("promql", "format", "sum(rate(x[5m]))by(job)", in: folder).run()
    #expect(outcome.status == 0)
    #expect(outcome.output == "sum by (job) (rate(x[5m]))\n")
  }

  @Test func readsStandardInput() throws {
    let long = "sum by (service, instance) (rate(http_requests_total{code=~\"5..\"}[5m]))"
    let input = "\(long)/\(long) > 0.05\n"
    let outcome = try Command("promql", "format", "-", in: folder, input: input).run()
    #expect(outcome.output == "    \(long)\n  /\n    \(long)\n>\n  0.05\n")
  }

  @Test func showsAMistakeWithItsPlace() throws {
    let outcome = try Command("promql", "format", "sum(a) by ())", in: folder).run()
    #expect(outcome.status == 1)
    #expect(outcome.output.isEmpty)
    #expect(
      outcome.complaints == """
        <expr>:1:13: error: unexpected right parenthesis ')' [promql/syntax]
           1 | sum(a) by ())
             |             ^ no parenthesis is open here

        """)
  }

  @Test func showsAPlan() throws {
    let outcome = try Command(
      "promql", "plan", "sum by (job) (max_over_time(x[1h:1m]))", in: folder
    ).run()
    #expect(outcome.status == 0)
    #expect(
      outcome.output.split(separator: "\n").map { $0.split(separator: "  —")[0] } == [
        "sum by (job)", "└─ max_over_time", "   └─ [1h:1m]", "      └─ x",
      ])
  }

  @Test func showsTheTree() throws {
    let json = try Command("promql", "parse", "--", "-1 + x", in: folder).run().output
    #expect(json.hasPrefix("{\"type\":\"binaryExpr\",\"op\":\"+\",\"lhs\":{\"type\":"))
    let text = try Command(
      "promql", "parse", "-o", "text", "sum by (a) (rate(x[5m])) > 1", in: folder
    ).run().output
    #expect(
      text == """
        vector: >
          vector: sum by (a)
            vector: rate
              matrix: x[5m]
                vector: x
          scalar: 1

        """)
  }
}
