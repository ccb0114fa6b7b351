import Authoring
import Config
import Diagnostics
import Glibc
import Testing

@Suite struct RuleFormatterTests {
  private func formatted(_ text: String) -> (text: String, file: RuleFormatter) {
    let file = RuleFormatter(SourceText(name: "rules.yml", text: text))
    return (String(decoding: file.bytes, as: UTF8.self), file)
  }

  @Test func everyKindOfScalar() {
    let before = """
      # head
      groups:
        - name: g   # group
          rules:
            - alert: Plain
              expr: sum(rate( x[5m] ))by(job)>0   # plain
              for: 5m
            - alert: Single
              expr: 'x{a="it''s"}==0'
            - alert: Double
              expr: "x{a=\\"\\\\\\\\d\\"}==0"
            - alert: Literal
              expr: |
                # why
                x==0 # note

                or y==0

            - alert: Folded
              expr: >-
                x
                ==0
              labels: {severity: page}
            - {alert: Flow, expr: a  + b, for: 1m}
            - record: long
              # spread
              expr: sum by (job) (rate(http_requests_total{job="checkout"}[5m])) / sum by (job) (rate(http_responses_total[5m]))  # share

      """
    let after = """
      # head
      groups:
        - name: g   # group
          rules:
            - alert: Plain
              expr: sum by (job) (rate(x[5m])) > 0   # plain
              for: 5m
            - alert: Single
              expr: 'x{a="it''s"} == 0'
            - alert: Double
              expr: "x{a=\\"\\\\\\\\d\\"} == 0"
            - alert: Literal
              expr: |
                # why
                x == 0  # note
                or
                y == 0

            - alert: Folded
              expr: >-
                x == 0
              labels: {severity: page}
            - {alert: Flow, expr: a + b, for: 1m}
            - record: long
              # spread
              expr: |  # share
                sum by (job) (rate(http_requests_total{job="checkout"}[5m]))
                /
                sum by (job) (rate(http_responses_total[5m]))

      """
    let result = formatted(before)
    #expect(result.text == after, "\(result.text)")
    #expect(result.file.problems.isEmpty)
    #expect(formatted(after).file.edits.isEmpty)
    let crlf = formatted(before.replacing("\n", with: "\r\n"))
    #expect(crlf.text == after.replacing("\n", with: "\r\n"))
  }

  @Test func aDiff() {
    let result = formatted(
      "groups:\n- name: g\n  rules:\n  - record: a\n    expr: x+y\n    labels:\n      b: c\n"
        + "  - record: b\n    expr: >\n      x\n       +y # no\n")
    #expect(
      UnifiedDiff(result.file.source, result.file.edits).text == """
        --- rules.yml
        +++ rules.yml
        @@ -2,10 +2,9 @@
         - name: g
           rules:
           - record: a
        -    expr: x+y
        +    expr: x + y
             labels:
               b: c
           - record: b
        -    expr: >
        -      x
        -       +y # no
        +    expr: |
        +      x + y  # no

        """, "\(UnifiedDiff(result.file.source, result.file.edits).text)")
  }

  @Test func mistakesStay() {
    let text = """
      groups:
        - name: g
          rules:
            - {record: a, expr: sum(}
            - {record: b, expr: x+y}

      """
    let result = formatted(text)
    #expect(result.text == text.replacing("x+y", with: "x + y"))
    #expect(result.file.problems.map(\.id) == ["promql/syntax"])
    #expect(formatted("a: [").file.problems.count == 1)
    #expect(formatted("").file.problems.isEmpty)
  }

  /// Every rule file of the corpus: what is formatted means the same, and a second run does
  /// nothing.
  @Test(.enabled(if: getenv("CONFORMANCE_DIR") != nil)) func corpus() throws {
    let folder = String(cString: try #require(getenv("CONFORMANCE_DIR")))
    let files = RulePaths.expand([folder + "/corpus/rules", folder + "/generated-unittests"]).files
    var (changed, blocked) = (0, 0)
    for path in files {
      let first = RuleFormatter(
        SourceText(name: path, bytes: try FileSystem.read(path)))
      changed += first.edits.isEmpty ? 0 : 1
      blocked += first.problems.count { $0.id == "fmt/place" }
      let second = RuleFormatter(SourceText(name: path, bytes: first.bytes))
      #expect(second.edits.isEmpty, "\(path)")
    }
    print("\(files.count) files, \(changed) changed, \(blocked) places left alone")
    #expect(files.count > 800)
    #expect(blocked == 0)
  }
}
