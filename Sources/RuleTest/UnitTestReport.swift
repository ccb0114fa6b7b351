import Diagnostics

/// How a unit test file went.
package struct UnitTestReport: Sendable {
  package var path: String
  /// Why the file could not be run at all.
  package var problems: [String] = []
  /// The tests that were run.
  package var cases: [Case] = []
  package var coverage = RuleCoverage()
  /// The rule files it names, for who watches them.
  package var ruleFiles: [String] = []

  package init(path: String) { self.path = path }

  /// One test.
  package struct Case: Sendable {
    /// As written; without a name `unnamed#` and its place from 0.
    package var name: String
    package var failures: [UnitTestFailure] = []
    /// All samples, if they were asked for.
    package var dump: String?
  }

  /// One text per failed expectation or error, laid out as promtool lays them out; empty means
  /// success.
  package var failures: [String] {
    problems + cases.flatMap { $0.failures.map(\.text) }
  }

  package var passed: Bool { problems.isEmpty && cases.allSatisfy { $0.failures.isEmpty } }
}

/// One expectation that was not met, or an error in a test.
package struct UnitTestFailure: Sendable {
  /// As promtool says it.
  package var text: String
  /// Where the expectation stands in the test file.
  package var place: SourcePosition?
  /// What was looked at, in a few words.
  package var title = ""
  /// Expected and found, a line each, in an order that can be compared.
  package var expected: [String] = []
  package var got: [String] = []
  package var timelines: [AlertTimeline] = []

  package init(_ text: String) { self.text = text }
}
