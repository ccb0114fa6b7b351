import Config
import Diagnostics
import Engine
import Model
import PromQL
import Rules
import Storage

/// How a unit test file went; texts are laid out as promtool lays them out.
package struct UnitTestReport: Sendable {
  package var path: String
  /// One text per failed expectation or error; empty means success.
  package var failures: [String] = []

  package var passed: Bool { failures.isEmpty }
}

/// Runs unit test files: rules over written series, on a virtual clock.
///
/// As promtool: every group is evaluated every `evaluation_interval` whatever its own interval; an
/// alert test at T looks at the last evaluation at or before T and compares firing alerts only; any
/// rule error ends the test.
package struct UnitTestRunner {
  private let file: UnitTestFile
  private let groups: [RuleGroupDefinition]

  /// Loads a test file with its rule files and runs all its tests.
  ///
  /// - Parameter acceptsVMAlertNames: `metricsql_expr_test` and `groupname`, which promtool
  ///   refuses.
  package static func run(
    path: String, ignoresUnknownFields: Bool = false, acceptsVMAlertNames: Bool = true
  ) -> UnitTestReport {
    var report = UnitTestReport(path: path)
    do throws(FileSystem.Problem) {
      let source = SourceText(name: path, bytes: try FileSystem.read(path))
      let (file, problems) = UnitTestLoader.load(
        source, ignoresUnknownFields: ignoresUnknownFields,
        acceptsVMAlertNames: acceptsVMAlertNames)
      guard let file else {
        report.failures = problems.map { Self.text($0) }
        return report
      }
      let (groups, failures) = try ruleGroups(of: file, ignoresUnknownFields)
      guard failures.isEmpty else {
        report.failures = failures
        return report
      }
      let runner = UnitTestRunner(file: file, groups: groups)
      report.failures = file.tests.flatMap { runner.run($0) }
    } catch {
      report.failures = [error.description]
    }
    return report
  }

  private static func text(_ problem: Diagnostic) -> String {
    let place = problem.position.map { ":\($0.line):\($0.column)" } ?? ""
    return "\(problem.source?.name ?? "")\(place): \(problem.message)"
  }

  private static func ruleGroups(
    of file: UnitTestFile, _ ignoresUnknownFields: Bool
  ) throws(FileSystem.Problem) -> ([RuleGroupDefinition], [String]) {
    let folder = FileSystem.directory(of: file.path)
    var groups: [RuleGroupDefinition] = []
    var failures: [String] = []
    for pattern in file.ruleFiles {
      for path in Glob(FileSystem.join(folder, pattern))?.matches() ?? [] {
        var options = RuleFileLoader.Options()
        options.ignoresUnknownFields = ignoresUnknownFields
        options.defaultInterval = file.evaluationInterval
        let loaded = RuleFileLoader.load(
          SourceText(name: path, bytes: try FileSystem.read(path)), options: options)
        failures += loaded.diagnostics.filter { $0.severity == .error }.map { text($0) }
        groups += loaded.groups
      }
    }
    // Listed groups run in their order. The order of the others means nothing to promtool: it is
    // that of their keys here, the same in every run.
    let ranked = groups.map { group in
      (file.groupOrder.firstIndex { ByteOrder.equal($0, group.name) } ?? 0, group)
    }
    let ordered = ranked.sorted { a, b in
      a.0 != b.0 ? a.0 < b.0 : ByteOrder.less(a.1.key, b.1.key)
    }
    return (ordered.map(\.1), failures)
  }

  private func run(_ test: UnitTestFile.TestGroup) -> [String] {
    let world = UnitTestWorld(test: test, groups: groups, step: file.evaluationInterval)
    var failures: [String] = []
    var pending = test.alertTests.enumerated()
      .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
      .map(\.element)[...]
    var elapsed = PromDuration.zero
    while elapsed <= test.lastEvaluation {
      let problems = world.advance(to: test.start + elapsed)
      if !problems.isEmpty { return failures + problems }
      let next = elapsed + file.evaluationInterval
      while let first = pending.first, first.time < next {
        pending.removeFirst()
        if let failure = world.check(first, name: test.name) { failures.append(failure) }
      }
      elapsed = next
    }
    for one in test.exprTests {
      if let failure = world.check(one, isFuzzy: file.isFuzzy, name: test.name) {
        failures.append(failure)
      }
    }
    return failures
  }
}
