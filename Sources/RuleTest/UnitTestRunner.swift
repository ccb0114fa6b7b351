import Config
import Diagnostics
import Engine
import Kernel
import Model
import PromQL
import Rules
import Storage

/// Runs unit test files: rules over written series, on a virtual clock.
///
/// As promtool: every group is evaluated every `evaluation_interval` whatever its own interval; an
/// alert test at T looks at the last evaluation at or before T and compares firing alerts only; any
/// rule error ends the test. A test with a `tocsin` block is run as the daemon would run it.
package struct UnitTestRunner {
  private let file: UnitTestFile
  private let groups: [RuleGroupDefinition]
  private let options: UnitTestOptions
  private let coverage: CoverageRecorder?

  /// Loads a test file with its rule files and runs all its tests.
  package static func run(
    path: String, options: UnitTestOptions = UnitTestOptions()
  ) -> UnitTestReport {
    var report = UnitTestReport(path: path)
    do throws(FileSystem.Problem) {
      let source = SourceText(name: path, bytes: try FileSystem.read(path))
      let (file, problems) = UnitTestLoader.load(source, options: options)
      guard let file else {
        report.problems = problems.map { Self.text($0) }
        return report
      }
      let files = try loadRules(of: file, options)
      report.ruleFiles = files.map(\.source.name)
      report.problems = files.flatMap { rules in
        rules.diagnostics.filter { $0.severity == .error }.map { text($0) }
      }
      if !report.problems.isEmpty { return report }
      let recorder = options.measuresCoverage ? CoverageRecorder(files) : nil
      let runner = UnitTestRunner(
        file: file, groups: ordered(files.flatMap(\.groups), file.groupOrder), options: options,
        coverage: recorder)
      for (index, test) in file.tests.enumerated() where options.selects(test.name) {
        report.cases.append(runner.run(test, index))
      }
      if let recorder { report.coverage = recorder.coverage }
    } catch {
      report.problems = [error.description]
    }
    return report
  }

  /// Runs one test over rules that are already read; for tests that are being made up.
  static func world(
    _ test: UnitTestFile.TestGroup, _ groups: [RuleGroupDefinition], step: PromDuration
  ) -> (world: UnitTestWorld, problems: [String]) {
    let world = UnitTestWorld(test: test, groups: groups, step: step)
    var elapsed = PromDuration.zero
    while elapsed <= test.lastEvaluation {
      let problems = world.advance(to: test.start + elapsed)
      if !problems.isEmpty { return (world, problems) }
      elapsed = elapsed + step
    }
    return (world, [])
  }

  private static func text(_ problem: Diagnostic) -> String {
    let place = problem.position.map { ":\($0.line):\($0.column)" } ?? ""
    return "\(problem.source?.name ?? "")\(place): \(problem.message)"
  }

  private static func loadRules(
    of file: UnitTestFile, _ options: UnitTestOptions
  ) throws(FileSystem.Problem) -> [RuleFile] {
    let folder = FileSystem.directory(of: file.path)
    var loader = RuleFileLoader.Options()
    loader.ignoresUnknownFields = options.ignoresUnknownFields
    loader.defaultInterval = file.evaluationInterval
    var files: [RuleFile] = []
    for pattern in file.ruleFiles {
      for path in Glob(FileSystem.join(folder, pattern))?.matches() ?? [] {
        files.append(
          RuleFileLoader.load(
            SourceText(name: path, bytes: try FileSystem.read(path)), options: loader))
      }
    }
    return files
  }

  /// Listed groups run in their order.
  ///
  /// The order of the others means nothing to promtool: it is that of their keys here, the same in
  /// every run.
  static func ordered(
    _ groups: [RuleGroupDefinition], _ order: [String]
  ) -> [RuleGroupDefinition] {
    let ranked = groups.map { group in
      (order.firstIndex { ByteOrder.equal($0, group.name) } ?? 0, group)
    }
    let sorted = ranked.sorted { a, b in
      a.0 != b.0 ? a.0 < b.0 : ByteOrder.less(a.1.key, b.1.key)
    }
    return sorted.map(\.1)
  }

  // MARK: one test

  private func run(_ test: UnitTestFile.TestGroup, _ index: Int) -> UnitTestReport.Case {
    var result = UnitTestReport.Case(name: test.name.isEmpty ? "unnamed#\(index)" : test.name)
    let world: any TestWorld
    if let own = test.own {
      do throws(UnitTestProblem) {
        let made = KernelTestWorld(
          test: test, own: own, settings: try settings(own), inspector: coverage?.inspector)
        world = made
        result.failures = live(test, own, made)
      } catch {
        result.failures = [UnitTestFailure("    " + error.description)]
        return result
      }
    } else {
      let made = UnitTestWorld(
        test: test, groups: groups, step: file.evaluationInterval, inspector: coverage?.inspector)
      world = made
      result.failures = live(test, made)
    }
    if options.dumpsSamples {
      result.dump = world.dump(through: test.lastEvaluation, from: test.start)
    }
    return result
  }

  /// The test in promtool's time: everything at each evaluation interval.
  private func live(_ test: UnitTestFile.TestGroup, _ world: UnitTestWorld) -> [UnitTestFailure] {
    let checks = ExpectationChecks(test: test, world: world)
    var failures: [UnitTestFailure] = []
    var pending = test.alertTests.enumerated()
      .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
      .map(\.element)[...]
    var elapsed = PromDuration.zero
    while elapsed <= test.lastEvaluation {
      let problems = world.advance(to: test.start + elapsed)
      if !problems.isEmpty { return failures + problems.map { UnitTestFailure($0) } }
      let next = elapsed + file.evaluationInterval
      while let first = pending.first, first.time < next {
        pending.removeFirst()
        if var failure = checks.check(first) {
          if failures.count < Self.mostExplained {
            failure.timelines = timelines(of: first.alertName, through: first.time, test)
          }
          failures.append(failure)
        }
      }
      elapsed = next
    }
    for one in test.exprTests {
      if let failure = checks.check(one, isFuzzy: file.isFuzzy) { failures.append(failure) }
    }
    return failures
  }

  /// The test in the daemon's time: every group at its own interval.
  private func live(
    _ test: UnitTestFile.TestGroup, _ own: UnitTestFile.OwnKeys, _ world: KernelTestWorld
  ) -> [UnitTestFailure] {
    let checks = ExpectationChecks(test: test, world: world)
    var looks: [Look] = []
    for one in test.alertTests {
      looks.append(Look(time: one.time, alert: one.alertName) { checks.check(one) })
    }
    for one in own.stateTests {
      looks.append(Look(time: one.time, alert: one.alertName) { checks.check(one) })
    }
    for one in own.notificationTests {
      looks.append(Look(time: one.time) { checks.check(one, in: world) })
    }
    for one in test.exprTests {
      looks.append(Look(time: one.time) { checks.check(one, isFuzzy: file.isFuzzy) })
    }
    var failures: [UnitTestFailure] = []
    let sorted = looks.enumerated()
      .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
    for (_, look) in sorted {
      let problems = world.advance(to: test.start + look.time)
      if !problems.isEmpty { return failures + problems.map { UnitTestFailure($0) } }
      guard var failure = look.check() else { continue }
      if let name = look.alert, failures.count < Self.mostExplained {
        failure.timelines = timelines(of: name, through: look.time, test)
      }
      failures.append(failure)
    }
    return failures
  }

  /// How many failures of one test come with a history: each means to live the test once more.
  private static let mostExplained = 5

  /// An expectation of a test in the daemon's time.
  private struct Look {
    var time: PromDuration
    /// Whose history explains a failure.
    var alert: String?
    var check: () -> UnitTestFailure?

    init(time: PromDuration, alert: String? = nil, check: @escaping () -> UnitTestFailure?) {
      self.time = time
      self.alert = alert
      self.check = check
    }
  }

  private func settings(_ own: UnitTestFile.OwnKeys) throws(UnitTestProblem) -> Settings {
    var settings = Settings()
    settings.groups = groups
    settings.global.evaluationInterval = file.evaluationInterval
    guard let name = own.configFile else { return settings }
    let path = FileSystem.join(FileSystem.directory(of: file.path), name)
    let bytes: [UInt8]
    do {
      bytes = try FileSystem.read(path)
    } catch {
      throw UnitTestProblem(error.description)
    }
    let config = TocsinConfigLoader.load(SourceText(name: path, bytes: bytes))
    if let first = config.diagnostics.first(where: { $0.severity == .error }) {
      throw UnitTestProblem(Self.text(first))
    }
    settings.webhooks = config.webhooks
    settings.policies = config.policies
    settings.triggers = config.triggers
    return settings
  }

  // MARK: why

  /// Lives the test once more for the history of the alerts of one name.
  private func timelines(
    of name: String, through end: PromDuration, _ test: UnitTestFile.TestGroup
  ) -> [AlertTimeline] {
    guard options.explainsFailures else { return [] }
    for group in groups {
      for case .alert(let rule) in group.rules where ByteOrder.equal(rule.name, name) {
        if let own = test.own, let settings = try? settings(own) {
          let world = KernelTestWorld(test: test, own: own, settings: settings)
          return TimelineRecorder(rule: rule, world: world, start: test.start)
            .record(through: end, every: group.interval)
        }
        let world = UnitTestWorld(test: test, groups: groups, step: file.evaluationInterval)
        return TimelineRecorder(rule: rule, world: world, start: test.start)
          .record(through: end, every: file.evaluationInterval)
      }
    }
    return []
  }
}
