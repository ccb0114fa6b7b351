import Config
import Diagnostics
import Model
import PromQL
import YAML

/// promtool's own verdicts, texts and exit codes, for scripts that call it by that name.
///
/// - Note: Prometheus 3.14's `cmd/promtool`: 0 in order, 1 failed, 3 lint findings with
///   `--lint-fatal`. Progress goes to standard output, failures to standard error.
package struct Promtool: Sendable {
  /// What `--lint` may ask for.
  package struct Lint: Sendable {
    package var duplicateRules = false
    package var longScrapeInterval = false
    package var isFatal = false

    package init() {}

    /// Reads the words of `--lint`; nil for an unknown one.
    package init?(_ words: [String], allowsScrape: Bool) {
      for word in words.flatMap({ $0.split(separator: ",").map(String.init) }) {
        switch word {
        case "all":
          duplicateRules = true
          longScrapeInterval = allowsScrape
        case "duplicate-rules": duplicateRules = true
        case "too-long-scrape-interval" where allowsScrape: longScrapeInterval = true
        case "none": self = Lint()
        default: return nil
        }
      }
    }
  }

  package var lint = Lint()
  package var ignoresUnknownFields = false
  package var isSyntaxOnly = false
  package var isAgent = false
  /// `--enable-feature`.
  package var parser = ParserOptions.release
  /// A scrape interval longer than this is remarked.
  package var lookback = PromDuration.minutes(5)

  package init() {}

  private struct Verdict {
    var failed = false
    var hasErrors = false

    mutating func merge(_ other: Verdict) {
      failed = failed || other.failed
      hasErrors = hasErrors || other.hasErrors
    }

    func exitCode(_ lint: Lint) -> Int32 {
      failed && hasErrors ? 1 : failed && lint.isFatal ? 3 : 0
    }
  }

  /// `check rules`.
  package func checkRules(_ files: [String]) -> CheckOutcome {
    var out = CheckOutcome()
    var verdict = Verdict()
    if files.isEmpty {
      verdict = rules("-", &out)
    } else {
      for file in files { verdict.merge(rules(file, &out)) }
    }
    out.exitCode = verdict.exitCode(lint)
    return out
  }

  /// `check config`.
  package func checkConfig(
    _ files: [String],
    environment: @escaping @Sendable (String) -> String? = Environment.value
  ) -> CheckOutcome {
    var out = CheckOutcome()
    var verdict = Verdict()
    for path in files {
      out.standardOutput += "Checking \(path)\n"
      let (problem, ruleFiles, config) = read(path, environment)
      if let problem {
        out.standardError += "  FAILED: \(problem)\n"
        verdict.merge(Verdict(failed: true, hasErrors: true))
      } else {
        if !ruleFiles.isEmpty {
          out.standardOutput += "  SUCCESS: \(ruleFiles.count) rule files found\n"
        }
        out.standardOutput += " SUCCESS: \(path) is valid prometheus config file syntax\n"
      }
      out.standardOutput += "\n"
      if isSyntaxOnly { continue }
      if lint.longScrapeInterval, let config {
        verdict.failed = scrapes(config, &out) || verdict.failed
      }
      for file in ruleFiles { verdict.merge(rules(file, &out)) }
    }
    out.exitCode = verdict.exitCode(lint)
    return out
  }

  /// `check web-config`.
  package func checkWebConfig(_ files: [String]) -> CheckOutcome {
    var out = CheckOutcome()
    for path in files {
      if let problem = WebConfig.firstProblem(path) {
        out.standardError += "\(path) FAILED: \(problem)\n"
        out.exitCode = 1
      } else {
        out.standardError += "\(path) SUCCESS\n"
      }
    }
    return out
  }

  private func rules(_ path: String, _ out: inout CheckOutcome) -> Verdict {
    out.standardOutput += path == "-" ? "Checking standard input\n" : "Checking \(path)\n"
    defer { out.standardOutput += "\n" }
    let prefix = path == "-" ? "" : path + ": "
    let source: SourceText
    do throws(FileSystem.Problem) {
      source = SourceText(name: path, bytes: try FileSystem.read(path))
    } catch {
      out.standardError += "  FAILED:\n\(prefix)open \(path): \(error.reason.lowercased())\n"
      return Verdict(failed: true, hasErrors: true)
    }
    var options = RuleFileLoader.Options()
    options.parser = parser
    options.ignoresUnknownFields = ignoresUnknownFields
    let file = RuleFileLoader.load(source, options: options)
    if !file.referenceTexts.isEmpty {
      out.standardError += "  FAILED:\n"
      for text in file.referenceTexts { out.standardError += prefix + text + "\n" }
      return Verdict(failed: true, hasErrors: true)
    }
    let repeated = lint.duplicateRules ? PromtoolDuplicates.find(in: file) : []
    if !repeated.isEmpty {
      out.standardError += "  FAILED:\n" + PromtoolDuplicates.text(repeated) + "\n"
      return Verdict(failed: true)
    }
    out.standardOutput += "  SUCCESS: \(file.ruleCount) rules found\n"
    return Verdict()
  }

  private func read(
    _ path: String, _ environment: @escaping @Sendable (String) -> String?
  ) -> (problem: String?, ruleFiles: [String], config: PrometheusConfig?) {
    let source: SourceText
    do throws(FileSystem.Problem) {
      source = SourceText(name: path, bytes: try FileSystem.read(path))
    } catch {
      return ("open \(path): \(error.reason.lowercased())", [], nil)
    }
    let directory = FileSystem.directory(of: path)
    let config = PrometheusConfigLoader.load(
      source, directory: directory, environment: environment)
    // A discovery that is not there is our lack, and no mistake of the file.
    let errors = config.diagnostics.filter {
      $0.severity == .error && $0.id != "config/unsupported-discovery"
        && !(ignoresUnknownFields && $0.id == "yaml/unknown-field")
    }
    if let first = errors.first {
      let line = first.position.map { "line \($0.line): " } ?? ""
      return ("parsing YAML file \(path): \(line)\(first.message)", [], nil)
    }
    if isAgent, let section = agentSection(source) {
      return ("field \(section) is not allowed in agent mode", [], nil)
    }
    if isSyntaxOnly { return (nil, [], config) }
    for (pattern, _) in config.ruleFiles
    where !pattern.utf8.contains(UInt8(ascii: "*")) && !FileSystem.exists(pattern) {
      return ("\(GoText.quote(pattern)) does not point to an existing file", [], config)
    }
    for file in config.namedFiles where !FileSystem.exists(file) {
      return ("error checking file \(GoText.quote(file)): no such file or directory", [], config)
    }
    return (nil, ConfigLoader.rulePaths(config), config)
  }

  /// A section that an agent does not have.
  private func agentSection(_ source: SourceText) -> String? {
    let root = YAMLDocument.parse(source: source).root
    return ["alerting", "rule_files", "remote_read"].first { root?.entry($0) != nil }
  }

  private func scrapes(_ config: PrometheusConfig, _ out: inout CheckOutcome) -> Bool {
    let long = config.settings.scrapes.filter { $0.interval >= lookback }
    for job in long {
      out.standardError +=
        "  FAILED: too long scrape interval found, data point will be marked as stale - "
        + "job: \(job.jobName), interval: \(job.interval)\n"
    }
    return !long.isEmpty
  }
}

/// promtool's duplicate rules: equal name and labels, within a file.
enum PromtoolDuplicates {
  struct Rule {
    var name: String
    var labels: LabelSet
  }

  static func find(in file: RuleFile) -> [Rule] {
    var counts: [String: Int] = [:]
    counts.reserveCapacity(file.places.count)
    for place in file.places { counts[place.name, default: 0] += 1 }
    let suspects = file.places.filter { counts[$0.name] != 1 }
    let rules = suspects.map { Rule(name: $0.name, labels: $0.labels) }.sorted {
      ByteOrder.equal($0.name, $1.name)
        ? $0.labels < $1.labels : ByteOrder.less($0.name, $1.name)
    }
    func isSame(_ a: Rule, _ b: Rule) -> Bool {
      ByteOrder.equal(a.name, b.name) && a.labels == b.labels
    }
    var found: [Rule] = []
    for (a, b) in zip(rules, rules.dropFirst()) where isSame(a, b) {
      if found.last.map({ isSame($0, b) }) != true { found.append(b) }
    }
    return found
  }

  static func text(_ rules: [Rule]) -> String {
    var out = "lint error \(rules.count) duplicate rule(s) found.\n"
    for rule in rules {
      out += "Metric: \(rule.name)\nLabel(s):\n"
      for label in rule.labels.labels { out += "\t\(label.name): \(label.value)\n" }
    }
    return out + "Might cause inconsistency while recording expressions"
  }
}
