import Engine
import Model
import PromQL
import Storage

/// A store filled from series notation, and queries against it.
struct World {
  let store: Store
  var settings = EngineSettings()

  /// Loads lines like `x{a="1"} 0+1x10`, one sample per `step`.
  init(step: PromDuration = .minutes(1), _ series: String...) throws {
    store = Store(StoreSettings(keep: .all, retention: .days(36_500)))
    for line in series { try load(line, step: step) }
  }

  func load(_ line: String, step: PromDuration) throws {
    let series = try PromQLParser.parseSeriesDescription(line)
    for (i, value) in series.values.enumerated() {
      guard let sample = value.sample else { continue }
      let time = Timestamp(milliseconds: step.milliseconds * Int64(i))
      try store.append(series.labels, at: time, sample)
    }
  }

  func plan(_ text: String, standing: Bool = false) throws -> Plan {
    let expr = try PromQLParser.parse(text, options: .all)
    return try Plan(expr, store: store, settings: settings, standing: standing, text: text)
  }

  func result(_ text: String, at seconds: Double) throws -> QueryResult {
    try plan(text).instant(at: Timestamp(seconds: seconds))
  }

  /// An instant vector as `labels value` lines, or the text of the problem.
  func ask(_ text: String, at seconds: Double) -> [String] {
    do {
      return Self.lines(try result(text, at: seconds).value)
    } catch let problem as QueryProblem {
      return ["error: \(problem.message)"]
    } catch {
      return ["\(error)"]
    }
  }

  /// A range result as `labels t=value t=value` lines.
  func range(_ text: String, _ from: Double, _ through: Double, _ step: Double) throws -> [String] {
    Self.lines(
      try plan(text).range(
        from: Timestamp(seconds: from), through: Timestamp(seconds: through),
        step: PromDuration(seconds: step)
      ).value)
  }

  static func lines(_ value: QueryValue) -> [String] {
    switch value {
    case .scalar(_, let number): ["scalar \(NumberText.plain(number))"]
    case .string(_, let text): ["string \(text)"]
    case .vector(let samples):
      samples.map { "\($0.labels.metricText) \(text($0.value))" }
    case .matrix(let series):
      series.map { one in
        one.labels.metricText
          + one.samples.map { " \(NumberText.plain($0.timestamp.seconds))=\(text($0.value))" }
          .joined()
      }
    }
  }

  static func text(_ value: SampleValue) -> String {
    switch value {
    case .float(let number): NumberText.plain(number)
    case .histogram(let histogram): histogram.testExpression
    }
  }
}
