import TestSupport
import Testing

@Suite struct TestCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder([
      "rules/r.yml": """
      groups:
        - name: g
          rules:
            - {alert: Down, expr: up == 0, for: 2m, labels: {severity: page}}
            - {alert: Gone, expr: 'absent(up{job="a"})'}

      """,
      "t.yml": """
      rule_files: [rules/r.yml]
      tests:
        - name: down
          input_series: [{series: 'up{job="a"}', values: '0x5'}]
          alert_rule_test:
            - {eval_time: 3m, alertname: Down, exp_alerts: [{exp_labels: {job: a, severity: page}}]}
        - name: wrong
          alert_rule_test: [{eval_time: 1m, alertname: Gone}]

      """,
    ])
  }

  @Test func namesSelectTests() throws {
    let fine = try Command("test", "rules", "--run", "^do", "--run", "x", "t.yml", in: folder).run()
    #expect(fine.status == 0)
    let all = try Command("test", "rules", "t.yml", in: folder).run()
    #expect(all.status == 1)
    #expect(all.output.contains("t.yml:8:23: in wrong\n"))
    #expect(all.output.hasSuffix("2 tests in 1 file: 1 failed\n"))
    let bad = try Command("test", "rules", "--run", "(", "t.yml", in: folder).run()
    #expect(bad.status != 0)
    #expect(bad.complaints.contains("--run: "))
  }

  @Test func coverageIsMeasuredAgainstAThreshold() throws {
    let low = try Command(
      "test", "rules", "--run", "down", "--coverage", "--coverage-threshold", "70",
      "--coverage-lcov", "lcov.info", "t.yml", in: folder
    ).run()
    #expect(low.status == 1)
    #expect(
      low.output.hasSuffix(
        """
        Coverage: 2 of 3 (66.7 %)
          rules/r.yml:5: Gone never fires
          rules/r.yml: 2 of 3 (66.7 %)

        """))
    #expect(low.complaints == "tocsin: coverage is 2 of 3: below 70 %\n")
    let enough = try Command(
      "test", "rules", "--run", "down", "--coverage-threshold", "66", "t.yml", in: folder
    ).run()
    #expect(enough.status == 0)
    #expect(enough.output == "Unit Testing:  t.yml\n  SUCCESS\n\n")
  }

  @Test func aFirstTestPassesWhereverItStands() throws {
    try folder.write("tests/empty", "")
    let made = try Command(
      "test", "init", "-o", "tests/first.yml", "rules/r.yml", in: folder
    ).run()
    #expect(made.status == 0)
    let outcome = try Command(
      "test", "rules", "--coverage", "tests/first.yml", in: folder
    ).run()
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output.contains("Coverage: 3 of 3 (100.0 %)"))
    try folder.write("rules/bad.yml", "groups: 5")
    let bad = try Command("test", "init", "rules/bad.yml", in: folder).run()
    #expect(bad.status == 1)
    #expect(bad.complaints.hasPrefix("tocsin: rules/bad.yml:1:9: "))
  }
}
