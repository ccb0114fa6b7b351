import RuleTest
import TestSupport
import Testing

@Suite struct UnitTestRunnerTests {
  private static let rules = """
    groups:
      - name: pool
        rules:
          - record: pool:percent
            expr: 100 * used / ignoring(state) size
          - alert: PoolFull
            expr: pool:percent > 90
            for: 2m
            labels: {severity: page}
            annotations: {summary: '{{ $labels.db }}: {{ $value }} %'}
    """

  private func report(_ test: String, rules: String = Self.rules) throws -> UnitTestReport {
    let folder = try TemporaryFolder(["rules.yml": rules, "rules.test.yml": test])
    return UnitTestRunner.run(path: folder.path + "/rules.test.yml")
  }

  private func test(_ checks: String, used: String = "95x10") -> String {
    """
    rule_files: [rules.yml]
    evaluation_interval: 1m
    tests:
      - interval: 1m
        input_series:
          - {series: 'used{db="a", state="active"}', values: '\(used)'}
          - {series: 'size{db="a"}', values: '100x10'}
    \(checks)
    """
  }

  @Test func alertsFireAfterTheirFor() throws {
    let report = try report(
      test(
        """
            alert_rule_test:
              - {eval_time: 1m59s, alertname: PoolFull, exp_alerts: []}
              - eval_time: 2m
                alertname: PoolFull
                exp_alerts:
                  - exp_labels: {db: a, severity: page}
                    exp_annotations: {summary: 'a: 95 %'}
            promql_expr_test:
              - expr: pool:percent
                eval_time: 1m
                exp_samples: [{labels: 'pool:percent{db="a"}', value: 95}]
        """))
    #expect(report.failures == [])
  }

  @Test func aWrongExpectationIsShownBesideWhatCame() throws {
    let report = try report(
      test(
        """
            alert_rule_test:
              - eval_time: 3m
                alertname: PoolFull
                exp_alerts: [{exp_labels: {db: b}}]
        """))
    #expect(report.failures.count == 1)
    #expect(report.failures[0].contains(#"Labels:{alertname="PoolFull", db="b"}"#))
    #expect(
      report.failures[0].contains(
        #"Labels:{alertname="PoolFull", db="a", severity="page"}"#))
  }

  @Test func aRuleThatFailsEndsTheTest() throws {
    let rules = """
      groups:
        - name: g
          rules:
            - {alert: Twice, expr: '{__name__=~"used|size"} > 0'}
      """
    let report = try report(
      """
      rule_files: [rules.yml]
      tests:
        - input_series:
            - {series: 'used{db="a"}', values: '1'}
            - {series: 'size{db="a"}', values: '1'}
          alert_rule_test: [{eval_time: 0m, alertname: Twice}]
      """, rules: rules)
    #expect(report.failures.count == 1)
    #expect(report.failures[0].contains("rule: Twice, time: 0s, err:"))
  }

  @Test func mistakesInTheFileHaveAPlace() throws {
    let report = try report("rule_files: [rules.yml]\ntests:\n  - {intervall: 1m}\n")
    #expect(report.failures.count == 1)
    #expect(report.failures[0].contains("rules.test.yml:3:6: field intervall not found"))
  }

  @Test func valuesMayDifferByOneBitOnlyWhenFuzzy() throws {
    let check = """
          promql_expr_test:
            - {expr: '0.1 + 0.2', eval_time: 0, exp_samples: [{value: 0.3}]}
      """
    #expect(try !report(test(check)).passed)
    #expect(try report("fuzzy_compare: true\n" + test(check)).passed)
  }
}
