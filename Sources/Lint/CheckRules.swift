import Config
import Diagnostics
import JSON
import Model
import PromQL

/// `check rules`: reads rule files and tells everything that is wrong with them.
package enum CheckRules {
  /// Checks files, the files of directories, and globs; `-` is standard input.
  package static func run(
    _ arguments: [String], options: CheckOptions = CheckOptions()
  ) -> CheckOutcome {
    var report = CheckReport(options)
    let settings = lintSettings(options, &report)
    let checks = RuleFileChecks(options, settings: settings, context: options.context)
    checks.run(expand(arguments, &report), into: &report)
    return report.outcome()
  }

  /// The rule files that arguments name.
  package static func files(_ arguments: [String]) -> [String] {
    RulePaths.expand(arguments.isEmpty ? ["-"] : arguments).files
  }

  private static func expand(_ arguments: [String], _ report: inout CheckReport) -> [String] {
    let paths = RulePaths.expand(arguments.isEmpty ? ["-"] : arguments)
    for problem in paths.problems { report.cannotRun(problem) }
    return paths.files
  }

  /// The `lint` block of a tocsin.yml; mistakes in it are findings of their own.
  private static func lintSettings(
    _ options: CheckOptions, _ report: inout CheckReport
  ) -> LintSettings {
    guard !options.isSyntaxOnly,
      let path = options.tocsinFile ?? (FileSystem.exists("tocsin.yml") ? "tocsin.yml" : nil),
      let source = report.read(path)
    else { return LintSettings() }
    let tocsin = TocsinConfigLoader.load(source)
    let problems = tocsin.diagnostics + CheckCatalogue.problems(in: tocsin.lint)
    if problems.contains(where: { $0.severity == .error }) {
      report.add(
        path: path, diagnostics: problems, success: "\(path) is a valid tocsin.yml", counts: [])
    }
    return tocsin.lint
  }
}
