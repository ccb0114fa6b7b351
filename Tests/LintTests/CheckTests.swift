import Config
import Diagnostics
import JSON
import Lint
import TestSupport
import Testing

@Suite("check rules and check config")
struct CheckTests {
  @Test func aGoodFile() throws {
    let folder = try TemporaryFolder([
      "a.yml": "groups: [{name: g, rules: [{record: x, expr: up}]}]"
    ])
    let outcome = CheckRules.run([folder.path + "/a.yml"])
    #expect(outcome.exitCode == 0)
    #expect(
      outcome.standardOutput == "Checking \(folder.path)/a.yml\n  SUCCESS: 1 rules found\n\n")
    #expect(outcome.standardError.isEmpty)
  }

  @Test func aBadFile() throws {
    let folder = try TemporaryFolder([
      "a.yml":
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      up ==\n      sum(x))\n"
    ])
    let outcome = CheckRules.run([folder.path + "/a.yml"])
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.standardOutput == """
        Checking \(folder.path)/a.yml
        \(folder.path)/a.yml:7:13: error: unexpected right parenthesis ')' [promql/syntax]
           6 |       up ==
           7 |       sum(x))
             |             ^ no parenthesis is open here
             = in alert "A", group "g"
          FAILED: 1 error


        """)
  }

  @Test func duplicatesAreWarnings() throws {
    let folder = try TemporaryFolder([
      "a.yml": """
      groups:
        - name: g
          labels: {l: x}
          rules: [{record: r, expr: up}]
        - name: h
          rules: [{record: r, expr: sum(up), labels: {l: x}}, {record: r, expr: up}]
      """
    ])
    var options = CheckOptions()
    let outcome = CheckRules.run([folder.path + "/a.yml"], options: options)
    #expect(outcome.exitCode == 0)
    #expect(outcome.standardOutput.contains("6:22: warning: duplicate rule"))
    #expect(outcome.standardOutput.contains("4:22: note: first defined here, in group \"g\""))
    #expect(outcome.standardOutput.contains("SUCCESS: 3 rules found (1 warning)"))
    options.failsOnWarnings = true
    #expect(CheckRules.run([folder.path + "/a.yml"], options: options).exitCode == 1)
  }

  @Test func foldersAndGlobs() throws {
    let folder = try TemporaryFolder([
      "d/a.yml": "", "d/b.yaml": "", "d/c.test.yml": "tests: []", "d/e/f.rules": "", "d/x.txt": "",
    ])
    let outcome = CheckRules.run([folder.path + "/d", folder.path + "/d/*.yaml"])
    let names = outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("Checking") }
      .map { $0.dropFirst("Checking ".count + folder.path.count + 1) }
    #expect(names == ["d/a.yml", "d/b.yaml", "d/e/f.rules", "d/b.yaml"])
  }

  @Test func whatCannotBeReadIsTold() throws {
    let folder = try TemporaryFolder()
    let outcome = CheckRules.run([folder.path + "/none.yml"])
    #expect(outcome.exitCode == 2)
    #expect(outcome.standardError.contains("none.yml: no such file"))
    #expect(CheckConfig.run([folder.path + "/none.yml"]).exitCode == 2)
  }

  @Test func jsonListsFilesAndProblems() throws {
    let folder = try TemporaryFolder([
      "a.yml": "groups: [{name: g, rules: [{record: x, expr: up(}]}]", "b.yml": "groups: []",
    ])
    var options = CheckOptions()
    options.format = .json
    let outcome = CheckRules.run(
      [folder.path + "/a.yml", folder.path + "/b.yml"], options: options)
    let json = try JSONValue(parsing: outcome.standardOutput)
    #expect(json["files"]?.array?.map { $0["success"]?.bool } == [false, true])
    #expect(json["problems"]?[0]?["check"]?.string == "promql/syntax")
    #expect(json["problems"]?[0]?["rule"]?.string == "x")
    #expect(json["summary"]?["errors"]?.int == 1)
  }

  @Test func aConfigurationIsCheckedWithItsFiles() throws {
    let folder = try TemporaryFolder([
      "prometheus.yml": """
      rule_files: [rules.yml, gone.yml]
      scrape_configs:
        - job_name: j
          bearer_token_file: token
          static_configs: [{targets: ['http://a']}]
          relabel_configs: [{action: labeldrop, regex: x}]
      """,
      "rules.yml": "groups: [{name: g, rules: [{record: x, expr: up}]}]",
      "tocsin.yml": "webhooks: []",
    ])
    let outcome = CheckConfig.run(
      [folder.path + "/prometheus.yml"], environment: { _ in nil })
    #expect(outcome.exitCode == 1)
    let out = outcome.standardOutput
    #expect(out.contains("5:33: error: target \"http://a\" cannot be scraped"))
    #expect(out.contains("warning: no rule file"))
    #expect(out.contains("/token\" [config/missing-file]"))
    #expect(out.contains("SUCCESS: 1 rules found"))
    #expect(out.contains("tocsin.yml is a valid tocsin.yml"))
  }
}
