import Engine
import Model
import PromQL
import Storage

/// A rule's expression as a standing plan.
///
/// Computing and taking the result are two steps: `compute` reads the store and writes nothing but
/// the plan's own buffers, so that several may run side by side while nobody writes to the store.
final class RuleQuery {
  private var plan: Plan
  private let expr: Expr
  private let place: ExprPlace?
  /// Whether parts of the plan are other rules' too.
  private(set) var isSharing = false
  /// Shapes that plans before this one have made anew.
  private var earlierRebuilds: UInt64 = 0
  private let environment: RuleEnvironment
  private var result: (time: Timestamp, view: Result<VectorView, QueryProblem>)?

  init(
    _ expr: Expr, place: ExprPlace?, environment: RuleEnvironment
  ) throws(RuleProblem) {
    self.expr = expr
    self.place = place
    self.environment = environment
    do {
      plan = try Self.plan(expr, place, environment, sharing: nil)
    } catch {
      throw .query(error.message)
    }
  }

  private static func plan(
    _ expr: Expr, _ place: ExprPlace?, _ environment: RuleEnvironment, sharing: SharingScope?
  ) throws(QueryProblem) -> Plan {
    try Plan(
      expr, store: environment.store, settings: environment.engine, standing: true,
      text: place?.text, locate: place?.locate, sharing: sharing)
  }

  /// Makes the plan anew, with what it has in common with other rules evaluated once; nil for
  /// nothing in common.
  func share(_ scope: SharingScope?) {
    // What was planned once can be planned again.
    guard let fresh = try? Self.plan(expr, place, environment, sharing: scope) else { return }
    earlierRebuilds += plan.shapeRebuilds
    plan.close()
    plan = fresh
    isSharing = scope != nil
  }

  /// Computes the result at a time; a failure is kept for who takes it.
  func compute(at time: Timestamp) {
    do throws(QueryProblem) {
      result = (time, .success(try plan.step(at: time)))
    } catch {
      result = (time, .failure(error))
    }
  }

  /// Calls `body` with each element of what was computed last: its slot in the plan, its labels,
  /// its value.
  ///
  /// Nothing is built: labels come from the plan's shape.
  ///
  /// - Note: A scalar counts as one element without labels; strings and matrices are errors.
  func take(
    warnings: inout [String],
    _ body: (_ slot: Int, _ labels: LabelSet, _ value: SampleValue) -> Void
  ) throws(RuleProblem) {
    guard let (time, outcome) = result else {
      preconditionFailure("a result is computed before it is taken")
    }
    result = nil
    let view: VectorView
    switch outcome {
    case .success(let value): view = value
    case .failure(let problem):
      environment.inspector?.sawResult(expr, time, .failure(.query(problem.message)))
      throw .query(problem.message)
    }
    warnings = plan.warnings
    if let inspector = environment.inspector {
      inspector.sawResult(expr, time, .success(Self.elements(of: view)))
    }
    for slot in 0..<view.count {
      if let value = view.value(slot) { body(slot, view.labels(slot), value) }
    }
  }

  private static func elements(of view: VectorView) -> RuleInspector.Elements {
    (0..<view.count).compactMap { slot in
      view.value(slot).map { (view.labels(slot), $0) }
    }
  }

  /// What the evaluation before cost.
  var cost: RuleCost {
    RuleCost(
      series: plan.series, samples: plan.samples,
      shapeRebuilds: earlierRebuilds + plan.shapeRebuilds)
  }

  /// Changes whenever a selector of the query gains or loses a member.
  var membershipVersion: UInt64 { plan.membershipVersion }

  /// Adds who writes what the query reads.
  func add(feedersTo feeders: inout FeedingSources) { plan.add(feedersTo: &feeders) }

  func close() { plan.close() }
}
