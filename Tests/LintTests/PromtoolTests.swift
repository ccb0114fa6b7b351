import Lint
import TestSupport
import Testing

@Suite("as promtool")
struct PromtoolTests {
  @Test func rules() throws {
    let folder = try TemporaryFolder([
      "good.yml": "groups: [{name: g, rules: [{record: x, expr: up}]}]",
      "bad.yml": "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n",
      "twice.yml": "groups: [{name: g, rules: [{record: x, expr: up}, {record: x, expr: down}]}]",
    ])
    var tool = Promtool()
    tool.lint.duplicateRules = true
    let good = tool.checkRules([folder.path + "/good.yml"])
    #expect(good.exitCode == 0)
    #expect(
      good.standardOutput == "Checking \(folder.path)/good.yml\n  SUCCESS: 1 rules found\n\n")
    let bad = tool.checkRules([folder.path + "/bad.yml"])
    #expect(bad.exitCode == 1)
    #expect(
      bad.standardError
        == "  FAILED:\n\(folder.path)/bad.yml: 5:11: group \"g\", rule 1, \"A\": could not parse "
        + "expression: 1:5: parse error: unclosed left parenthesis\n")
    let twice = tool.checkRules([folder.path + "/twice.yml"])
    #expect(twice.exitCode == 0)
    #expect(
      twice.standardError
        == "  FAILED:\nlint error 1 duplicate rule(s) found.\nMetric: x\nLabel(s):\n"
        + "Might cause inconsistency while recording expressions\n")
    tool.lint.isFatal = true
    #expect(tool.checkRules([folder.path + "/twice.yml"]).exitCode == 3)
    tool.lint.duplicateRules = false
    #expect(tool.checkRules([folder.path + "/twice.yml"]).exitCode == 0)
    // What only our lint finds does not matter under this name.
    #expect(tool.checkRules([folder.path + "/none.yml"]).exitCode == 1)
  }

  @Test func lintWords() {
    #expect(Promtool.Lint(["all"], allowsScrape: false)?.duplicateRules == true)
    #expect(Promtool.Lint(["all"], allowsScrape: true)?.longScrapeInterval == true)
    #expect(Promtool.Lint(["too-long-scrape-interval"], allowsScrape: false) == nil)
    #expect(Promtool.Lint(["duplicate-rules,none"], allowsScrape: true)?.duplicateRules == false)
  }

  @Test func config() throws {
    let folder = try TemporaryFolder([
      "p.yml": "rule_files: [r.yml]\nscrape_configs: [{job_name: j, scrape_interval: 10m}]",
      "r.yml": "groups: [{name: g, rules: [{record: x, expr: up}]}]",
      "gone.yml": "rule_files: [none.yml]",
      "bad.yml": "scrape_configs: [{}]",
    ])
    var tool = Promtool()
    let good = tool.checkConfig([folder.path + "/p.yml"])
    #expect(good.exitCode == 0)
    #expect(good.standardOutput.contains("  SUCCESS: 1 rule files found\n SUCCESS: "))
    #expect(good.standardOutput.contains("  SUCCESS: 1 rules found\n"))
    tool.lint.longScrapeInterval = true
    tool.lint.isFatal = true
    #expect(tool.checkConfig([folder.path + "/p.yml"]).exitCode == 3)
    #expect(tool.checkConfig([folder.path + "/gone.yml"]).exitCode == 1)
    #expect(tool.checkConfig([folder.path + "/bad.yml"]).exitCode == 1)
    tool.isSyntaxOnly = true
    #expect(tool.checkConfig([folder.path + "/gone.yml"]).exitCode == 0)
    tool.isAgent = true
    #expect(tool.checkConfig([folder.path + "/gone.yml"]).exitCode == 1)
  }
}
