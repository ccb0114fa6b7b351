import RuleTest
import TestSupport
import Testing

@Suite struct CoverageTests {
  private static let rules = """
    groups:
      - name: g
        rules:
          - record: sums
            expr: sum(a) or sum(b)
          - alert: High
            expr: |
              a > 1
                unless quiet
            labels: {severity: page}
            annotations:
              summary: '{{ $value }}'
          - alert: Never
            expr: c > 1 and d > 1
            annotations: {summary: never}
    """

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(["rules.yml": Self.rules]) }

  private func report(_ series: [String]) throws -> UnitTestReport {
    let list = series.map { "      - {series: '\($0)', values: '2x5'}" }.joined(separator: "\n")
    let test = """
      rule_files: [rules.yml]
      tests:
        - input_series:
      \(list)
          promql_expr_test: [{expr: 'vector(1)', eval_time: 2m, exp_samples: [{value: 1}]}]
      """
    try folder.write("t.yml", test)
    var options = UnitTestOptions()
    options.measuresCoverage = true
    return UnitTestRunner.run(path: folder.path + "/t.yml", options: options)
  }

  /// The lines without the folder of the files.
  private func text(_ coverage: RuleCoverage) -> [String] {
    coverage.text.split(separator: "\n").map { line in
      line.contains("rules.yml")
        ? "rules.yml" + (line.split(separator: "rules.yml").last ?? "") : String(line)
    }
  }

  @Test func whatNoTestReachesIsListed() throws {
    let report = try report(["a"])
    #expect(report.failures == [])
    #expect(
      text(report.coverage) == [
        "Coverage: 6 of 12 (50.0 %)",
        "rules.yml:5: sums (`or` at 5:22): the right side never adds a result",
        "rules.yml:9: High (`unless` at 9:13): it never holds anything back",
        "rules.yml:13: Never never fires",
        "rules.yml:14: Never (`and` at 14:21): it never lets anything through",
        "rules.yml:14: Never (`and` at 14:21): it never holds anything back",
        "rules.yml:15: Never never expands its annotation summary",
        "rules.yml: 6 of 12 (50.0 %)",
      ])
  }

  @Test func testsAddUp() throws {
    var all = try report(["a", "quiet"]).coverage
    all.merge(try report(["b"]).coverage)
    all.merge(try report(["c"]).coverage)
    all.merge(try report(["a", "c", "d"]).coverage)
    #expect(all.percent == 100)
    #expect(text(all) == ["Coverage: 12 of 12 (100.0 %)", "rules.yml: 12 of 12 (100.0 %)"])
  }

  @Test func lcovHasRulesLinesAndBranches() throws {
    let lines = try report(["a"]).coverage.lcov.split(separator: "\n").map(String.init)
    let expected = [
      "FN:4,sums", "FN:6,High", "FN:13,Never", "FNDA:3,sums", "FNDA:1,High", "FNDA:0,Never",
      "FNF:3", "FNH:2", "BRDA:5,0,0,3", "BRDA:5,0,1,0", "BRDA:9,0,0,3", "BRDA:9,0,1,0",
      "BRDA:14,0,0,0", "BRDA:14,0,1,0", "BRF:6", "BRH:2", "DA:4,3", "DA:6,1", "DA:10,3", "DA:12,3",
      "DA:13,0", "DA:15,0", "LF:6", "LH:4", "end_of_record",
    ]
    #expect(Array(lines.dropFirst(2)) == expected)
    #expect(lines.first == "TN:")
  }
}
