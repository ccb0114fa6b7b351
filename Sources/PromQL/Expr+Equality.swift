import Model

/// Structural equality: ranges do not count, the bits of numbers and the bytes of texts do.
extension Expr: Hashable {
  package static func == (a: Expr, b: Expr) -> Bool {
    switch (a, b) {
    case (.number(let x), .number(let y)): x == y
    case (.string(let x), .string(let y)): x == y
    case (.paren(let x), .paren(let y)): x.expr == y.expr
    case (.unary(let x), .unary(let y)): x.op == y.op && x.expr == y.expr
    case (.binary(let x), .binary(let y)): x == y
    case (.aggregate(let x), .aggregate(let y)): x == y
    case (.call(let x), .call(let y)):
      x.function.name == y.function.name && x.arguments == y.arguments
    case (.selector(let x), .selector(let y)): x == y
    case (.matrix(let x), .matrix(let y)): x.selector == y.selector && x.window == y.window
    case (.subquery(let x), .subquery(let y)): x == y
    case (.duration(let x), .duration(let y)): x == y
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .number(let node): node.hash(into: &hasher)
    case .string(let node): node.hash(into: &hasher)
    case .paren(let node): hasher.combine(node.expr)
    case .unary(let node):
      hasher.combine(node.op)
      hasher.combine(node.expr)
    case .binary(let node): node.hash(into: &hasher)
    case .aggregate(let node): node.hash(into: &hasher)
    case .call(let node):
      hasher.combine(node.function.name)
      hasher.combine(node.arguments)
    case .selector(let node): node.hash(into: &hasher)
    case .matrix(let node):
      hasher.combine(node.window)
      node.selector.hash(into: &hasher)
    case .subquery(let node): node.hash(into: &hasher)
    case .duration(let node): node.hash(into: &hasher)
    }
  }
}

/// Compares and hashes lists of names by bytes.
private func equal(_ a: [String], _ b: [String]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { ByteOrder.equal($0, $1) }
}

private func combine(_ names: [String], into hasher: inout Hasher) {
  for name in names {
    for byte in name.utf8 { hasher.combine(byte) }
    hasher.combine(UInt8(0xff))
  }
}

extension NumberLiteral: Hashable {
  package static func == (a: NumberLiteral, b: NumberLiteral) -> Bool {
    a.value.bitPattern == b.value.bitPattern && a.isDuration == b.isDuration
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(value.bitPattern) }
}

extension StringLiteral: Hashable {
  package static func == (a: StringLiteral, b: StringLiteral) -> Bool {
    ByteOrder.equal(a.value, b.value) && a.rawBytes == b.rawBytes
  }

  package func hash(into hasher: inout Hasher) { combine([value], into: &hasher) }
}

extension BinaryExpr: Hashable {
  package static func == (a: BinaryExpr, b: BinaryExpr) -> Bool {
    a.op == b.op && a.returnsBool == b.returnsBool && a.matching == b.matching && a.lhs == b.lhs
      && a.rhs == b.rhs
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(op)
    hasher.combine(lhs)
    hasher.combine(rhs)
  }
}

extension AggregateExpr: Hashable {
  package static func == (a: AggregateExpr, b: AggregateExpr) -> Bool {
    a.op == b.op && a.without == b.without && equal(a.grouping, b.grouping)
      && a.parameter == b.parameter && a.expr == b.expr
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(op)
    combine(grouping, into: &hasher)
    hasher.combine(expr)
  }
}

extension DurationValue: Hashable {
  package static func == (a: DurationValue, b: DurationValue) -> Bool {
    a.constant == b.constant && a.expr == b.expr
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(constant) }
}

extension VectorSelector: Hashable {
  package static func == (a: VectorSelector, b: VectorSelector) -> Bool {
    a.matchers == b.matchers && a.offset == b.offset && a.at == b.at && a.anchored == b.anchored
      && a.smoothed == b.smoothed && equal(a.name.map { [$0] } ?? [], b.name.map { [$0] } ?? [])
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(matchers)
    hasher.combine(offset)
    hasher.combine(at)
  }
}

extension SubqueryExpr: Hashable {
  package static func == (a: SubqueryExpr, b: SubqueryExpr) -> Bool {
    a.window == b.window && a.step == b.step && a.offset == b.offset && a.at == b.at
      && a.expr == b.expr
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(window)
    hasher.combine(offset)
    hasher.combine(expr)
  }
}

extension DurationExpr: Hashable {
  package static func == (a: DurationExpr, b: DurationExpr) -> Bool {
    switch (a, b) {
    case (.literal(let x), .literal(let y)): x == y
    case (.negate(let x, _), .negate(let y, _)), (.plus(let x, _), .plus(let y, _)),
      (.paren(let x, _), .paren(let y, _)):
      x == y
    case (.binary(let op1, let l1, let r1, _), .binary(let op2, let l2, let r2, _)):
      op1 == op2 && l1 == l2 && r1 == r2
    case (.step, .step), (.queryRange, .queryRange): true
    case (.minOf(let l1, let r1, _), .minOf(let l2, let r2, _)),
      (.maxOf(let l1, let r1, _), .maxOf(let l2, let r2, _)):
      l1 == l2 && r1 == r2
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .literal(let number): hasher.combine(number)
    case .negate(let inner, _), .plus(let inner, _), .paren(let inner, _):
      hasher.combine(inner)
    case .binary(let op, let lhs, let rhs, _):
      hasher.combine(op)
      hasher.combine(lhs)
      hasher.combine(rhs)
    case .step: hasher.combine(1)
    case .queryRange: hasher.combine(2)
    case .minOf(let lhs, let rhs, _), .maxOf(let lhs, let rhs, _):
      hasher.combine(lhs)
      hasher.combine(rhs)
    }
  }
}
