import Model
import PromQL
import Storage

/// Turns expressions into nodes, each kind of node once.
///
/// A node is known by a text of its kind, its parameters, its time domain and its children; an
/// equal sub-expression found later becomes the same node and adds its place in the text.
final class PlanCompiler {
  let settings: EngineSettings
  let isStanding: Bool
  /// Where what does not depend on time is evaluated.
  let constant = TimeDomain(isConstant: true)
  private var nodes: [String: PlanNode] = [:]
  private var identities: [ObjectIdentifier: Int] = [:]
  private var subqueries: [String: SubquerySteps] = [:]
  private var windows: [String: WindowSource] = [:]
  private(set) var sources: [SelectorSource] = []
  /// What the plan has in common with others, at the steps of this domain.
  private let sharing: (scope: SharingScope, domain: TimeDomain)?
  private(set) var parts: [SharedPart] = []
  private var sourceIndex: [String: Int] = [:]
  private var depth = 0
  /// Whether a function above reads only count and sum of histograms, and whether another one
  /// forbids to leave the buckets out.
  var readsStatistics = false
  var needsBuckets = false
  /// How much further back than the selector itself says the enclosing subqueries make it look.
  private var reach: Int64 = 0

  init(
    settings: EngineSettings, isStanding: Bool,
    sharing: (scope: SharingScope, domain: TimeDomain)? = nil
  ) {
    self.settings = settings
    self.isStanding = isStanding
    self.sharing = sharing
  }

  var delaysNames: Bool { settings.delayedNameRemoval }

  /// Whether selectors hand out histograms without their buckets.
  ///
  /// Prometheus leaves them out where only count and sum are asked for, which shows where buckets
  /// would matter: resets of gauges, mixed layouts.
  private var skipsBuckets: Bool { readsStatistics && !needsBuckets }

  /// The nodes made so far.
  var nodeCount: Int { nodes.count }

  // Sharing

  private func identity(_ object: AnyObject) -> Int {
    let id = ObjectIdentifier(object)
    if let known = identities[id] { return known }
    identities[id] = identities.count
    return identities.count - 1
  }

  /// The node of a description, made if there is none, with one more place in the text.
  func node(
    _ kind: String, _ children: [PlanNode], in domain: TimeDomain, sites: [Int],
    make: () -> PlanNode
  ) -> PlanNode {
    let parts = children.map { "\(identity($0))" }.joined(separator: ",")
    let key = "\(kind)(\(parts))@\(identity(domain))"
    let node: PlanNode
    if let known = nodes[key] {
      node = known
    } else {
      node = make()
      nodes[key] = node
    }
    if !node.sites.contains(sites) { node.sites.append(sites) }
    return node
  }

  /// The domain of an operator: that of time, unless none of its children depends on it.
  func domain(of children: [PlanNode], within domain: TimeDomain) -> TimeDomain {
    children.allSatisfy { $0.domain.isConstant } ? constant : domain
  }

  // Expressions

  /// Compiles an expression of type scalar or vector.
  func compile(_ expr: Expr, in domain: TimeDomain) throws(QueryProblem) -> PlanNode {
    depth += 1
    defer { depth -= 1 }
    if depth > settings.maxDepth {
      throw QueryProblem(.limit, "expression is nested too deeply")
    }
    if let node = try sharedNode(expr, in: domain) { return node }
    let node = try compileNode(expr, in: domain)
    if node.expr == nil { node.expr = expr }
    return node
  }

  /// The node of an expression that other plans have too.
  private func sharedNode(
    _ expr: Expr, in domain: TimeDomain
  ) throws(QueryProblem) -> PlanNode? {
    guard let sharing, domain === sharing.domain else { return nil }
    if sharing.scope.isPart && depth == 1 { return nil }
    let expr = expr.unwrapped
    let context = SharingContext(readsStatistics: readsStatistics, needsBuckets: needsBuckets)
    guard
      let part = try sharing.scope.expressions.part(
        for: expr, user: sharing.scope.user, context)
    else { return nil }
    let own = part.plan.node.domain.isConstant ? constant : domain
    let shared = node("shared \(identity(part))", [], in: own, sites: []) {
      parts.append(part)
      return SharedNode(domain: own, part: part)
    }
    if let shared = shared as? SharedNode { shared.add(expr) }
    return shared
  }

  private func compileNode(_ expr: Expr, in domain: TimeDomain) throws(QueryProblem) -> PlanNode {
    switch expr {
    case .paren(let paren): return try compile(paren.expr, in: domain)
    case .number(let number): return self.number(number.value, at: number.range.start)
    case .unary(let unary): return try compile(unary, in: domain)
    case .binary(let binary): return try compile(binary, in: domain)
    case .aggregate(let aggregate): return try compile(aggregate, in: domain)
    case .call(let call): return try compile(call, in: domain)
    case .selector(let selector):
      return compile(selector, reading: selector.smoothed ? .smoothed : .value, in: domain)
    case .matrix, .subquery, .string, .duration:
      throw QueryProblem("unexpected expression of type \(expr.type.rawValue)")
    }
  }

  func number(_ value: Double, at offset: Int) -> PlanNode {
    node("number \(value.bitPattern)", [], in: constant, sites: [offset]) {
      ScalarSourceNode(domain: constant, source: .number(value))
    }
  }

  private func compile(_ unary: UnaryExpr, in domain: TimeDomain) throws(QueryProblem) -> PlanNode {
    let argument = try compile(unary.expr, in: domain)
    if unary.op == .add { return argument }
    let own = self.domain(of: [argument], within: domain)
    let sites = [unary.range.start]
    if unary.expr.type == .scalar {
      // −1 · x has the sign of −x for zeros too.
      let minusOne = number(-1, at: unary.range.start)
      return node("scalar *", [minusOne, argument], in: own, sites: sites) {
        ScalarBinaryNode(domain: own, operation: .infix(.multiply), left: minusOne, right: argument)
      }
    }
    return node("negate", [argument], in: own, sites: sites) {
      MathFunctionNode(
        domain: own, function: .negate, argument: argument, parameters: [],
        delaysNames: delaysNames)
    }
  }

  private func compile(
    _ binary: BinaryExpr, in domain: TimeDomain
  ) throws(QueryProblem) -> PlanNode {
    let outerNeedsBuckets = needsBuckets
    if binary.op == .trimUpper || binary.op == .trimLower { needsBuckets = true }
    defer { needsBuckets = outerNeedsBuckets }
    let left = try compile(binary.lhs, in: domain)
    let right = try compile(binary.rhs, in: domain)
    let own = self.domain(of: [left, right], within: domain)
    let sites = [binary.range.start]
    let kind = binary.op.rawValue + (binary.returnsBool ? " bool" : "")
    switch (binary.lhs.type == .scalar, binary.rhs.type == .scalar) {
    case (true, true):
      if binary.op == .trimUpper || binary.op == .trimLower {
        throw QueryProblem("operator \"\(binary.op.rawValue)\" not allowed for Scalar operations")
      }
      return node("scalar \(binary.op.rawValue)", [left, right], in: own, sites: sites) {
        ScalarBinaryNode(domain: own, operation: .infix(binary.op), left: left, right: right)
      }
    case (false, false):
      return compile(binary, left, right, in: own)
    case (let isSwapped, _):
      let (vector, scalar) = isSwapped ? (right, left) : (left, right)
      return node(
        "vector \(kind) \(isSwapped)", [vector, scalar], in: own, sites: sites
      ) {
        VectorScalarNode(
          domain: own, op: binary.op, vector: vector, scalar: scalar, isSwapped: isSwapped,
          returnsBool: binary.returnsBool, delaysNames: delaysNames)
      }
    }
  }

  private func compile(
    _ binary: BinaryExpr, _ left: PlanNode, _ right: PlanNode, in own: TimeDomain
  ) -> PlanNode {
    let matching = binary.matching ?? VectorMatching()
    let kind =
      "\(binary.op.rawValue) \(binary.returnsBool) \(matching.cardinality.rawValue) "
      + "\(matching.isOn) \(matching.labels) \(matching.include) "
      + "\(String(describing: matching.fillLeft)) \(String(describing: matching.fillRight))"
    return node(kind, [left, right], in: own, sites: [binary.range.start]) {
      switch binary.op {
      case .and, .unless:
        IntersectionNode(
          domain: own, left: left, right: right, matching: matching,
          keepsMatched: binary.op == .and)
      case .or: UnionNode(domain: own, left: left, right: right, matching: matching)
      default:
        VectorBinaryNode(
          domain: own, op: binary.op, left: left, right: right, matching: matching,
          returnsBool: binary.returnsBool, delaysNames: delaysNames)
      }
    }
  }

  private func compile(
    _ aggregate: AggregateExpr, in domain: TimeDomain
  ) throws(QueryProblem) -> PlanNode {
    let vector = aggregate.expr.unwrapped
    let argument = try compile(vector, in: domain)
    let names = aggregate.grouping
    var sites = [aggregate.range.start, vector.range.start]
    let kind = "\(aggregate.op.rawValue) \(aggregate.without) \(names)"
    let parameter = aggregate.parameter?.unwrapped
    if case .string(let label)? = parameter {
      if !Self.isLabelName(label.value) {
        let bytes = label.rawBytes ?? Array(label.value.utf8)
        throw QueryProblem("invalid label name \(GoText.quote(bytes: bytes))")
      }
      let own = self.domain(of: [argument], within: domain)
      return node("\(kind) \(label.value)", [argument], in: own, sites: sites) {
        CountValuesNode(
          domain: own, label: label.value, argument: argument, grouping: names,
          isWithout: aggregate.without)
      }
    }
    var children = [argument]
    if let parameter {
      sites.append(parameter.range.start)
      children.append(try compile(parameter, in: domain))
    }
    let own = self.domain(of: children, within: domain)
    return node(kind, children, in: own, sites: sites) {
      switch aggregate.op {
      case .topk, .bottomk, .limitk, .limitRatio:
        SelectionNode(
          domain: own, op: aggregate.op, argument: argument, parameter: children[1],
          grouping: names, isWithout: aggregate.without)
      default:
        AggregationNode(
          domain: own, op: aggregate.op, argument: argument,
          parameter: children.count > 1 ? children[1] : nil, grouping: names,
          isWithout: aggregate.without, delaysNames: delaysNames)
      }
    }
  }

  // Selectors and windows

  private func source(_ selector: VectorSelector) -> SelectorSource {
    let key = selector.matchers.map(\.description).joined(separator: ",")
    if let known = sourceIndex[key] { return sources[known] }
    let source = SelectorSource(matchers: selector.matchers, isStanding: isStanding)
    sourceIndex[key] = sources.count
    sources.append(source)
    return source
  }

  /// How far a duration reaches when a standing plan is evaluated, as far as that can be known.
  private func extent(_ duration: PlanDuration) -> Int64 {
    (try? duration.resolve(step: 0, range: 0)) ?? 0
  }

  func compile(
    _ selector: VectorSelector, reading: SelectorNode.Reading, in domain: TimeDomain
  ) -> PlanNode {
    let source = source(selector)
    let modifier = TimeModifier(
      offset: PlanDuration(selector.offset, isNegativeAllowed: true), at: selector.at)
    source.reach(back: reach + extent(modifier.offset) + settings.lookback.milliseconds)
    let own = modifier.isPinned ? constant : domain
    let kind =
      "select \(identity(source)) \(modifier.key) \(reading.rawValue) \(skipsBuckets)"
    return node(kind, [], in: own, sites: [selector.range.start]) {
      SelectorNode(
        domain: own, source: source, modifier: modifier, reading: reading,
        skipsBuckets: skipsBuckets, delaysNames: delaysNames)
    }
  }

  /// The windows of a range selector or subquery, and the domain in which they do not change.
  func windows(
    _ expr: Expr, in domain: TimeDomain
  ) throws(QueryProblem) -> (source: WindowSource, domain: TimeDomain) {
    let found: (source: WindowSource, domain: TimeDomain)
    switch expr {
    case .matrix(let matrix): found = windows(matrix, in: domain)
    case .subquery(let subquery): found = try windows(subquery, in: domain)
    default: throw QueryProblem("unexpected expression of type \(expr.type.rawValue)")
    }
    if found.source.expr == nil { found.source.expr = expr }
    return found
  }

  private func windows(
    _ matrix: MatrixSelector, in domain: TimeDomain
  ) -> (WindowSource, TimeDomain) {
    let selector = matrix.selector
    let source = source(selector)
    let modifier = TimeModifier(
      offset: PlanDuration(selector.offset, isNegativeAllowed: true), at: selector.at)
    let range = PlanDuration(matrix.window, isNegativeAllowed: false)
    let extended: ExtendedRange.Mode =
      selector.anchored ? .anchored : selector.smoothed ? .smoothed : .none
    source.reach(
      back: reach + extent(modifier.offset) + extent(range)
        + (extended == .none ? 0 : settings.lookback.milliseconds))
    let key =
      "range \(identity(source)) \(modifier.key) \(range.key) \(extended.rawValue) "
      + "\(skipsBuckets)"
    let windows =
      self.windows[key]
      ?? StoredWindows(
        source: source, range: range, modifier: modifier, extent: extended,
        skipsBuckets: skipsBuckets)
    self.windows[key] = windows
    return (windows, modifier.isPinned ? constant : domain)
  }

  private func windows(
    _ subquery: SubqueryExpr, in domain: TimeDomain
  ) throws(QueryProblem) -> (WindowSource, TimeDomain) {
    let modifier = TimeModifier(
      offset: PlanDuration(subquery.offset, isNegativeAllowed: true), at: subquery.at)
    let range = PlanDuration(subquery.window, isNegativeAllowed: false)
    let step = subquery.step.map { PlanDuration($0, isNegativeAllowed: false) }
    let outer = modifier.isPinned ? constant : domain
    let key =
      "steps \(identity(outer)) \(modifier.key) \(range.key) \(step?.key ?? "default")"
    let steps = subqueries[key] ?? SubquerySteps()
    subqueries[key] = steps
    let saved = (reach: reach, needsBuckets: needsBuckets)
    reach += extent(modifier.offset) + extent(range)
    needsBuckets = true
    defer { (reach, needsBuckets) = saved }
    let inner = try compile(subquery.expr, in: steps.domain)
    let innerKey = "\(key) of \(identity(inner))"
    let windows =
      self.windows[innerKey]
      ?? SubqueryWindows(
        inner: inner, steps: steps, range: range, step: step, modifier: modifier,
        keepsSteps: isStanding && inner.readsOnlyThePast)
    self.windows[innerKey] = windows
    return (windows, outer)
  }

  /// An identity of a window source, for keys.
  func key(_ windows: WindowSource) -> String { "windows \(identity(windows))" }
}
