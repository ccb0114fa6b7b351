import Config
import Diagnostics
import Lint
import TestSupport
import Testing

@Suite("house rules")
struct PolicyTests {
  private func findings(_ lint: String, _ rule: String, head: String = "") throws -> [Diagnostic] {
    let tocsin = TocsinConfigLoader.load(
      SourceText(name: "tocsin.yml", text: "lint: {\(lint)}"))
    #expect(tocsin.diagnostics.isEmpty)
    #expect(CheckCatalogue.problems(in: tocsin.lint).isEmpty)
    let source = SourceText(
      name: "r.yml", text: head + "groups: [{name: g, rules: [\(rule)]}]")
    let linter = Linter(settings: tocsin.lint)
    let inspection = linter.inspect(RuleFileLoader.load(source))
    return linter.finish([inspection], in: [source]).flatMap { $0 }
  }

  @Test(arguments: [
    ("required_labels: [severity]", "policy/label"),
    ("forbidden_labels: [team]", "policy/label"),
    ("allowed_values: {team: [db, web]}", "policy/label"),
    ("label_patterns: {team: 'x.*'}", "policy/label"),
    ("required_annotations: [summary]", "policy/annotation"),
    ("annotation_patterns: {runbook: 'https://.*'}", "policy/annotation"),
    ("alert_name: '[a-z]+'", "policy/name"),
    ("min_for: 10m", "policy/for"),
    ("max_for: 1m", "policy/for"),
    ("required_owner: true", "policy/owner"),
  ])
  func broken(_ lint: String, _ id: String) throws {
    let rule =
      "{alert: Down, expr: up == 0, for: 5m, labels: {team: ops}, annotations: {runbook: x}}"
    #expect(try findings(lint, rule).map(\.id) == [id])
  }

  @Test func kept() throws {
    let lint =
      "required_labels: [severity], allowed_values: {severity: [page]}, alert_name: '[A-Z].*', "
      + "min_for: 1m, max_for: 1h, required_owner: true, owners: [bob]"
    let rule = "{alert: Down, expr: up == 0, for: 5m, labels: {severity: page}}"
    #expect(try findings(lint, rule, head: "# tocsin file/owner bob\n").isEmpty)
    #expect(
      try findings(lint, rule, head: "# pint file/owner eve\n").map(\.id) == ["policy/owner"])
  }

  @Test func checksCanBeSwitchedOffAndRated() throws {
    let rule = "{alert: Down, expr: up}"
    #expect(try findings("disable: [alert/no-condition]", rule).isEmpty)
    #expect(try findings("disable: [alerts/comparison]", rule).isEmpty)
    #expect(
      try findings("severity: {alert/no-condition: error}", rule).map(\.severity) == [.error])
  }

  @Test func unknownIdsAreNamed() {
    let tocsin = TocsinConfigLoader.load(
      SourceText(name: "tocsin.yml", text: "lint:\n  disable: [alert/no-conditon]\n"))
    let problems = CheckCatalogue.problems(in: tocsin.lint)
    #expect(problems.map(\.label) == ["did you mean `alert/no-condition`?"])
    #expect(problems.first?.position == SourcePosition(line: 2, column: 13))
  }
}
