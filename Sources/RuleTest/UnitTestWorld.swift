import Engine
import Model
import PromQL
import Rules
import Storage

/// The store, the rules and the time of one test.
final class UnitTestWorld {
  private let test: UnitTestFile.TestGroup
  private let store = Store(StoreSettings.everything)
  private let environment: RuleEnvironment
  private let groups: [RuleGroupRunner]
  private let settings: EngineSettings
  /// Of each input series, the position of the next value.
  private var positions: [Int]

  init(test: UnitTestFile.TestGroup, groups: [RuleGroupDefinition], step: PromDuration) {
    self.test = test
    var settings = EngineSettings()
    settings.defaultSubqueryStep = step
    settings.maxSamples = 10_000
    self.settings = settings
    environment = RuleEnvironment(
      store: store, engine: settings, externalLabels: test.externalLabels,
      externalURL: test.externalURL)
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

  // MARK: alerts

  func check(_ expectation: UnitTestFile.AlertTest, name: String) -> String? {
    var got: [UnitTestFile.ExpectedAlert] = []
    for group in groups {
      for rule in group.rules where ByteOrder.equal(rule.definition.name, expectation.alertName) {
        for alert in rule.alerts.instances where alert.state == .firing {
          got.append(
            UnitTestFile.ExpectedAlert(
              labels: alert.labels, annotations: LabelSet(labels: alert.annotations)))
        }
      }
    }
    let sortedGot = Self.sorted(got)
    let expected = Self.sorted(expectation.expected)
    if sortedGot == expected { return nil }
    let head = name.isEmpty ? "" : "    name: \(name),\n"
    return head + "    alertname: \(expectation.alertName), time: \(expectation.time), \n"
      + "        exp:\(Self.text(expected)), \n        got:\(Self.text(sortedGot))"
  }

  private static func sorted(
    _ alerts: [UnitTestFile.ExpectedAlert]
  ) -> [UnitTestFile.ExpectedAlert] {
    alerts.sorted { a, b in
      a.labels != b.labels ? a.labels < b.labels : a.annotations < b.annotations
    }
  }

  private static func text(_ alerts: [UnitTestFile.ExpectedAlert]) -> String {
    if alerts.isEmpty { return "[]" }
    let indent = "            "
    let items = alerts.enumerated().map { i, alert in
      "\(indent)\(i):\n\(indent)  Labels:\(alert.labels)\n"
        + "\(indent)  Annotations:\(alert.annotations)"
    }
    return "[\n" + items.joined(separator: ",\n") + "\n\(indent)]"
  }

  // MARK: expressions

  func check(_ expectation: UnitTestFile.ExprTest, isFuzzy: Bool, name: String) -> String? {
    let time = test.start + expectation.time
    let head =
      (name.isEmpty ? "" : "    name: \(name),\n")
      + "    expr: \(GoText.quote(expectation.expr)), time: \(expectation.time),"
    let got: [VectorSample]
    do {
      got = try evaluate(expectation.expr, at: time)
    } catch {
      return head + " err: \(error)"
    }
    let sortedGot = got.sorted { $0.labels < $1.labels }
    let expected = expectation.expected.sorted { $0.labels < $1.labels }
    let isEqual =
      sortedGot.count == expected.count
      && zip(sortedGot, expected).allSatisfy { Self.isEqual($0, $1, isFuzzy: isFuzzy) }
    if isEqual { return nil }
    let wanted = expected.map { "\($0.labels) \(Self.text($0))" }
    let found = sortedGot.map { "\($0.labels) \(Self.text($0.value))" }
    return head + "\n        exp: \(wanted.joined(separator: "\n            "))"
      + "\n        got: \(found.joined(separator: "\n            "))"
  }

  private func evaluate(_ text: String, at time: Timestamp) throws -> [VectorSample] {
    let expr: Expr
    do {
      expr = try PromQLParser.parse(text, options: .all)
    } catch {
      throw UnitTestProblem(error.text(in: text))
    }
    let plan = try Plan(expr, store: store, settings: settings, standing: false)
    defer { plan.close() }
    switch try plan.instant(at: time).value {
    case .vector(let samples): return samples
    case .scalar(let t, let v):
      return [VectorSample(labels: .empty, timestamp: t, value: .float(v))]
    case .matrix, .string: throw UnitTestProblem("rule result is not a vector or scalar")
    }
  }

  private static func isEqual(
    _ got: VectorSample, _ wanted: UnitTestFile.ExpectedSample, isFuzzy: Bool
  ) -> Bool {
    if got.labels != wanted.labels { return false }
    switch (got.value, wanted.histogram) {
    case (.float(let v), nil): return isEqual(v, wanted.value, isFuzzy: isFuzzy)
    case (.histogram(let h), let expected?):
      return wanted.value == 0 && h.testExpression == expected.testExpression
    default: return false
    }
  }

  /// Equal, or neighbours where `fuzzy_compare` allows it; a NaN equals nothing.
  private static func isEqual(_ a: Double, _ b: Double, isFuzzy: Bool) -> Bool {
    a == b || (isFuzzy && (a.nextUp == b || a.nextDown == b))
  }

  private static func text(_ sample: UnitTestFile.ExpectedSample) -> String {
    sample.histogram.map(\.testExpression) ?? NumberText.scientificUpper(sample.value)
  }

  private static func text(_ value: SampleValue) -> String {
    switch value {
    case .float(let v): NumberText.scientificUpper(v)
    case .histogram(let h): h.testExpression
    }
  }
}

/// Why a test could not be judged.
private struct UnitTestProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

extension NumberText {
  /// Go's `%E` with the shortest digits, as promtool prints values.
  fileprivate static func scientificUpper(_ v: Double) -> String {
    let text = scientific(v)
    return v.isFinite ? text.uppercased() : text
  }
}
