import Engine
import Model
import PromQL
import Storage

/// A rule's expression as a standing plan.
final class RuleQuery {
  private let plan: Plan

  init(_ expr: Expr, environment: RuleEnvironment) throws(RuleProblem) {
    do {
      plan = try Plan(
        expr, store: environment.store, settings: environment.engine, standing: true)
    } catch {
      throw .query(error.message)
    }
  }

  /// Evaluates and calls `body` with each element: its slot in the plan, its labels, its value.
  ///
  /// Nothing is built: labels come from the plan's shape.
  ///
  /// - Note: A scalar counts as one element without labels; strings and matrices are errors.
  func run(
    at time: Timestamp, warnings: inout [String],
    _ body: (_ slot: Int, _ labels: LabelSet, _ value: SampleValue) -> Void
  ) throws(RuleProblem) {
    let view: VectorView
    do {
      view = try plan.step(at: time)
    } catch {
      throw .query(error.message)
    }
    warnings = plan.warnings
    for slot in 0..<view.count {
      if let value = view.value(slot) { body(slot, view.labels(slot), value) }
    }
  }

  func close() { plan.close() }
}
