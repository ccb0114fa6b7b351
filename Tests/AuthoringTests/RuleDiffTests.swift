import Authoring
import Diagnostics
import JSON
import PromQL
import Testing

@Suite struct RuleDiffTests {
  private func diff(_ old: String, _ new: String) -> RuleDiff {
    RuleDiff(
      old: RuleSet([SourceText(name: "old.yml", text: old)]),
      new: RuleSet([SourceText(name: "new.yml", text: new)]))
  }

  @Test(arguments: [
    (#"sum by (a, b) (x{c="1",d="2"})"#, #"sum( x{d="2", c='1'} ) by (b,a,a)"#),
    ("(a + b) + (c)", "a + b + c"), ("-(5) * x", "-5 * x"), ("x > 300", "x > 5m"),
    (#"{__name__="x"}"#, "x"),
    ("a / on (x, y) group_left (p, q) b", "a / on (y, x) group_left (q, p) b"),
    ("x[90s] offset 60s", "x[1m30s] offset 1m"), ("+x", "x"),
  ])
  func sameMeaning(_ a: String, _ b: String) throws {
    #expect(try PromQLParser.parse(a).meaning == PromQLParser.parse(b).meaning)
  }

  @Test(arguments: [
    ("a - (b - c)", "a - b - c"), ("x > 5", "x >= 5"), ("x > bool 5", "x > 5"),
    (#"x{a="1"}"#, #"x{a=~"1"}"#), ("sum by (a) (x)", "sum without (a) (x)"),
    ("a / on () b", "a / b"), ("x[5m]", "x[5m] offset 1m"),
  ])
  func otherMeaning(_ a: String, _ b: String) throws {
    #expect(try PromQLParser.parse(a).meaning != PromQLParser.parse(b).meaning)
  }

  static let old = """
    groups:
      - name: web
        interval: 30s
        rules:
          - record: job:errors:rate5m
            expr: sum by (job) (rate(errors_total[5m]))
          - alert: Errors
            expr: job:errors:rate5m > 0.5
            for: 5m
            labels: {severity: warning}
            annotations: {summary: many errors}
          - alert: Down
            expr: up == 0
          - alert: Slow
            expr: latency > 1
      - name: old
        rules:
          - record: unused
            expr: vector(1)

    """

  @Test func textDoesNotCount() {
    let text = """
      # other words
      groups:
      - rules:
        - {record: "job:errors:rate5m", expr: "sum(rate(errors_total[300s])) by (job)"}
        - alert: Errors
          annotations: {summary: 'many errors'}
          labels: {severity: "warning"}
          for: 300s
          expr: |
            # half
            (job:errors:rate5m) > .5
        - {alert: Down, expr: up==0, keep_firing_for: 0s}
        - {alert: Slow, expr: latency>1}
        interval: 30000ms
        name: web
      - {name: old, rules: [{record: unused, expr: vector (1)}]}
      """
    let same = diff(Self.old, text)
    #expect(same.isEmpty, "\(same.text())")
    #expect(same.text() == "no difference\n")
  }

  @Test func everyKindOfChange() throws {
    let new = """
      groups:
        - name: web
          interval: 1m
          limit: 10
          rules:
            - alert: Errors
              expr: job:errors:rate5m > 1
              for: 10m
              labels: {severity: critical, team: web}
              annotations: {description: "There are many errors, more than anybody could expect to see."}
            - record: job:errors:rate5m
              expr: sum by (job) (rate(errors_total[5m]))
            - alert: New
              expr: x
        - name: host
          rules:
            - alert: Down
              expr: (up == 0)

      """
    let found = diff(Self.old, new)
    #expect(
      found.text() == """
        group web
            interval                    30s -> 1m
            limit                       set to 10
            order of job:errors:rate5m  before Errors -> behind Errors
          ~ alert Errors
              expr                     job:errors:rate5m > 0.5 -> job:errors:rate5m > 1
              for                      5m -> 10m
              labels.severity          warning -> critical
              labels.team              set to web
              annotations.description
                + There are many errors, more than anybody could expect to see.
              annotations.summary      no longer many errors
          + alert New
          - alert Slow
        + group host
          > alert Down  (was in group web)
        - group old
          - record unused

        5 rules: 1 added, 2 removed, 1 changed, 1 moved; settings of 1 group changed

        """, "\(found.text())")
    let json = try JSONValue(parsing: found.json)
    #expect(json["summary"]?["moved"]?.int == 1)
    #expect(json["groups"]?[0]?["rules"]?[0]?["fields"]?[0]?["name"]?.string == "expr")
    #expect(json["groups"]?[1]?["rules"]?[0]?["from"]?.string == "web")
    #expect(found.text(isColoured: true).contains("\u{1b}[32m+ alert New\u{1b}[0m"))
  }

  @Test func rulesOfOneName() {
    let a = "groups: [{name: g, rules: [{alert: A, expr: x > 1}, {alert: A, expr: x > 2}]}]"
    let b = "groups: [{name: g, rules: [{alert: A, expr: x > 2}, {alert: A, expr: x > 3}]}]"
    let found = diff(a, b)
    #expect(found.groups[0].rules.count == 1)
    #expect(found.groups[0].rules[0].fields.first?.old == "x > 1")
    #expect(found.groups[0].rules[0].fields.first?.new == "x > 3")
  }

  @Test func labelsOfTheGroupCountAsThoseOfTheRule() {
    let a = "groups: [{name: g, labels: {t: a}, rules: [{alert: A, expr: x}]}]"
    let b = "groups: [{name: g, rules: [{alert: A, expr: x, labels: {t: a}}]}]"
    #expect(diff(a, b).isEmpty)
  }
}
