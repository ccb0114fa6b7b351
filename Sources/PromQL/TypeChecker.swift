import Diagnostics
import Model

extension ValueType {
  /// The name of the type in messages.
  package var documentedName: String {
    switch self {
    case .scalar: "scalar"
    case .vector: "instant vector"
    case .matrix: "range vector"
    case .string: "string"
    case .none: "none"
    }
  }
}

/// Checks that every part of an expression has the type that its place asks for.
///
/// The order of the checks decides which of several problems is reported; it is Prometheus'.
struct TypeChecker {
  /// The text the expression was parsed from.
  let bytes: [UInt8]

  /// Checks an expression and returns its type.
  @discardableResult
  func check(_ expr: Expr) throws(ParseProblem) -> ValueType {
    switch expr {
    case .number, .duration: return .scalar
    case .string: return .string
    case .paren(let node): return try check(node.expr)
    case .unary(let node): return try check(node)
    case .binary(let node): return try check(chain: node)
    case .aggregate(let node): return try check(node)
    case .call(let node): return try check(node)
    case .selector(let node):
      try check(node, mayBeEmpty: false)
      return .vector
    case .matrix(let node):
      try check(node.selector, mayBeEmpty: false)
      return .matrix
    case .subquery(let node):
      let type = try check(node.expr)
      if type != .vector {
        throw ParseProblem(
          "subquery is only allowed on instant vector, got \(type.rawValue) instead",
          range: node.range)
      }
      return .matrix
    }
  }

  private func check(_ node: UnaryExpr) throws(ParseProblem) -> ValueType {
    let type = try check(node.expr)
    if type != .scalar && type != .vector {
      throw ParseProblem(
        "unary expression only allowed on expressions of type scalar or instant vector, got "
          + GoText.quote(type.documentedName), range: node.range)
    }
    return type
  }

  private func expect(
    _ wanted: ValueType, _ expr: Expr, in place: String
  ) throws(ParseProblem) {
    let type = try check(expr)
    if type != wanted { throw mismatch(wanted, type, in: place, expr.range) }
  }

  private func mismatch(
    _ wanted: ValueType, _ type: ValueType, in place: String, _ range: SourceRange
  ) -> ParseProblem {
    ParseProblem(
      "expected type \(wanted.documentedName) in \(place), got \(type.documentedName)",
      range: range)
  }

  private func check(_ node: AggregateExpr) throws(ParseProblem) -> ValueType {
    try expect(.vector, node.expr, in: "aggregation expression")
    if let parameter = node.parameter {
      let wanted = node.op == .countValues ? ValueType.string : .scalar
      try expect(wanted, parameter, in: "aggregation parameter")
    }
    return .vector
  }

  // MARK: Calls

  private func check(_ node: CallExpr) throws(ParseProblem) -> ValueType {
    let function = node.function
    try checkCount(node)
    if function.name == "info", node.arguments.count > 1 {
      try checkInfoLabels(node.arguments[1], in: node)
    }
    for (i, argument) in node.arguments.enumerated() {
      // Only the last parameter repeats.
      let wanted = function.argumentTypes[min(i, function.argumentTypes.count - 1)]
      let type: ValueType
      if function.name == "info", i == 1, case .selector(let selector) = argument {
        try check(selector, mayBeEmpty: true)
        type = .vector
      } else {
        type = try check(argument)
      }
      if type != wanted {
        throw mismatch(
          wanted, type, in: "call to function \(GoText.quote(function.name))", argument.range)
      }
    }
    return function.returnType
  }

  private func checkCount(_ node: CallExpr) throws(ParseProblem) {
    let function = node.function
    let most = function.argumentTypes.count
    let count = node.arguments.count
    func problem(_ wanted: String) -> ParseProblem {
      ParseProblem(
        "expected \(wanted) argument(s) in call to \(GoText.quote(function.name)), got \(count)",
        range: node.range)
    }
    if function.variadic == 0 {
      if count != most { throw problem("\(most)") }
    } else {
      let least = most - 1
      if count < least { throw problem("at least \(least)") }
      if function.variadic > 0, count > least + function.variadic {
        throw problem("at most \(least + function.variadic)")
      }
    }
  }

  /// The second argument of `info` is not evaluated: it only carries matchers.
  private func checkInfoLabels(_ labels: Expr, in node: CallExpr) throws(ParseProblem) {
    if labels.type != .vector {
      throw mismatch(.vector, labels.type, in: "call to function \"info\"", node.range)
    }
    guard case .selector(let selector) = labels else {
      throw ParseProblem("expected label selectors only", range: labels.range)
    }
    if selector.name != nil {
      throw ParseProblem(
        "expected label selectors only, got vector selector instead", range: labels.range)
    }
  }

  // MARK: Selectors

  private func check(_ node: VectorSelector, mayBeEmpty: Bool) throws(ParseProblem) {
    if let name = node.name {
      for matcher in node.matchers.dropLast() where matcher.name == LabelName.metricName {
        throw ParseProblem(
          "metric name must not be set twice: \(GoText.quote(name)) or "
            + GoText.quote(matcher.value), range: node.range)
      }
    } else if !mayBeEmpty && node.matchers.allSatisfy(\.matchesEmpty) {
      throw ParseProblem(
        "vector selector must contain at least one non-empty matcher", range: node.range)
    }
  }

  // MARK: Binary expressions

  /// Checks a chain of left operands without recursion: `a + b + c + …` can be long.
  private func check(chain node: BinaryExpr) throws(ParseProblem) -> ValueType {
    var chain = [node]
    var left = node.lhs
    while case .binary(let inner) = left {
      chain.append(inner)
      left = inner.lhs
    }
    var type = try check(left)
    for node in chain.reversed() { type = try check(node, left: type) }
    return type
  }

  private func check(
    _ node: BinaryExpr, left: ValueType
  ) throws(ParseProblem) -> ValueType {
    let right = try check(node.rhs)
    let bothScalar = left == .scalar && right == .scalar
    if node.returnsBool && !node.op.isComparison {
      throw ParseProblem(
        "bool modifier can only be used on comparison operators", range: between(node))
    }
    if node.op.isComparison && !node.returnsBool && bothScalar {
      throw ParseProblem("comparisons between scalars must use BOOL modifier", range: between(node))
    }
    try checkGroupLabels(node)
    for (type, side) in [(left, node.lhs), (right, node.rhs)] where type != .scalar {
      if type != .vector {
        throw ParseProblem(
          "binary expression must contain only scalar and instant vector types", range: side.range)
      }
    }
    let isFilled = node.matching?.fillLeft != nil || node.matching?.fillRight != nil
    if left != .vector || right != .vector {
      if let matching = node.matching, !matching.labels.isEmpty {
        throw ParseProblem(
          "vector matching only allowed between instant vectors", range: node.range)
      }
      if isFilled {
        throw ParseProblem(
          "filling in missing series only allowed between instant vectors", range: node.range)
      }
    } else if node.op.isSet, let matching = node.matching {
      if matching.cardinality != .manyToMany {
        throw ParseProblem(
          "no grouping allowed for \(GoText.quote(node.op.rawValue)) operation", range: node.range)
      }
      if isFilled {
        throw ParseProblem(
          "filling in missing series not allowed for set operators", range: node.range)
      }
    }
    if node.op.isSet && (left == .scalar || right == .scalar) {
      throw ParseProblem(
        "set operator \(GoText.quote(node.op.rawValue)) not allowed in binary scalar expression",
        range: node.range)
    }
    return bothScalar ? .scalar : .vector
  }

  private func checkGroupLabels(_ node: BinaryExpr) throws(ParseProblem) {
    guard let matching = node.matching, matching.isOn, !matching.include.isEmpty else { return }
    for label in matching.labels
    where matching.include.contains(where: { ByteOrder.equal($0, label) }) {
      throw ParseProblem(
        "label \(GoText.quote(label)) must not occur in ON and GROUP clause at once",
        range: between(node))
    }
  }

  /// What stands between the sides, without blanks at its ends.
  private func between(_ node: BinaryExpr) -> SourceRange {
    var range = SourceRange(node.lhs.range.end, node.rhs.range.start)
    while range.start < range.end, ByteClass.isSpace(bytes[range.start]) { range.start += 1 }
    while range.end > range.start, ByteClass.isSpace(bytes[range.end - 1]) { range.end -= 1 }
    return range
  }
}
