import PromQL
import Testing

@testable import Rules

@Suite struct DataPresenceTests {
  @Test(arguments: [
    ("x > 5", "x > bool 5"),
    ("5 < x", "5 < bool x"),
    ("x", "x"),
    ("-x < 0", "-x < bool 0"),
    ("sum by (job) (rate(x[5m])) > 0.1", "sum by (job) (rate(x[5m])) > bool 0.1"),
    ("count(up == 0) > 2", "count(up == bool 0) > bool 2"),
    ("a > 1 and b < 2", "a > bool 1 and b < bool 2"),
    ("a > 1 or b < 2", "a > bool 1 or b < bool 2"),
    ("a > 1 unless on (job) b == 1", "a > bool 1"),
    ("a > 1 and on (job) absent(b)", "a > bool 1"),
    ("a > on (job) group_left () b", "a > bool on (job) group_left () b"),
    ("topk(3, x) > 1", "x > bool 1"),
    ("max_over_time((x > 5)[10m:1m]) > 7", "max_over_time((x > bool 5)[10m:1m]) > bool 7"),
    (
      "label_replace(x > 1, \"a\", \"b\", \"c\", \"d\")",
      "label_replace(x > bool 1, \"a\", \"b\", \"c\", \"d\")"
    ),
    ("x > scalar(y == 1)", "x > bool scalar(y == 1)"),
  ])
  func asksWithoutFiltering(expr: String, question: String) throws {
    let found = DataPresence.question(for: try PromQLParser.parse(expr))
    #expect(found?.description == question)
  }

  @Test(arguments: [
    "absent(x)", "absent_over_time(x[5m]) > 0", "1", "scalar(x)", "count_values(\"v\", x) > 1",
    "x > 5 or absent(x)", "x * on () absent(y)",
  ])
  func someExpressionsAnswerThemselves(expr: String) throws {
    #expect(DataPresence.question(for: try PromQLParser.parse(expr)) == nil)
  }

  @Test func inputsAreWhatATargetLoses() throws {
    let expr = try PromQLParser.parse("x / x > 1 and y{a=\"b\"} and on () up == 0")
    #expect(DataPresence.inputs(of: expr).map(\.count) == [1, 2])
  }
}
