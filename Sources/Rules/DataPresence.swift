import Engine
import Model
import PromQL

/// Tells an expression that yields nothing because it is false from one that has no data.
///
/// The same expression with every filtering comparison replaced by its `bool` form yields an
/// element wherever the inputs exist, whether the condition holds or not.
enum DataPresence {
  /// The expression to ask; nil where its own result decides: it speaks of absence (`absent`), of
  /// values that are labels (`count_values`), or is a plain number.
  static func question(for expr: Expr) -> Expr? {
    expr.type == .vector ? form(expr) : nil
  }

  private static func form(_ expr: Expr) -> Expr? {
    guard expr.type == .vector else { return expr }
    switch expr {
    case .paren(var node):
      guard let inner = form(node.expr) else { return nil }
      node.expr = inner
      return .paren(node)
    case .unary(var node):
      guard let inner = form(node.expr) else { return nil }
      node.expr = inner
      return .unary(node)
    case .binary(let node): return form(node)
    case .aggregate(let node): return form(node)
    case .call(let node): return form(node)
    case .number, .string, .selector, .matrix, .subquery, .duration: return expr
    }
  }

  private static func form(_ node: BinaryExpr) -> Expr? {
    var node = node
    // What the right side of `unless` takes away is an answer, not a lack of data.
    if node.op == .unless { return form(node.lhs) }
    guard let lhs = form(node.lhs) else { return nil }
    guard let rhs = form(node.rhs) else { return node.op == .and ? lhs : nil }
    node.lhs = lhs
    node.rhs = rhs
    if node.op.isComparison { node.returnsBool = true }
    return .binary(node)
  }

  private static func form(_ node: AggregateExpr) -> Expr? {
    switch node.op {
    case .countValues: return nil
    // Which elements these leave out depends on values.
    case .topk, .bottomk, .limitk, .limitRatio: return form(node.expr)
    default:
      var node = node
      guard let inner = form(node.expr) else { return nil }
      node.expr = inner
      return .aggregate(node)
    }
  }

  private static func form(_ node: CallExpr) -> Expr? {
    if node.function.name == "absent" || node.function.name == "absent_over_time" { return nil }
    var node = node
    for (i, argument) in node.arguments.enumerated() {
      switch argument {
      case .subquery(var inner):
        guard let question = form(inner.expr) else { return nil }
        inner.expr = question
        node.arguments[i] = .subquery(inner)
      default:
        guard let question = form(argument) else { return nil }
        node.arguments[i] = question
      }
    }
    return .call(node)
  }

  /// The selectors whose series a target loses when it is down: all but those of the series that
  /// speak of scrapes themselves.
  static func inputs(of expr: Expr) -> [[Matcher]] {
    var found: [[Matcher]] = []
    expr.walk { part, _ in
      guard case .selector(let selector) = part else { return }
      let name = selector.matchers.first {
        $0.kind == .equal && ByteOrder.equal($0.name, LabelName.metricName)
      }
      if let name, isAboutScrapes(name.value) { return }
      if !found.contains(selector.matchers) { found.append(selector.matchers) }
    }
    return found
  }

  static func isAboutScrapes(_ name: String) -> Bool {
    ByteOrder.equal(name, "up") || name.utf8.starts(with: "scrape_".utf8)
  }
}
