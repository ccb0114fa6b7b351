import Model
import PromQL
import Storage

/// The moment at which plans are evaluated together; begun anew before each such time.
package final class EvaluationRound {
  private(set) var number: UInt64 = 0

  package init() {}

  /// What was evaluated before counts no more.
  package func begin() { number &+= 1 }
}

/// The sub-expressions that several plans of a group have in common.
///
/// Each becomes a plan of its own that is evaluated once per round, whoever asks first. Expressions
/// are common if they read the same and see the same state of the store: a text that reads what a
/// rule in between writes is another expression behind that rule.
package final class SharedExpressions {
  /// Longer expressions share nothing: every part of them would be printed.
  private static let longest = 8192

  /// A sub-expression by who had it first.
  private struct Entry {
    let expr: Expr
    let user: Int
    let isWorthSharing: Bool
    /// Further from the leaves than those it consists of.
    var height = 0
    var children: [Int] = []
    /// The plans it would be evaluated in: users, and below zero common parts.
    var owners: Set<Int> = []
    var part: SharedPart?

    var isShared: Bool { isWorthSharing && owners.count > 1 }
  }

  private let store: Store
  private let settings: EngineSettings
  private let round: EvaluationRound
  private var entries: [Entry] = []
  private var places: [String: Int] = [:]
  /// Per user the place of each sub-expression that was visited.
  private var known: [Int: [String: Int]] = [:]
  /// The users that have something in common with another one, once all have been settled.
  package private(set) var sharers: Set<Int> = []

  package init(store: Store, settings: EngineSettings, round: EvaluationRound) {
    self.store = store
    self.settings = settings
    self.round = round
  }

  /// Takes in the expression of a user.
  ///
  /// - Parameter version: names the state of the series that fulfil conditions, as the user sees
  ///   it: the higher the later.
  package func note(
    _ expr: Expr, user: Int, version: (_ matchers: [Matcher]) -> Int
  ) {
    if expr.description.utf8.count > Self.longest { return }
    let place = enter(expr, user, SharingContext(), version)
    entries[place].owners.insert(user)
  }

  /// All expressions have been taken in: finds what belongs to several plans.
  package func settle() {
    // Whatever an expression is part of comes before it.
    for place in entries.indices.sorted(by: { entries[$0].height > entries[$1].height }) {
      let entry = entries[place]
      if entry.isShared { sharers.formUnion(entry.owners.filter { $0 >= 0 }) }
      let plans = entry.isShared ? [-1 - place] : entry.owners
      for child in entry.children { entries[child].owners.formUnion(plans) }
    }
  }

  /// The place of an expression, made if there is none.
  private func enter(
    _ expr: Expr, _ user: Int, _ context: SharingContext, _ version: ([Matcher]) -> Int
  ) -> Int {
    let expr = expr.unwrapped
    let key = context.key(expr)
    if let place = known[user]?[key] { return place }
    let (newest, isWorthSharing) = Self.look(at: expr, version)
    let name = "\(newest) \(key)"
    let place = places[name] ?? entries.count
    known[user, default: [:]][key] = place
    let isNew = place == entries.count
    if isNew {
      places[name] = place
      entries.append(
        Entry(
          expr: expr, user: user, isWorthSharing: isWorthSharing && context.allowsSharing))
    } else if entries[place].isWorthSharing {
      return place
    }
    let inside = context.inside(expr)
    var children: [Int] = []
    for child in Self.parts(of: expr) { children.append(enter(child, user, inside, version)) }
    if isNew {
      entries[place].height = 1 + (children.map { entries[$0].height }.max() ?? 0)
      entries[place].children = children
    }
    return place
  }

  /// What is evaluated at the same steps as the expression.
  private static func parts(of expr: Expr) -> [Expr] {
    if case .subquery = expr { return [] }
    return expr.children.filter { $0.type != .string }
  }

  /// The newest of the states an expression sees, and whether it is worth sharing.
  ///
  /// The newest tells all of them: who stands behind a writer sees its state. Numbers are no work,
  /// and what `info` reads cannot be told.
  private static func look(
    at expr: Expr, _ version: ([Matcher]) -> Int
  ) -> (newest: Int, isWorthSharing: Bool) {
    var newest = Int.min
    var isOpen = false
    expr.walk { part, _ in
      switch part {
      case .selector(let selector): newest = max(newest, version(selector.matchers))
      case .call(let call) where call.function.name == "info": isOpen = true
      default: break
      }
    }
    let hasValues = expr.type == .vector || expr.type == .scalar
    return (newest, hasValues && newest > Int.min && !isOpen)
  }

  /// The common part an expression of a user is, compiled if it is not yet.
  func part(
    for expr: Expr, user: Int, _ context: SharingContext
  ) throws(QueryProblem) -> SharedPart? {
    guard context.allowsSharing, let place = known[user]?[context.key(expr)] else { return nil }
    let entry = entries[place]
    guard entry.isShared else { return nil }
    if let part = entry.part { return part }
    let scope = SharingScope(self, user: entry.user, isPart: true)
    let plan = try Plan(
      entry.expr, store: store, settings: settings, standing: true, sharing: scope)
    let part = SharedPart(entry.expr, plan: plan, round: round)
    entries[place].part = part
    return part
  }
}

/// What of the surroundings of an expression matters to what it yields.
struct SharingContext {
  /// As in `PlanCompiler`.
  var readsStatistics = false
  var needsBuckets = false

  /// Histograms without buckets are nothing to share.
  var allowsSharing: Bool { !readsStatistics }

  func key(_ expr: Expr) -> String { "\(readsStatistics) \(needsBuckets) \(expr.description)" }

  /// What holds for the arguments of an expression.
  func inside(_ expr: Expr) -> SharingContext {
    var context = self
    switch expr {
    case .call(let call):
      switch call.function.name {
      case "histogram_count", "histogram_sum", "histogram_avg": context.readsStatistics = true
      case "histogram_quantile", "histogram_fraction": context.needsBuckets = true
      default: break
      }
    case .binary(let binary) where binary.op == .trimUpper || binary.op == .trimLower:
      context.needsBuckets = true
    default: break
    }
    return context
  }
}

/// With whom a plan shares what.
package struct SharingScope {
  let expressions: SharedExpressions
  let user: Int
  /// Whether the plan itself is what others share.
  let isPart: Bool

  /// The plan of one of the users.
  package init(_ expressions: SharedExpressions, user: Int) {
    self.init(expressions, user: user, isPart: false)
  }

  init(_ expressions: SharedExpressions, user: Int, isPart: Bool) {
    self.expressions = expressions
    self.user = user
    self.isPart = isPart
  }
}
