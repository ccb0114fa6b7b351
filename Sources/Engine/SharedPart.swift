import Model
import PromQL
import Synchronization

/// A sub-expression of several plans with the values of the round at hand.
///
/// Plans may ask for it side by side: the first one evaluates it while the others wait. Until the
/// next round it only is read.
final class SharedPart {
  let expr: Expr
  let plan: Plan
  private let round: EvaluationRound
  private let gate = Mutex(())
  private var evaluated: (round: UInt64, time: Timestamp)?
  private var problem: QueryProblem?
  /// Where in the text of who had it first its parts stand; made when there is a remark.
  private lazy var offsets = Self.offsets(of: expr)
  /// The plans that read it.
  private var users = 0
  /// How often it was evaluated.
  private(set) var evaluations: UInt64 = 0

  init(_ expr: Expr, plan: Plan, round: EvaluationRound) {
    self.expr = expr
    self.plan = plan
    self.round = round
  }

  /// Brings it up to date with a time of this round.
  func evaluate(at time: Timestamp) throws(QueryProblem) {
    let problem = gate.withLock { _ -> QueryProblem? in
      if let evaluated, evaluated == (round.number, time) { return self.problem }
      self.problem = nil
      do throws(QueryProblem) {
        _ = try plan.step(at: time)
      } catch {
        self.problem = error
      }
      evaluations += 1
      evaluated = (round.number, time)
      return self.problem
    }
    if let problem { throw problem }
  }

  func open() { users += 1 }

  /// The last user takes the registrations with it.
  func close() {
    users -= 1
    if users == 0 { plan.close() }
  }

  /// The remarks of the last evaluation, at the places of an equal expression.
  func forEachRemark(in twin: Expr, _ body: (_ annotation: Annotation, _ offset: Int) -> Void) {
    let remarks = plan.remarks
    if remarks.isEmpty { return }
    let (from, to) = gate.withLock { _ in (offsets, Self.offsets(of: twin)) }
    for (annotation, offset) in remarks {
      let place = from.firstIndex(of: offset)
      body(annotation, place.map { to[$0] } ?? offset)
    }
  }

  private static func offsets(of expr: Expr) -> [Int] {
    var offsets: [Int] = []
    expr.walk { part, _ in offsets.append(part.range.start) }
    return offsets
  }
}

/// Stands in a plan for a part that others have too: its shape and values are that part's.
final class SharedNode: PlanNode {
  let part: SharedPart
  /// The expression wherever it occurs in the plan's text.
  private var twins: [Expr] = []
  private var seenTick: UInt64 = 0

  init(domain: TimeDomain, part: SharedPart) {
    self.part = part
    super.init(domain: domain, children: [], values: part.plan.node.values)
  }

  override var shape: Shape { part.plan.node.shape }
  override var title: String { "shared" }

  /// Notes one more place of the expression.
  func add(_ twin: Expr) { twins.append(twin) }

  override func evaluate(_ evaluation: Evaluation) throws(QueryProblem) {
    if seenTick == domain.tick { return }
    try evaluation.checkCancelled()
    try part.evaluate(at: Timestamp(milliseconds: evaluation.start))
    for twin in twins {
      part.forEachRemark(in: twin) { evaluation.annotations.add($0, at: $1) }
    }
    seenTick = domain.tick
  }

  override func order(step: Int) -> [Int]? { part.plan.node.order(step: step) }
}
