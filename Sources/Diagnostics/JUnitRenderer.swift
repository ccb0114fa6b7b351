/// Renders findings as JUnit's XML: a suite per file, a case per rule.
///
/// A rule fails by findings at or above the given severity; milder ones are in its output. What
/// belongs to no rule is a case of the name of the file.
package enum JUnitRenderer {
  package static func render(_ files: [CheckedFile], failOn: Severity = .error) -> String {
    var out = XMLText.declaration
    let suites = files.map { suite($0, failOn) }
    out +=
      XMLText.tag(
        "testsuites",
        [
          ("name", "tocsin"), ("tests", "\(suites.reduce(0) { $0 + $1.tests })"),
          ("failures", "\(suites.reduce(0) { $0 + $1.failures })"), ("errors", "0"),
        ]) + "\n"
    for suite in suites { out += suite.text }
    return out + "</testsuites>\n"
  }

  private static func suite(
    _ file: CheckedFile, _ failOn: Severity
  ) -> (text: String, tests: Int, failures: Int) {
    var cases: [(rule: CheckedFile.Rule, diagnostics: [Diagnostic])] = []
    var index: [CheckedFile.Rule: Int] = [:]
    func add(_ rule: CheckedFile.Rule, _ diagnostic: Diagnostic?) {
      let at = index[rule] ?? cases.count
      if at == cases.count {
        index[rule] = at
        cases.append((rule, []))
      }
      if let diagnostic { cases[at].diagnostics.append(diagnostic) }
    }
    for rule in file.rules { add(rule, nil) }
    for diagnostic in file.diagnostics {
      let rule = CheckedFile.Rule(
        group: diagnostic.group ?? "", name: diagnostic.rule ?? file.path)
      add(rule, diagnostic)
    }
    if cases.isEmpty { add(CheckedFile.Rule(group: "", name: file.path), nil) }
    let failures = cases.count { $0.diagnostics.contains { $0.severity >= failOn } }
    var out =
      "  "
      + XMLText.tag(
        "testsuite",
        [
          ("name", file.path), ("tests", "\(cases.count)"), ("failures", "\(failures)"),
          ("errors", "0"), ("skipped", "0"), ("time", "0"),
        ]) + "\n"
    for (rule, diagnostics) in cases { out += testcase(rule, diagnostics, file.path, failOn) }
    return (out + "  </testsuite>\n", cases.count, failures)
  }

  private static func testcase(
    _ rule: CheckedFile.Rule, _ diagnostics: [Diagnostic], _ path: String, _ failOn: Severity
  ) -> String {
    let group = rule.group.isEmpty ? path : "\(path) \(rule.group)"
    let start = XMLText.tag(
      "testcase", [("name", rule.name), ("classname", group), ("file", path), ("time", "0")],
      isEmpty: diagnostics.isEmpty)
    if diagnostics.isEmpty { return "    \(start)\n" }
    var out = "    \(start)\n"
    // JUnit's schema has one failure per case: the worst findings share it.
    let failing = diagnostics.filter { $0.severity >= failOn }
    if let first = failing.first {
      out += "      "
      out += XMLText.tag("failure", [("message", first.sentence), ("type", first.id)])
      out += XMLText.escaped(failing.map(text).joined(separator: "\n")) + "</failure>\n"
    }
    let milder = diagnostics.filter { $0.severity < failOn }
    if !milder.isEmpty {
      let body = XMLText.escaped(milder.map(text).joined(separator: "\n"))
      out += "      <system-out>\(body)</system-out>\n"
    }
    return out + "    </testcase>\n"
  }

  private static func text(_ diagnostic: Diagnostic) -> String {
    HumanRenderer().render(diagnostic)
  }
}
