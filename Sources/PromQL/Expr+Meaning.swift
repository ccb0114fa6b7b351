import Model

extension Expr {
  /// The expression without what does not matter to its result: parentheses, the order of matchers
  /// and of grouping labels, and whether a number was written as a duration.
  ///
  /// Expressions of one meaning are equal; equal ones need not look alike.
  package var meaning: Expr {
    mapped { node in
      switch node {
      case .paren(let node): return node.expr
      case .unary(let node):
        if node.op == .add { return node.expr }
        guard case .number(var number) = node.expr else { return .unary(node) }
        number.value = -number.value
        return .number(number)
      case .number(var number):
        number.isDuration = false
        return .number(number)
      case .selector(var selector):
        selector.name = nil
        selector.matchers = selector.matchers.map { ($0.description, $0) }
          .sorted { ByteOrder.less($0.0, $1.0) }.map(\.1)
        return .selector(selector)
      case .aggregate(var aggregate):
        aggregate.grouping = Self.set(aggregate.grouping)
        return .aggregate(aggregate)
      case .binary(var binary):
        if var matching = binary.matching {
          matching.labels = Self.set(matching.labels)
          matching.include = Self.set(matching.include)
          binary.matching = matching
        }
        return .binary(binary)
      default: return node
      }
    }
  }

  /// Names in order, each once.
  private static func set(_ names: [String]) -> [String] {
    names.sorted(by: ByteOrder.less).reduce(into: []) { kept, name in
      if kept.last.map({ !ByteOrder.equal($0, name) }) ?? true { kept.append(name) }
    }
  }
}
