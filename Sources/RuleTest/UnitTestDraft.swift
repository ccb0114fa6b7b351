import Config
import Diagnostics
import Model
import PromQL
import Rules

/// Makes up a first unit test for rules: series that let each alert fire where such can be found,
/// and the expectations that these rules meet.
package struct UnitTestDraft {
  /// Why there is nothing to write a test for.
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
  }

  /// How much of the past real series are taken.
  package static let liveSpan = PromDuration.minutes(15)
  static let step = PromDuration.minutes(1)
  /// How many real series of one selector are taken.
  private static let mostSeries = 3

  private let names: [String]
  private let groups: [RuleGroupDefinition]
  private let sources: DraftSources

  /// Reads the rule files; the test will name them as seen from a folder.
  package init(ruleFiles paths: [String], relativeTo folder: String) throws {
    var groups: [RuleGroupDefinition] = []
    for path in paths {
      let file = RuleFileLoader.load(SourceText(name: path, bytes: try FileSystem.read(path)))
      if let first = file.diagnostics.first(where: { $0.severity == .error }) {
        let place = first.position.map { ":\($0.line):\($0.column)" } ?? ""
        throw Problem(description: "\(path)\(place): \(first.message)")
      }
      groups += file.groups
    }
    self.groups = UnitTestRunner.ordered(groups, [])
    names = paths.map { Self.relative($0, to: folder) }
    sources = DraftSources(groups)
  }

  /// The path of a file as seen from a folder.
  static func relative(_ path: String, to folder: String) -> String {
    let file = FileSystem.absolute(path).split(separator: "/")
    let base = FileSystem.absolute(folder).split(separator: "/").filter { $0 != "." }
    var common = 0
    while common < min(file.count - 1, base.count), file[common] == base[common] { common += 1 }
    let up = Array(repeating: "..", count: base.count - common)
    return (up + file[common...].map(String.init)).joined(separator: "/")
  }

  /// What the rules read that they do not write, as queries.
  package var selectors: [String] {
    var out: [String] = []
    for rule in groups.flatMap(\.rules) {
      for selector in sources.leaves(of: rule.expr) {
        let text = Expr.selector(selector).description
        if !out.contains(text) { out.append(text) }
      }
    }
    return out
  }

  /// The test file; with live series those, else made-up ones.
  package func text(live: [String: [LiveSeries]]?) -> String {
    var writer = DraftWriter(ruleFiles: names, interval: Self.step)
    for rule in groups.flatMap(\.rules) {
      guard case .alert(let alert) = rule else { continue }
      if let live {
        writer.add(expectations(of: alert, liveTest(rule, live)))
      } else {
        writer.add(expectations(of: alert, DraftSearch(rule: alert, groups, sources).best()))
      }
    }
    for group in groups {
      let records = group.rules.filter { if case .recording = $0 { true } else { false } }
      if records.isEmpty { continue }
      var test = UnitTestFile.TestGroup()
      if let live {
        test.series = liveSeries(records, live)
      } else {
        let leaves = records.flatMap { sources.leaves(of: $0.expr) }
        test.series = DraftSeries.plain(
          for: leaves, length: 15, common: records.flatMap { sources.labels(of: $0) })
      }
      test.name = "recording rules of \(group.name)"
      writer.add(expectations(of: records, test))
    }
    return writer.text
  }

  private func liveTest(
    _ rule: RuleDefinition, _ live: [String: [LiveSeries]]
  ) -> UnitTestFile.TestGroup {
    var test = UnitTestFile.TestGroup()
    test.name = rule.name
    test.series = liveSeries([rule], live)
    return test
  }

  private func liveSeries(
    _ rules: [RuleDefinition], _ live: [String: [LiveSeries]]
  ) -> [UnitTestFile.InputSeries] {
    var out: [UnitTestFile.InputSeries] = []
    for selector in rules.flatMap({ sources.leaves(of: $0.expr) }) {
      for one in (live[Expr.selector(selector).description] ?? []).prefix(Self.mostSeries)
      where !out.contains(where: { $0.labels == one.labels }) {
        out.append(UnitTestFile.InputSeries(labels: one.labels, values: one.values))
      }
    }
    return out
  }

  // MARK: expectations

  private func length(_ test: UnitTestFile.TestGroup) -> PromDuration {
    let steps = test.series.map(\.values.count).max() ?? 1
    return Self.step * Int64(max(0, steps - 1))
  }

  /// Lives the test and takes what comes out for what is expected.
  private func expectations(
    of rule: AlertRule, _ draft: UnitTestFile.TestGroup
  ) -> DraftWriter.Entry {
    var test = draft
    test.name = rule.name
    let end = max(length(test), test.lastEvaluation)
    var entry = DraftWriter.Entry(test: test)
    let concerned = sources.concerned(by: test.series, rule)
    for time in end > .zero ? [.zero, end] : [end] {
      test.alertTests = [
        .init(time: time, alertName: rule.name, expected: [], place: .init(line: 0, column: 0))
      ]
      let (world, problems) = UnitTestRunner.world(test, concerned, step: Self.step)
      if let first = problems.first {
        return DraftWriter.Entry(test: draft, remark: "these series let a rule fail: \(first)")
      }
      let firing = world.alerts(named: rule.name).filter { $0.state == .firing }
      if time == end || !firing.isEmpty || rule.holdDuration > .zero {
        entry.alerts.append((time, rule.name, firing.sorted { $0.labels < $1.labels }))
      }
      if time == end && firing.isEmpty {
        entry.remark = "does not fire with these series: change them, then what is expected"
      }
    }
    return entry
  }

  private func expectations(
    of records: [RuleDefinition], _ draft: UnitTestFile.TestGroup
  ) -> DraftWriter.Entry {
    var test = draft
    let end = length(test)
    test.exprTests = [.init(time: end, expr: "", expected: [], place: .init(line: 0, column: 0))]
    let (world, problems) = UnitTestRunner.world(test, groups, step: Self.step)
    var entry = DraftWriter.Entry(test: draft)
    if let first = problems.first {
      entry.remark = "these series let a rule fail: \(first)"
      return entry
    }
    var seen: [String] = []
    for record in records where !seen.contains(record.name) {
      seen.append(record.name)
      let selector = VectorSelector(
        name: record.name, matchers: [Matcher(LabelName.metricName, equals: record.name)])
      let text = Expr.selector(selector).description
      guard let samples = try? world.evaluate(text, at: test.start + end) else { continue }
      // A NaN equals nothing, and a histogram has no short form.
      let isPlain = samples.allSatisfy { sample in
        if case .float(let v) = sample.value { !v.isNaN } else { false }
      }
      if isPlain { entry.samples.append((end, text, samples.sorted { $0.labels < $1.labels })) }
    }
    return entry
  }
}
