import Engine
import Model
import PromQL
import Rules
import Storage

/// The store, the rules and the time of one test.
final class UnitTestWorld: TestWorld {
  private let test: UnitTestFile.TestGroup
  let store = Store(StoreSettings.everything)
  private let environment: RuleEnvironment
  private let groups: [RuleGroupRunner]
  let engine: EngineSettings
  /// Of each input series, the position of the next value.
  private var positions: [Int]

  init(
    test: UnitTestFile.TestGroup, groups: [RuleGroupDefinition], step: PromDuration,
    inspector: ((Store, EngineSettings) -> RuleInspector)? = nil
  ) {
    self.test = test
    var settings = EngineSettings()
    settings.defaultSubqueryStep = step
    settings.maxSamples = 10_000
    engine = settings
    environment = RuleEnvironment(
      store: store, engine: settings, externalLabels: test.externalLabels,
      externalURL: test.externalURL)
    // Finding what rules share costs more than the few evaluations of a test.
    environment.sharesExpressions = false
    environment.inspector = inspector?(store, settings)
    let environment = environment
    self.groups = groups.map { RuleGroupRunner($0, environment: environment) }
    positions = Array(repeating: 0, count: test.series.count)
  }

  /// Appends the samples up to a time and evaluates all groups; answers what went wrong.
  func advance(to time: Timestamp) -> [String] {
    if let problem = appendSamples(through: time) { return [problem] }
    var problems: [String] = []
    for group in groups {
      for result in group.evaluate(at: time) {
        if let problem = result.problem {
          let elapsed = GoText.duration(milliseconds: time.milliseconds)
          problems.append("    rule: \(result.rule), time: \(elapsed), err: \(problem)")
        }
      }
    }
    return problems
  }

  private func appendSamples(through time: Timestamp) -> String? {
    for (i, series) in test.series.enumerated() {
      while positions[i] < series.values.count {
        let t = test.start + test.interval * Int64(positions[i])
        if t > time { break }
        let value = series.values[positions[i]]
        positions[i] += 1
        if value.isOmitted { continue }
        let sample = value.histogram.map { SampleValue.histogram($0) } ?? .float(value.value)
        do {
          _ = try store.append(series.labels, at: t, sample, startTimestamp: nil)
        } catch {
          return "    series: \(series.labels), time: \(t), err: \(error)"
        }
      }
    }
    return nil
  }

  func alerts(named name: String) -> [AlertInstance] {
    groups.flatMap { group in
      group.rules.filter { ByteOrder.equal($0.definition.name, name) }
        .flatMap(\.alerts.instances)
    }
  }
}
