/// Lays out PromQL over several lines as Prometheus' formatter does.
///
/// A node whose canonical text is longer than `width` bytes puts its parts on lines of their own,
/// one level deeper; a shorter one stays on its line.
struct PrettyPrinter {
  private static let width = 100

  func print(_ expr: Expr, level: Int) -> String {
    let indent = indent(level)
    switch expr {
    case .number, .string, .selector, .matrix, .duration: return indent + expr.description
    case .unary(let node):
      // The sign takes the indentation of what it stands before.
      let child = print(node.expr, level: level).drop { $0 == " " }
      return indent + node.op.rawValue + child
    case .aggregate, .binary, .call, .paren, .subquery: break
    }
    let line = expr.description
    if line.utf8.count <= Self.width {
      if case .subquery = expr { return line }
      return indent + line
    }
    var printer = Printer()
    switch expr {
    case .aggregate(let node):
      printer.printHead(node)
      let parts = (node.parameter.map { [$0] } ?? []) + [node.expr]
      return indent + printer.out + list(parts, level: level)
    case .binary(let node):
      printer.printOperator(node)
      return [
        print(node.lhs, level: level + 1), indent + printer.out,
        print(node.rhs, level: level + 1),
      ].joined(separator: "\n")
    case .call(let node):
      return indent + node.function.name + list(node.arguments, level: level)
    case .paren(let node): return indent + list([node.expr], level: level)
    case .subquery(let node):
      printer.printSuffix(node)
      return print(node.expr, level: level) + printer.out
    default: return indent + line
    }
  }

  private func list(_ parts: [Expr], level: Int) -> String {
    let lines = parts.map { print($0, level: level + 1) }.joined(separator: ",\n")
    return "(\n" + lines + "\n" + indent(level) + ")"
  }

  private func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }
}
