import Config
import Diagnostics
import Model
import PromQL
import Rules
import Testing

@Suite("Rule files")
struct RuleFileTests {
  private func load(_ yaml: String) -> RuleFile {
    RuleFileLoader.load(SourceText(name: "r.yml", text: yaml))
  }

  private func places(_ file: RuleFile) -> [String] {
    file.diagnostics.map {
      "\($0.position?.line ?? 0):\($0.position?.column ?? 0) \($0.id)"
    }
  }

  @Test func aWholeFile() throws {
    let file = load(
      """
      groups:
        - name: web
          interval: 30s
          query_offset: 10s
          limit: 5
          labels: {team: a, env: prod}
          rules:
            - record: job:up:sum
              expr: sum by (job) (up)
              labels: {team: b}
            - alert: Down
              expr: up == 0
              for: 5m
              keep_firing_for: 1m
              labels: {severity: page}
              annotations: {summary: 连接 down}
      """)
    #expect(file.diagnostics.isEmpty)
    #expect(file.referenceTexts.isEmpty)
    #expect(file.groupCount == 1)
    #expect(file.ruleCount == 2)
    let group = try #require(file.groups.first)
    #expect(group.key == "r.yml;web")
    #expect(group.interval == .seconds(30))
    #expect(group.queryOffset == .seconds(10))
    #expect(group.limit == 5)
    #expect(group.labels == ["team": "a", "env": "prod"])
    guard case .recording(let record) = group.rules[0], case .alert(let alert) = group.rules[1]
    else {
      Issue.record("wrong kinds")
      return
    }
    #expect(record.labels == ["team": "b", "env": "prod"])
    #expect(record.line == 8)
    #expect(alert.holdDuration == .minutes(5))
    #expect(alert.keepFiringFor == .minutes(1))
    #expect(alert.labels.map(\.name) == ["env", "severity", "team"])
    #expect(alert.annotations.map(\.text) == ["连接 down"])
  }

  @Test func theDefaultIntervalIsPutIn() {
    var options = RuleFileLoader.Options()
    options.defaultInterval = .seconds(7)
    let file = RuleFileLoader.load(
      SourceText(name: "r", text: "groups: [{name: a}, {name: b, interval: 0}]"), options: options)
    #expect(file.groups.map(\.interval) == [.seconds(7), .seconds(7)])
  }

  @Test func emptyFilesAreValid() {
    for yaml in ["", "groups:", "groups: []", "# nothing\n", "groups: [~]"] {
      #expect(load(yaml).isValid)
      #expect(load(yaml).groups.isEmpty)
    }
  }

  @Test(arguments: [
    ("expr: sum(up", 13, 1), ("expr: 'sum(up'", 14, 0), ("expr: \"sum(up\"", 14, 0),
  ])
  func theCaretStandsInTheExpression(_ line: String, _ column: Int, _ extra: Int) throws {
    let file = load("groups:\n- name: g\n  rules:\n  - record: r\n    \(line)\n")
    let position = try #require(file.diagnostics.first?.position)
    #expect(position.line == 5)
    #expect(abs(position.column - (column + 4)) <= 1)
  }

  @Test func theCaretStandsInBlockScalars() throws {
    let literal = load(
      "groups:\n- name: g\n  rules:\n  - record: r\n    expr: |\n      sum(up)\n      by (job) +\n"
        + "      foo bar\n")
    #expect(places(literal) == ["8:11 promql/syntax"])
    let folded = load(
      "groups:\n- name: g\n  rules:\n  - record: r\n    expr: >-\n      sum(up)\n      + foo\n"
        + "      bar(x)\n")
    #expect(places(folded).first?.hasPrefix("8:7 ") == true)
  }

  @Test func goodRulesSurviveBadOnes() {
    let file = load(
      """
      groups:
        - name: a
          rules:
            - {record: good, expr: up}
            - {record: bad, expr: up(}
            - {record: r, expr: up, for: 1m}
            - {alert: A, expr: up, intervall: 1m}
            - {alert: B, expr: up, annotations: {x: '{{ .Foo'}}
            - {alert: Good, expr: up}
        - name: a
        - rules: [{record: x, expr: up}]
      """)
    #expect(file.groups.map(\.name) == ["a", ""])
    #expect(file.groups.first?.rules.map(\.name) == ["good", "Good"])
    #expect(file.groups.first?.quarantined.map(\.name) == ["bad", "r", "A", "B"])
    #expect(file.groups.first?.quarantined.map(\.position) == [1, 2, 3, 4])
    #expect(file.groups.last?.rules.isEmpty == true)
    #expect(file.groups.last?.quarantined.map(\.name) == ["x"])
    #expect(file.hold == nil)
    #expect(file.groupCount == 3)
    #expect(file.ruleCount == 7)
    #expect(
      Set(file.diagnostics.map(\.id)) == [
        "promql/syntax", "rules/field", "yaml/unknown-field", "template/syntax",
        "rules/duplicate-group", "rules/group-name",
      ])
    let offsets = file.diagnostics.map { $0.range?.start ?? 0 }
    #expect(offsets == offsets.sorted())
  }

  @Test func diagnosticsKnowTheirRule() throws {
    let file = load(
      "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up(\n  - record: r\n    expr: up(\n")
    #expect(
      file.diagnostics.map(\.context) == [
        "in alert \"A\", group \"g\"", "in record \"r\", group \"g\"",
      ])
    #expect(file.diagnostics.map(\.rule) == ["A", "r"])
    #expect(file.diagnostics.map(\.group) == ["g", "g"])
  }

  @Test func prometheusTextsOfTheValidatingStage() {
    let file = load(
      """
      groups:
        - name: g
          rules:
            - record: r
              alert: A
              expr: up
            - expr: ''
            - record: 'a{b}'
              expr: up
              for: 1m
              labels: {__name__: x}
      """)
    #expect(
      Set(file.referenceTexts) == [
        "4:17: 5:16: group \"g\", rule 1, \"A\": only one of 'record' and 'alert' must be set",
        "0:0: 0:0: group \"g\", rule 2, \"\": one of 'record' or 'alert' must be set",
        "7:15: group \"g\", rule 2, \"\": field 'expr' must be set in rule",
        "8:17: group \"g\", rule 3, \"a{b}\": invalid field 'for' in recording rule",
        "8:17: group \"g\", rule 3, \"a{b}\": braces present in the recording rule name; should "
          + "it be in expr?: a{b}",
        "group \"g\", rule 3, \"a{b}\": invalid label name: __name__",
      ])
  }

  @Test func prometheusStopsAtABadDuration() {
    let file = load("groups:\n- name: g\n  foo: 1\n  interval: 5\n  rules: [{record: r}]\n")
    #expect(file.referenceTexts == ["not a valid duration string: \"5\""])
    #expect(file.diagnostics.count == 3)
  }

  @Test func prometheusDecodesBeforeItValidates() {
    let file = load("groups:\n- name: g\n  rules:\n  - record: r\n    foo: 1\n")
    #expect(
      file.referenceTexts == ["yaml: unmarshal errors:\n  line 5: field foo not found in a rule"])
    #expect(file.diagnostics.map(\.id).sorted() == ["rules/expr", "yaml/unknown-field"])
  }

  @Test func experimentalFunctionsAreTheCallersChoice() {
    var options = RuleFileLoader.Options()
    options.parser = .release
    let source = SourceText(
      name: "r", text: "groups: [{name: g, rules: [{record: r, expr: 'sort_by_label(up, \"a\")'}]}]"
    )
    #expect(!RuleFileLoader.load(source, options: options).isValid)
    #expect(RuleFileLoader.load(source).isValid)
  }

  @Test func theCaretStandsUnderTheWrongNameOfATemplate() {
    let file = load(
      """
      groups:
        - name: g
          labels: {bad: '{{ humanise $value }}'}
          rules:
            - alert: A
              expr: up
              annotations:
                s: "连\\u0021 {{ $labls.x }}"
      """)
    #expect(places(file) == ["3:23 template/syntax", "8:28 template/syntax"])
    #expect(
      file.diagnostics.map(\.label) == ["did you mean `humanize`?", "did you mean `$labels`?"])
    #expect(file.diagnostics.last?.range.map { $0.end - $0.start } == "$labls".utf8.count)
    #expect(file.referenceTexts.count == 1)
  }

  @Test func anchorsAndMergesWork() {
    let file = load(
      """
      groups:
        - name: a
          rules:
            - &base
              alert: A
              expr: up == 0
              labels: &labels {severity: page}
            - <<: *base
              alert: B
              labels: {<<: *labels, team: x}
      """)
    #expect(file.diagnostics.isEmpty)
    #expect(
      file.places.map(\.labels) == [["severity": "page"], ["severity": "page", "team": "x"]])
  }
}
