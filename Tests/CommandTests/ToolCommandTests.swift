import TestSupport
import Testing

@Suite struct ToolCommandTests {
  private func tests(expecting value: String) throws -> TemporaryFolder {
    try TemporaryFolder([
      "rules.yml": """
      groups:
        - name: g
          rules:
            - record: job:up:sum
              expr: sum by (job) (up)

      """,
      "unit.yml": """
      rule_files: [rules.yml]
      evaluation_interval: 1m
      tests:
        - interval: 1m
          input_series:
            - {series: 'up{job="a", instance="1"}', values: '1x5'}
            - {series: 'up{job="a", instance="2"}', values: '1x5'}
          promql_expr_test:
            - expr: job:up:sum
              eval_time: 3m
              exp_samples:
                - {labels: 'job:up:sum{job="a"}', value: \(value)}

      """,
    ])
  }

  @Test func unitTestsPass() throws {
    let outcome = try Command("test", "rules", "unit.yml", in: tests(expecting: "2")).run()
    #expect(outcome.status == 0)
    #expect(outcome.output == "Unit Testing:  unit.yml\n  SUCCESS\n\n")
  }

  @Test func unitTestsFail() throws {
    let outcome = try Command("test", "rules", "unit.yml", in: tests(expecting: "3")).run()
    #expect(outcome.status == 1)
    #expect(outcome.output.hasPrefix("Unit Testing:  unit.yml\n  FAILED:\n"))
    #expect(outcome.output.contains(#"+ job:up:sum{job="a"} 2"#), "\(outcome.output)")
    let missing = try Command("test", "rules", "nowhere.yml", in: tests(expecting: "2")).run()
    #expect(missing.status == 2)
    #expect(missing.complaints == "tocsin: nowhere.yml: no such file\n")
  }

  @Test func queriesNobodyAnswers() throws {
    let folder = try TemporaryFolder()
    for kind in ["instant", "range"] {
      let outcome = try Command("query", kind, "http://127.0.0.1:1/", "up", in: folder).run()
      #expect(outcome.status == 2)
      #expect(outcome.output == "")
      #expect(outcome.complaints.hasPrefix(#"tocsin: Post "http://127.0.0.1:1/api/v1/query"#))
      #expect(outcome.complaints.hasSuffix("connect: connection refused\n"))
    }
  }

  @Test func versionAndHelp() throws {
    let folder = try TemporaryFolder()
    let version = try Command("--version", in: folder).run()
    #expect(version.status == 0)
    #expect(version.output.hasPrefix("tocsin 0."))
    let help = try Command("--help", in: folder).run()
    #expect(help.status == 0)
    for example in ["tocsin run --config.file prometheus.yml", "tocsin check rules rules/*.yml"] {
      #expect(help.output.contains(example))
    }
    let run = try Command("run", "--help", in: folder).run()
    #expect(run.output.contains("--storage.path"))
  }

  @Test(arguments: [
    ["check", "rules", "--bogus"], ["run", "--web.listen-address", "nonsense"],
    ["run", "--query.timeout", "soon"], ["query", "instant"], ["nonsense"],
  ])
  func usageErrors(_ arguments: [String]) throws {
    var command = Command(in: try TemporaryFolder())
    command.arguments = arguments
    let outcome = try command.run()
    #expect(outcome.status == 64)
    #expect(outcome.complaints.hasPrefix("Error: "))
    #expect(outcome.output == "")
  }

  @Test func aConfigurationThatCannotBeUsed() throws {
    let folder = try TemporaryFolder(["prometheus.yml": "scrape_configs: 5\n"])
    let outcome = try Command("run", "--web.listen-address", "127.0.0.1:0", in: folder).run()
    #expect(outcome.status == 1)
    #expect(outcome.complaints.contains("at=prometheus.yml:1:17"), "\(outcome.complaints)")
    #expect(outcome.complaints.contains("The configuration cannot be used"))
  }
}
