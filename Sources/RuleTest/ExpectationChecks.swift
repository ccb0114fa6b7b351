import Engine
import Model
import PromQL
import Rules
import Storage

/// Compares what a test expects with what a world has come to.
struct ExpectationChecks {
  let test: UnitTestFile.TestGroup
  let world: any TestWorld

  private var head: String { test.name.isEmpty ? "" : "    name: \(test.name),\n" }

  // MARK: alerts

  /// Firing alerts of one name, exactly.
  func check(_ expectation: UnitTestFile.AlertTest) -> UnitTestFailure? {
    let firing = world.alerts(named: expectation.alertName).filter { $0.state == .firing }
    let got = Self.sorted(
      firing.map {
        UnitTestFile.ExpectedAlert(
          labels: $0.labels, annotations: LabelSet(labels: $0.annotations))
      })
    let expected = Self.sorted(expectation.expected)
    if got == expected { return nil }
    var failure = UnitTestFailure(
      head + "    alertname: \(expectation.alertName), time: \(expectation.time), \n"
        + "        exp:\(Self.text(expected)), \n        got:\(Self.text(got))")
    failure.place = expectation.place
    failure.title =
      "\(expectation.alertName) at \(expectation.time): "
      + Self.count(expected.count, got.count, "alert")
    failure.expected = expected.flatMap(Self.lines)
    failure.got = got.flatMap(Self.lines)
    return failure
  }

  /// `2 alerts expected, 1 found`.
  static func count(_ expected: Int, _ got: Int, _ what: String) -> String {
    let noun = expected == 1 ? what : what + "s"
    if expected == got { return "\(expected) \(noun) expected and found, but not the same" }
    return "\(expected == 0 ? "no" : "\(expected)") \(noun) expected, \(got) found"
  }

  private static func lines(_ alert: UnitTestFile.ExpectedAlert) -> [String] {
    [alert.labels.description] + alert.annotations.labels.map { "  \($0.name): \($0.value)" }
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

  func check(_ expectation: UnitTestFile.ExprTest, isFuzzy: Bool) -> UnitTestFailure? {
    let time = test.start + expectation.time
    let head =
      head + "    expr: \(GoText.quote(expectation.expr)), time: \(expectation.time),"
    let title = "\(expectation.expr) at \(expectation.time): "
    let got: [VectorSample]
    do {
      got = try world.evaluate(expectation.expr, at: time)
    } catch {
      var failure = UnitTestFailure(head + " err: \(error)")
      failure.place = expectation.place
      failure.title = title + "\(error)"
      return failure
    }
    let sortedGot = got.sorted { $0.labels < $1.labels }
    let expected = expectation.expected.sorted { $0.labels < $1.labels }
    let isEqual =
      sortedGot.count == expected.count
      && zip(sortedGot, expected).allSatisfy { Self.isEqual($0, $1, isFuzzy: isFuzzy) }
    if isEqual { return nil }
    let wanted = expected.map { "\($0.labels) \(Self.text($0))" }
    let found = sortedGot.map { "\($0.labels) \(Self.text($0.value))" }
    var failure = UnitTestFailure(
      head + "\n        exp: \(wanted.joined(separator: "\n            "))"
        + "\n        got: \(found.joined(separator: "\n            "))")
    failure.place = expectation.place
    failure.title = title + Self.count(expected.count, got.count, "sample")
    failure.expected = expected.map { "\($0.labels.metricText) \(Self.plain($0))" }
    failure.got = zip(sortedGot.indices, sortedGot).map { i, sample in
      // What counts as equal looks equal.
      if expected.indices.contains(i), Self.isEqual(sample, expected[i], isFuzzy: isFuzzy) {
        return failure.expected[i]
      }
      return "\(sample.labels.metricText) \(Self.plain(sample.value))"
    }
    return failure
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

  private static func plain(_ sample: UnitTestFile.ExpectedSample) -> String {
    sample.histogram.map(\.testExpression) ?? NumberText.plain(sample.value)
  }

  private static func plain(_ value: SampleValue) -> String {
    switch value {
    case .float(let v): NumberText.plain(v)
    case .histogram(let h): h.testExpression
    }
  }
}

extension NumberText {
  /// Go's `%E` with the shortest digits, as promtool prints values.
  fileprivate static func scientificUpper(_ v: Double) -> String {
    let text = scientific(v)
    return v.isFinite ? text.uppercased() : text
  }
}
