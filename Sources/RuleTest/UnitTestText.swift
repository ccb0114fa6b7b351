import Diagnostics

/// What is printed about unit tests.
package struct UnitTestText {
  /// Whose words failures are told in.
  package enum Style: Sendable {
    /// promtool's, with or without a diff in the place of the two lists.
    case promtool(diff: Bool)
    /// Ours: place, diff, history.
    case own(isColored: Bool)
  }

  private let style: Style

  package init(_ style: Style) { self.style = style }

  /// A file's results; promtool has failures on standard error.
  package func render(_ report: UnitTestReport) -> (output: String, error: String) {
    var output = "Unit Testing:  \(report.path)\n"
    for one in report.cases {
      if let dump = one.dump {
        output += "DEBUG: Test \(one.name): all data (input_series and rules):\n\(dump)\n"
      }
    }
    if report.passed { return (output + "  SUCCESS\n\n", "") }
    switch style {
    case .own:
      output += "  FAILED:\n"
      for problem in report.problems { output += "    \(problem.trimmedStart)\n" }
      for one in report.cases {
        for failure in one.failures { output += text(failure, of: one, in: report.path) + "\n" }
      }
      return (output + (report.problems.isEmpty ? "" : "\n"), "")
    case .promtool(let diff):
      var error = "  FAILED:\n"
      for problem in report.problems { error += problem + "\n" }
      for failure in report.cases.flatMap(\.failures) {
        let lines = LineDiff(expected: failure.expected, got: failure.got).text
        let head = failure.text.split(separator: "\n").prefix { !$0.hasPrefix("        exp:") }
        error +=
          diff && !lines.isEmpty
          ? head.joined(separator: "\n") + "\n        diff:\n            "
            + lines.joined(separator: "\n            ") + "\n"
          : failure.text + "\n"
      }
      return (output + "\n", error)
    }
  }

  private func text(
    _ failure: UnitTestFailure, of one: UnitTestReport.Case, in path: String
  ) -> String {
    let place = failure.place.map { "\(path):\($0.line):\($0.column)" } ?? path
    if failure.title.isEmpty {
      return "    \(paint(place, "1")): in \(one.name): \(failure.text.trimmedStart)\n"
    }
    var out = "    \(paint(place, "1")): in \(one.name)\n      \(failure.title)\n"
    for line in LineDiff(expected: failure.expected, got: failure.got).lines {
      switch line {
      case .both(let text): out += "          \(text)\n"
      case .expected(let text): out += "        " + paint("- \(text)", "31") + "\n"
      case .got(let text): out += "        " + paint("+ \(text)", "32") + "\n"
      }
    }
    for timeline in failure.timelines {
      for line in timeline.text { out += "      \(line)\n" }
    }
    return out
  }

  private func paint(_ text: String, _ code: String) -> String {
    guard case .own(isColored: true) = style else { return text }
    return "\u{1b}[\(code)m\(text)\u{1b}[0m"
  }

  /// The last line: how many files and tests, and how many of them failed.
  package static func summary(_ reports: [UnitTestReport]) -> String {
    let tests = reports.flatMap(\.cases)
    let failed = tests.count { !$0.failures.isEmpty }
    let broken = reports.count { !$0.problems.isEmpty }
    let files = "\(reports.count) \(reports.count == 1 ? "file" : "files")"
    var out = "\(tests.count) \(tests.count == 1 ? "test" : "tests") in \(files): "
    out += failed == 0 ? "none failed" : "\(failed) failed"
    if broken > 0 { out += ", \(broken) \(broken == 1 ? "file" : "files") could not be run" }
    return out + "\n"
  }

  // MARK: JUnit

  /// A suite per file, a case per test, as promtool writes them.
  package static func junit(_ reports: [UnitTestReport]) -> String {
    let failures = reports.map { report in
      report.problems.isEmpty ? report.cases.count { !$0.failures.isEmpty } : 0
    }
    let errors = reports.map { $0.problems.isEmpty ? 0 : 1 }
    var out = XMLText.declaration
    out +=
      XMLText.tag(
        "testsuites",
        [
          ("name", "tocsin"), ("tests", "\(reports.reduce(0) { $0 + max(1, $1.cases.count) })"),
          ("failures", "\(failures.reduce(0, +))"), ("errors", "\(errors.reduce(0, +))"),
        ]) + "\n"
    for (i, report) in reports.enumerated() {
      out += suite(report, failures: failures[i], errors: errors[i])
    }
    return out + "</testsuites>\n"
  }

  private static func suite(_ report: UnitTestReport, failures: Int, errors: Int) -> String {
    let tests = errors > 0 ? 1 : report.cases.count
    var out =
      "  "
      + XMLText.tag(
        "testsuite",
        [
          ("name", report.path), ("tests", "\(tests)"), ("failures", "\(failures)"),
          ("errors", "\(errors)"), ("skipped", "0"), ("time", "0"),
        ]) + "\n"
    if errors > 0 {
      out += element("testcase", report.path, in: report.path, isEmpty: false)
      out += "      " + XMLText.tag("error", [("message", report.problems.first ?? "")])
      out += XMLText.escaped(report.problems.joined(separator: "\n")) + "</error>\n"
      return out + "    </testcase>\n  </testsuite>\n"
    }
    for one in report.cases {
      let isFine = one.failures.isEmpty
      out += element("testcase", one.name, in: report.path, isEmpty: isFine)
      if isFine { continue }
      let first = one.failures[0]
      let message = first.title.isEmpty ? first.text.trimmedStart : first.title
      let body = one.failures.map {
        UnitTestText(.own(isColored: false)).text($0, of: one, in: report.path)
      }
      out += "      " + XMLText.tag("failure", [("message", message), ("type", "failed")])
      out += XMLText.escaped(body.joined()) + "</failure>\n    </testcase>\n"
    }
    return out + "  </testsuite>\n"
  }

  private static func element(
    _ tag: String, _ name: String, in path: String, isEmpty: Bool
  ) -> String {
    let attributes = [("name", name), ("classname", path), ("file", path), ("time", "0")]
    return "    " + XMLText.tag(tag, attributes, isEmpty: isEmpty) + "\n"
  }
}

extension String {
  /// Without the blanks at the beginning.
  fileprivate var trimmedStart: String { String(drop { $0 == " " }) }
}
