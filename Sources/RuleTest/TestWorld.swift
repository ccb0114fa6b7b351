import Engine
import Model
import PromQL
import Rules
import Storage

/// Rules, samples and time of one test.
protocol TestWorld: AnyObject {
  var store: Store { get }
  var engine: EngineSettings { get }

  /// Lives until a time; answers what went wrong in the rules.
  func advance(to time: Timestamp) -> [String]

  /// The alerts of a name in all groups, those remembered as resolved included.
  func alerts(named name: String) -> [AlertInstance]
}

extension TestWorld {
  /// The elements an expression yields.
  func evaluate(_ expr: Expr, at time: Timestamp) throws -> [VectorSample] {
    let plan = try Plan(expr, store: store, settings: engine, standing: false)
    defer { plan.close() }
    switch try plan.instant(at: time).value {
    case .vector(let samples): return samples
    case .scalar(let t, let v):
      return [VectorSample(labels: .empty, timestamp: t, value: .float(v))]
    case .matrix, .string: throw UnitTestProblem("rule result is not a vector or scalar")
    }
  }

  func evaluate(_ text: String, at time: Timestamp) throws -> [VectorSample] {
    let expr: Expr
    do {
      expr = try PromQLParser.parse(text, options: .all)
    } catch {
      throw UnitTestProblem(error.text(in: text))
    }
    return try evaluate(expr, at: time)
  }

  /// All samples up to a time, one series a line.
  func dump(through time: PromDuration, from start: Timestamp) -> String {
    let window = max(.seconds(1), time) + .seconds(1)
    let text = "{__name__=~\".+\"}[\(window)]"
    guard let expr = try? PromQLParser.parse(text, options: .all),
      let plan = try? Plan(expr, store: store, settings: engine, standing: false)
    else { return "" }
    defer { plan.close() }
    guard case .matrix(let series)? = try? plan.instant(at: start + time).value else { return "" }
    return series.map { one in
      let samples = one.samples.map { sample in
        let value =
          switch sample.value {
          case .float(let v): NumberText.plain(v)
          case .histogram(let h): h.testExpression
          }
        return "\(value) @[\(sample.timestamp.milliseconds)]"
      }
      return "\(one.labels.metricText) =>\n" + samples.joined(separator: "\n")
    }
    .joined(separator: "\n")
  }
}

/// Why a test could not be judged.
struct UnitTestProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
