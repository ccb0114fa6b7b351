import Diagnostics
import Model

extension Expr {
  /// The type of the expression's value.
  package var type: ValueType {
    switch self {
    case .number, .duration: return .scalar
    case .string: return .string
    case .selector, .aggregate: return .vector
    case .matrix, .subquery: return .matrix
    case .call(let node): return node.function.returnType
    case .paren(let node): return node.expr.type
    case .unary(let node): return node.expr.type
    case .binary(let node):
      // One look at each side of a long chain, not one per level and side.
      var left = node.lhs
      if node.rhs.type != .scalar { return .vector }
      while case .binary(let inner) = left {
        if inner.rhs.type != .scalar { return .vector }
        left = inner.lhs
      }
      return left.type == .scalar ? .scalar : .vector
    }
  }

  /// The bytes of the expression in the text it was parsed from.
  package var range: SourceRange {
    switch self {
    case .number(let node): node.range
    case .string(let node): node.range
    case .paren(let node): node.range
    case .unary(let node): node.range
    case .binary(let node): node.range
    case .aggregate(let node): node.range
    case .call(let node): node.range
    case .selector(let node): node.range
    case .matrix(let node): node.range
    case .subquery(let node): node.range
    case .duration(let node): node.range
    }
  }

  /// The sub-expressions, in the order of Prometheus: an aggregation's vector comes before its
  /// parameter.
  package var children: [Expr] {
    switch self {
    case .number, .string, .selector, .duration: []
    case .paren(let node): [node.expr]
    case .unary(let node): [node.expr]
    case .binary(let node): [node.lhs, node.rhs]
    case .aggregate(let node): [node.expr] + (node.parameter.map { [$0] } ?? [])
    case .call(let node): node.arguments
    case .matrix(let node): [.selector(node.selector)]
    case .subquery(let node): [node.expr]
    }
  }

  /// Visits the expression and everything in it, parents first; `visit` gets the path from the
  /// root.
  package func walk(_ visit: (_ expr: Expr, _ path: [Expr]) -> Void) {
    var path: [Expr] = []
    walk(&path, visit)
  }

  private func walk(_ path: inout [Expr], _ visit: (Expr, [Expr]) -> Void) {
    visit(self, path)
    if isLeaf { return }
    path.append(self)
    forEachChild { $0.walk(&path, visit) }
    path.removeLast()
  }

  private var isLeaf: Bool {
    switch self {
    case .number, .string, .selector, .duration: true
    default: false
    }
  }

  /// Visits the sub-expressions in the order of `children`.
  package func forEachChild(_ visit: (Expr) -> Void) {
    switch self {
    case .number, .string, .selector, .duration: break
    case .paren(let node): visit(node.expr)
    case .unary(let node): visit(node.expr)
    case .binary(let node):
      visit(node.lhs)
      visit(node.rhs)
    case .aggregate(let node):
      visit(node.expr)
      if let parameter = node.parameter { visit(parameter) }
    case .call(let node): for argument in node.arguments { visit(argument) }
    case .matrix(let node): visit(.selector(node.selector))
    case .subquery(let node): visit(node.expr)
    }
  }

  /// All selectors, those of range vectors included, in the order of the text.
  package var selectors: [VectorSelector] {
    var found: [VectorSelector] = []
    addSelectors(to: &found)
    return found
  }

  private func addSelectors(to found: inout [VectorSelector]) {
    switch self {
    case .selector(let node): found.append(node)
    case .matrix(let node): found.append(node.selector)
    default: forEachChild { $0.addSelectors(to: &found) }
    }
  }

  /// Whether there is no selector inside, so that data has no say.
  package var isConstant: Bool {
    switch self {
    case .selector, .matrix: return false
    case .number, .string, .duration: return true
    case .paren(let node): return node.expr.isConstant
    case .unary(let node): return node.expr.isConstant
    case .binary(let node): return node.lhs.isConstant && node.rhs.isConstant
    case .aggregate(let node):
      return node.expr.isConstant && node.parameter.map(\.isConstant) != false
    case .call(let node): return node.arguments.allSatisfy(\.isConstant)
    case .subquery(let node): return node.expr.isConstant
    }
  }

  /// The expression without parentheses around it.
  package var unwrapped: Expr {
    var expr = self
    while case .paren(let node) = expr { expr = node.expr }
    return expr
  }

  /// The node with each of its children rewritten.
  ///
  /// The selector of a range vector is passed as a selector of its own; what it becomes must be
  /// one.
  package func mapChildren<E: Error>(_ transform: (Expr) throws(E) -> Expr) throws(E) -> Expr {
    switch self {
    case .number, .string, .selector, .duration: return self
    case .paren(var node):
      node.expr = try transform(node.expr)
      return .paren(node)
    case .unary(var node):
      node.expr = try transform(node.expr)
      return .unary(node)
    case .binary(var node):
      node.lhs = try transform(node.lhs)
      node.rhs = try transform(node.rhs)
      return .binary(node)
    case .aggregate(var node):
      node.expr = try transform(node.expr)
      if let parameter = node.parameter { node.parameter = try transform(parameter) }
      return .aggregate(node)
    case .call(var node):
      for i in node.arguments.indices { node.arguments[i] = try transform(node.arguments[i]) }
      return .call(node)
    case .matrix(var node):
      guard case .selector(let selector) = try transform(.selector(node.selector)) else {
        preconditionFailure("the selector of a range vector can only become a selector")
      }
      node.selector = selector
      return .matrix(node)
    case .subquery(var node):
      node.expr = try transform(node.expr)
      return .subquery(node)
    }
  }

  /// Rewrites the tree from the leaves up: children first, then `transform` on the node with new
  /// children.
  package func mapped<E: Error>(_ transform: (Expr) throws(E) -> Expr) throws(E) -> Expr {
    try transform(try mapChildren { child throws(E) in try child.mapped(transform) })
  }
}
