import JSON
import TestSupport
import Testing

@Suite struct CheckCommandTests {
  /// Mistakes in plain, quoted, `|` and `>` scalars, with Chinese text before them.
  static let mistakes = """
    groups:
      - name: 数据库
        rules:
          - alert: 连接数过多
            expr: sum(rate(errors{city="上海"}[5m])) by ())
          - alert: Quoted
            expr: "up{city=\\"上海\\"} > foo(1)"
            for: 5x
          - alert: Literal
            expr: |
              up{city="上海"}
                + foo(bar)
          - alert: Folded
            expr: >
              up{city="上海"} ==
              foo(1)
            labels: {中文: "{{ $x }}"}

    """

  static let report = """
    Checking bad.yml
    bad.yml:5:53: error: unexpected right parenthesis ')' [promql/syntax]
       4 |       - alert: 连接数过多
       5 |         expr: sum(rate(errors{city="上海"}[5m])) by ())
         |                                                       ^ no parenthesis is open here
         = in alert "连接数过多", group "数据库"

    """

  private func folder() throws -> TemporaryFolder {
    try TemporaryFolder([
      "bad.yml": Self.mistakes,
      "good.yml": """
      groups:
        - name: g
          rules:
            - alert: A
              expr: up == 0
            - record: job:up:sum
              expr: sum by (job) (up)

      """,
    ])
  }

  @Test func aGoodFile() throws {
    let outcome = try Command("check", "rules", "good.yml", in: folder()).run()
    #expect(outcome.status == 0)
    #expect(outcome.output == "Checking good.yml\n  SUCCESS: 2 rules found\n\n")
    #expect(outcome.complaints == "")
  }

  /// The line of the source above each caret, cut where the caret points.
  private func pointedAt(_ output: String) -> [String] {
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.indices.compactMap { index in
      guard index > 0, lines[index].hasPrefix("     |"), lines[index].contains("^") else {
        return nil
      }
      let caret = lines[index].prefix { $0 != "^" }.count
      // East Asian characters are two columns wide.
      var column = 0
      let rest = lines[index - 1].drop { character in
        let isBefore = column < caret
        column += (character.unicodeScalars.first?.value ?? 0) >= 0x2e80 ? 2 : 1
        return isBefore
      }
      return String(rest.prefix(6))
    }
  }

  @Test func everyMistakeHasItsCaret() throws {
    let outcome = try Command("check", "rules", "bad.yml", in: folder()).run()
    #expect(outcome.status == 1)
    #expect(outcome.output.hasPrefix(Self.report), "\(outcome.output)")
    let places = outcome.output.split(separator: "\n").filter { $0.hasPrefix("bad.yml:") }
    #expect(
      places.map { $0.split(separator: " ").first ?? "" } == [
        "bad.yml:5:53:", "bad.yml:7:34:", "bad.yml:8:14:", "bad.yml:12:15:", "bad.yml:16:11:",
        "bad.yml:17:26:",
      ], "\(outcome.output)")
    #expect(
      pointedAt(outcome.output) == [")", "foo(1)", "5x", "foo(ba", "foo(1)", "$x }}\""],
      "\(outcome.output)")
    #expect(outcome.output.hasSuffix("  FAILED: 6 errors\n\n"))
    #expect(!outcome.output.contains("\u{1b}"), "no colours in a file")
  }

  @Test func standardInput() throws {
    let command = Command("check", "rules", "-", in: try folder(), input: Self.mistakes)
    let outcome = try command.run()
    #expect(outcome.status == 1)
    #expect(outcome.output.hasPrefix("Checking <stdin>\n<stdin>:5:53: error: "))
  }

  @Test func json() throws {
    let outcome = try Command("check", "rules", "-o", "json", "bad.yml", "good.yml", in: folder())
      .run()
    #expect(outcome.status == 1)
    let document = try JSONValue(parsing: outcome.output)
    #expect(document["summary"]?["errors"]?.double == 6)
    #expect(
      document["problems"]?.array?.map { $0["check"]?.string ?? "" } == [
        "promql/syntax", "promql/unknown-function", "yaml/duration", "promql/unknown-function",
        "promql/unknown-function", "template/syntax",
      ])
    #expect(document["problems"]?[0]?["rule"]?.string == "连接数过多")
  }

  @Test func aMissingFile() throws {
    let outcome = try Command("check", "rules", "good.yml", "nowhere.yml", in: folder()).run()
    #expect(outcome.status == 2)
    #expect(outcome.complaints == "tocsin: nowhere.yml: no such file\n")
    #expect(outcome.output.contains("SUCCESS"), "the others are checked all the same")
  }

  @Test func colours() throws {
    let red = "\u{1b}["
    var command = Command("check", "rules", "bad.yml", in: try folder())
    #expect(try command.runOnTerminal().contains(red))
    command.environment = ["NO_COLOR": "1"]
    #expect(!(try command.runOnTerminal().contains(red)))
    command.environment = ["TERM": "dumb"]
    #expect(!(try command.runOnTerminal().contains(red)))
    command.environment = [:]
    command.arguments += ["--color", "always"]
    #expect(try command.run().output.contains(red))
    command.arguments = ["check", "rules", "bad.yml", "--color", "never"]
    #expect(!(try command.runOnTerminal().contains(red)))
  }

  @Test func configuration() throws {
    let folder = try TemporaryFolder([
      "prometheus.yml": """
      rule_files: [rules/*.yml]
      scrape_configs:
        - job_name: a
          static_configs: [{targets: ['localhost:1']}]
        - job_name: b
          kubernetes_sd_configs: [{role: pod}]

      """,
      "rules/a.yml": "groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]\n",
    ])
    let outcome = try Command("check", "config", "prometheus.yml", in: folder).run()
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("prometheus.yml:6:"), "\(outcome.output)")
    #expect(outcome.output.contains("kubernetes_sd_configs"))
    #expect(outcome.output.contains("rules/a.yml:1:"))
  }
}
