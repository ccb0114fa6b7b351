import Config
import Diagnostics
import Lint
import RuleTest

extension Suites {
  /// Rule files, unit tests, expositions and configurations judged as whole files.
  static func files(in folder: CaseFolder) -> [Suite] {
    corpusRules(in: folder) + ruleFixtures(in: folder) + unitTests(in: folder)
      + configurations(in: folder)
  }

  private static func suite(
    _ kind: String, _ names: [String], judge: @escaping (String) throws -> String?
  ) -> [Suite] {
    if names.isEmpty { return [] }
    return [
      Suite(kind: kind) {
        var result = KindResult(kind)
        for name in names { result.record(name, try judge(name)) }
        return result
      }
    ]
  }

  private static func load(_ folder: CaseFolder, _ path: String) throws -> RuleFile {
    var options = RuleFileLoader.Options()
    options.parser = .release
    return RuleFileLoader.load(
      SourceText(name: path, bytes: try folder.bytes(path)), options: options)
  }

  private static func corpusRules(in folder: CaseFolder) -> [Suite] {
    guard folder.exists("corpus/rules-verdicts.tsv") else { return [] }
    return [
      Suite(kind: "corpus/rules") {
        var result = KindResult("corpus/rules")
        for row in try folder.table("corpus/rules-verdicts.tsv") {
          let path = row["file"] ?? ""
          let file = try load(folder, "corpus/" + path)
          let verdict = file.referenceTexts.isEmpty ? "valid" : "invalid"
          var failure = difference("verdict", verdict, row["verdict"])
          if failure == nil, verdict == "valid", let rules = row["rules"], !rules.isEmpty {
            failure = difference("number of rules", String(file.ruleCount), rules)
          }
          result.record(
            path, failure.map { $0 + "; " + file.referenceTexts.joined(separator: "; ") })
        }
        return result
      }
    ]
  }

  private static func ruleFixtures(in folder: CaseFolder) -> [Suite] {
    ["prometheus/rulefmt", "prometheus/rules_fixtures"].flatMap { place in
      suite(place, folder.names(in: place)) { name in
        let file = try load(folder, place + "/" + name)
        let refused = !file.referenceTexts.isEmpty
        // The legacy name scheme refuses the one that its name calls bad; ours is the default,
        // UTF-8.
        let isLegacyOnly = name == "legacy_validation_annotation.bad.yaml"
        let wanted = !isLegacyOnly && (name.contains(".bad.") || name.hasPrefix("invalid"))
        if refused == wanted { return nil }
        return refused ? "refused: \(file.referenceTexts)" : "accepted, should be refused"
      }
    }
  }

  // MARK: unit tests

  private static func unitTests(in folder: CaseFolder) -> [Suite] {
    promtoolTests(in: folder) + corpusTests(in: folder) + generatedTests(in: folder)
  }

  private static func verdict(_ path: String) -> String? {
    let report = UnitTestRunner.run(path: path, options: .promtool)
    return report.passed ? nil : report.failures.joined(separator: "\n")
  }

  private static func compare(_ path: String, passes: Bool) -> String? {
    let failure = verdict(path)
    if (failure == nil) == passes { return nil }
    return failure ?? "passes, should fail"
  }

  private static func promtoolTests(in folder: CaseFolder) -> [Suite] {
    let place = "prometheus/promtool"
    let passing = [
      "unittest.yml", "long-period.yml", "start-time-test.yml", "no-test-group-interval.yml",
      "at-modifier-test.yml", "negative-offset-test.yml",
    ]
    let failing = [
      "failing.yml", "bad-input-series.yml", "bad-promql.yml", "bad-rules-syntax-test.yml",
      "bad-rules-error-test.yml", "rules_run.yml", "rules_run_extrafields.yml",
      "rules_run_fuzzy.yml", "rules_run_no_fuzzy.yml",
    ]
    let names = (passing + failing).filter { folder.exists(place + "/" + $0) }
    return suite("promtool/unittests", names) { name in
      compare(folder.path + "/" + place + "/" + name, passes: passing.contains(name))
    }
  }

  private static func corpusTests(in folder: CaseFolder) -> [Suite] {
    guard folder.exists("corpus/unittests-verdicts.tsv") else { return [] }
    return [
      Suite(kind: "corpus/unittests") {
        var result = KindResult("corpus/unittests")
        for row in try folder.table("corpus/unittests-verdicts.tsv") {
          let path = row["file"] ?? ""
          result.record(
            path, compare(folder.path + "/corpus/" + path, passes: row["verdict"] == "pass"))
        }
        return result
      }
    ]
  }

  private static func generatedTests(in folder: CaseFolder) -> [Suite] {
    let place = "generated-unittests"
    guard folder.exists(place + "/verdicts.tsv") else { return [] }
    return [
      Suite(kind: place) {
        var result = KindResult(place)
        for line in try folder.text(place + "/verdicts.tsv").split(separator: "\n") {
          let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(
            String.init)
          guard columns.count >= 2 else { continue }
          result.record(
            columns[0],
            compare(folder.path + "/\(place)/" + columns[0], passes: columns[1] == "pass"))
        }
        return result
      }
    ]
  }

  // MARK: configurations

  private static let unsupported = "config/unsupported-discovery"

  private static func configurations(in folder: CaseFolder) -> [Suite] {
    let place = "prometheus/config"
    let names = folder.names(in: place).filter { $0.contains(".good.") || $0.contains(".bad.") }
    return suite(place, names) { name in
      let errors = try configErrors(folder, place + "/" + name)
      if name.contains(".bad.") { return errors.isEmpty ? "accepted, should be refused" : nil }
      return errors.first { $0.id != unsupported }.map { "refused: \($0.message)" }
    } + corpusConfigurations(in: folder)
  }

  private static func configErrors(_ folder: CaseFolder, _ path: String) throws -> [Diagnostic] {
    let source = SourceText(name: path, bytes: try folder.bytes(path))
    let directory = FileSystem.directory(of: folder.path + "/" + path)
    return CheckConfig.diagnostics(source, directory: directory).filter { $0.severity == .error }
  }

  private static func corpusConfigurations(in folder: CaseFolder) -> [Suite] {
    guard folder.exists("corpus/configs-verdicts.tsv") else { return [] }
    return [
      Suite(kind: "corpus/configs") {
        var result = KindResult("corpus/configs")
        for row in try folder.table("corpus/configs-verdicts.tsv") {
          let path = row["file"] ?? ""
          let errors = try configErrors(folder, "corpus/" + path)
          let others = errors.filter { $0.id != unsupported }
          let failure: String? =
            switch row["verdict"] {
            // Prometheus' own tests refuse this file, the program that gave the verdicts did not
            // look inside discovery blocks. Prometheus' tests count (suite prometheus/config).
            case "valid" where path.hasSuffix("config__testdata__http_token_file.bad.yml"): nil
            case "valid": others.first.map { "refused: \($0.message)" }
            case "invalid": errors.isEmpty ? "accepted, should be refused" : nil
            default: errors.count == others.count ? "no unsupported discovery named" : nil
            }
          result.record(path, failure)
        }
        return result
      }
    ]
  }
}
