import Engine
import Model
import PromQL
import Storage
import Synchronization

/// Evaluates generated and damaged expressions over a small store.
///
/// Evaluation must end, with a result or a problem whose range lies in the text; and an instant
/// query must equal the step of a range query, bit for bit.
struct EngineFuzz {
  let store: Store
  /// How often an evaluation may ask whether to go on: time, measured without a clock.
  static let budget = 4000

  init() throws { store = try FuzzStore.make() }

  /// The expression of a round.
  static func input(_ random: inout SeededGenerator) -> String {
    var generator = ExpressionGenerator(random: SeededGenerator(seed: random.next()))
    let text = generator.expression(depth: 1 + random.pick(4))
    if random.pick(3) == 0 { return text }
    var mutator = ExpressionMutator(seed: random.next())
    return mutator.mutate(text)
  }

  /// Whether the text was evaluated, and what is wrong.
  func check(_ text: String, delaysNames: Bool) -> (ran: Bool, violation: String?) {
    guard let expr = try? PromQLParser.parse(text) else { return (false, nil) }
    var settings = EngineSettings()
    settings.lookback = .minutes(2)
    settings.maxSamples = 20_000
    settings.delayedNameRemoval = delaysNames
    settings.startTimestamps = delaysNames
    let budget = Budget()
    settings.isCancelled = { budget.isSpent() }
    return (true, violation(of: expr, text, settings, budget))
  }

  private func violation(
    of expr: Expr, _ text: String, _ settings: EngineSettings, _ budget: Budget
  ) -> String? {
    do throws(QueryProblem) {
      let plan = try Plan(expr, store: store, settings: settings, standing: false, text: text)
      defer { plan.close() }
      budget.reset()
      let at = Timestamp(seconds: 420)
      let instant = try plan.instant(at: at)
      guard expr.type == .vector || expr.type == .scalar, !Self.mayDiffer(text, settings) else {
        return nil
      }
      budget.reset()
      let range = try plan.range(
        from: Timestamp(seconds: 300), through: Timestamp(seconds: 480), step: .seconds(60))
      return Self.difference(instant.value, range.value, at: at)
    } catch {
      if error.message.isEmpty { return "an empty message" }
      guard let range = error.range else { return nil }
      if range.lowerBound < 0 || range.upperBound > text.utf8.count {
        return "the range of \"\(error.message)\" lies outside of the text"
      }
      return nil
    }
  }

  /// Whether the answer at a step may differ from that of an instant query, as in Prometheus.
  private static func mayDiffer(_ text: String, _ settings: EngineSettings) -> Bool {
    if ["start", "end", "step", "range"].contains(where: { text.contains($0) }) { return true }
    // With names dropped late, a series of a range has its name, or not, from its first step on.
    if settings.delayedNameRemoval && text.contains("or") { return true }
    // Equal counts are taken in the order in which the values came up.
    guard text.contains("count_values") else { return false }
    return ["topk", "bottomk", "limit"].contains { text.contains($0) }
  }

  private static func difference(
    _ instant: QueryValue, _ range: QueryValue, at t: Timestamp
  ) -> String? {
    guard case .matrix(let series) = range else { return "the range query gave no matrix" }
    let step = series.compactMap { one in
      one.samples.first { $0.timestamp == t }.map { "\(one.labels) \(bits($0.value))" }
    }.sorted()
    let alone: [String]
    switch instant {
    case .vector(let samples): alone = samples.map { "\($0.labels) \(bits($0.value))" }.sorted()
    case .scalar(_, let value): alone = ["\(LabelSet.empty) \(bits(.float(value)))"]
    default: return nil
    }
    return alone == step ? nil : "alone \(alone), as the step of a range \(step)"
  }

  private static func bits(_ value: SampleValue) -> String {
    switch value {
    // Which of several NaNs an operation yields is the processor's choice.
    case .float(let number): number.isNaN ? "NaN" : String(number.bitPattern, radix: 16)
    case .histogram(let histogram): histogram.testExpression
    }
  }
}

/// Counts down how often an evaluation may go on.
private final class Budget: Sendable {
  private let left = Atomic<Int>(0)

  func reset() { left.store(EngineFuzz.budget, ordering: .relaxed) }

  func isSpent() -> Bool { left.subtract(1, ordering: .relaxed).newValue < 0 }
}
