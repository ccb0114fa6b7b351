import RuleTest
import TestSupport
import Testing

/// What is printed about tests, as golden texts.
@Suite struct TestTextTests {
  private static let rules = """
    groups:
      - name: pool
        rules:
          - alert: PoolFull
            expr: 100 * used / size > 90
            for: 2m
            annotations: {summary: '{{ $value }} %'}
    """
  private static let test = """
    rule_files: [rules.yml]
    tests:
      - name: it fills
        input_series:
          - {series: 'used{db="a"}', values: '40x1 _ 95 95 95 95'}
          - {series: 'size{db="a"}', values: '100x9'}
        alert_rule_test:
          - eval_time: 6m
            alertname: PoolFull
            exp_alerts:
              - exp_labels: {db: a}
                exp_annotations: {summary: '96 %'}
        promql_expr_test:
          - {expr: size, eval_time: 0, exp_samples: [{labels: 'size{db="a"}', value: 1}]}
          - {expr: 'size{', eval_time: 0}
      - name: it is empty
        alert_rule_test: [{eval_time: 1m, alertname: PoolFull}]
    """

  private func report(
    _ test: String = Self.test, rules: String = Self.rules,
    options: UnitTestOptions = UnitTestOptions()
  ) throws -> UnitTestReport {
    let folder = try TemporaryFolder(["rules.yml": rules, "t.yml": test])
    var report = UnitTestRunner.run(path: folder.path + "/t.yml", options: options)
    report.path = "t.yml"
    return report
  }

  @Test func aFailureShowsPlaceDiffAndHistory() throws {
    let text = UnitTestText(.own(isColored: false)).render(try report()).output
    #expect(
      text == """
        Unit Testing:  t.yml
          FAILED:
            t.yml:8:9: in it fills
              PoolFull at 6m: 1 alert expected and found, but not the same
                  {alertname="PoolFull", db="a"}
                -   summary: 96 %
                +   summary: 95 %
              {db="a"}  ...ppff  0s to 6m
                0s  .  40, needs > 90
                3m  p  95 > 90
                5m  f  95 > 90, held for 2m
                6m  f  95 > 90

            t.yml:14:9: in it fills
              size at 0s: 1 sample expected and found, but not the same
                - size{db="a"} 1
                + size{db="a"} 100

            t.yml:15:9: in it fills
              size{ at 0s: 1:6: parse error: unexpected end of input inside braces


        """)
  }

  @Test func promtoolsWordsAreItsOwn() throws {
    let report = try report()
    let plain = UnitTestText(.promtool(diff: false)).render(report)
    #expect(plain.output == "Unit Testing:  t.yml\n\n")
    #expect(
      plain.error.hasPrefix(
        """
          FAILED:
            name: it fills,
            alertname: PoolFull, time: 6m, 
                exp:[
                    0:
                      Labels:{alertname="PoolFull", db="a"}
        """))
    let diff = UnitTestText(.promtool(diff: true)).render(report)
    #expect(
      diff.error.contains("        diff:\n              {alertname=\"PoolFull\", db=\"a\"}\n"))
    #expect(diff.error.contains("            -   summary: 96 %\n"))
  }

  @Test func anAlertThatNeverWasShowsWhatItsConditionSaw() throws {
    let test = """
      rule_files: [rules.yml]
      tests:
        - input_series:
            - {series: 'used{db="a"}', values: '40 _ _ _ _ _ _ _'}
            - {series: 'size{db="a"}', values: '100x9'}
          alert_rule_test:
            - {eval_time: 7m, alertname: PoolFull, exp_alerts: [{exp_labels: {db: a}}]}
      """
    let failure = try #require(try report(test).cases.first?.failures.first)
    #expect(
      failure.timelines.first?.text == [
        #"{db="a"}  ........  0s to 7m"#, "  0s  .  40, needs > 90",
        "  5m  .  no data: nothing from 100 * used / size",
      ])
  }

  @Test func testsAreSelectedByName() throws {
    var options = UnitTestOptions()
    options.names = [try .init("emp[t]")]
    let report = try report(options: options)
    #expect(report.cases.map(\.name) == ["it is empty"])
    #expect(report.passed)
  }

  @Test func junitHasASuitePerFileAndACasePerTest() throws {
    let xml = UnitTestText.junit([try report()])
    #expect(
      xml.hasPrefix(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="tocsin" tests="2" failures="1" errors="0">
          <testsuite name="t.yml" tests="2" failures="1" errors="0" skipped="0" time="0">
            <testcase name="it fills" classname="t.yml" file="t.yml" time="0">
              <failure message="PoolFull at 6m: 1 alert expected and found, but not the same" \
        type="failed">
        """))
    #expect(
      xml.contains(#"<testcase name="it is empty" classname="t.yml" file="t.yml" time="0"/>"#))
    let broken = UnitTestText.junit([try report("tests: 5")])
    #expect(broken.contains(#"tests="1" failures="0" errors="1""#))
  }

  @Test func samplesAreDumpedOnDemand() throws {
    var options = UnitTestOptions()
    options.dumpsSamples = true
    let dump = try #require(try report(options: options).cases.first?.dump)
    #expect(dump.contains("used{db=\"a\"} =>\n40 @[0]\n40 @[60000]\n95 @[180000]"))
    #expect(dump.contains(#"ALERTS{alertname="PoolFull", alertstate="firing", db="a"}"#))
  }

  @Test func diffsAreAsShortAsPossible() {
    let diff = LineDiff(expected: ["a", "b", "c", "d"], got: ["a", "c", "x", "d"])
    #expect(diff.text == ["  a", "- b", "  c", "+ x", "  d"])
  }
}
