import Diagnostics
import Model

extension Expr: CustomStringConvertible {
  /// The canonical text on one line; parsing it gives an equal expression.
  package var description: String {
    var printer = Printer()
    printer.print(self)
    return printer.out
  }

  /// The formatter's text: as `description`, broken where a part is longer than 100 bytes.
  package var pretty: String { PrettyPrinter().print(self, level: 0) }

  /// The text of the node alone, as a heading over its children: `rate`, `sum by (job)`, `>`,
  /// `[5m]`.
  package var heading: String {
    var printer = Printer()
    switch self {
    case .aggregate(let node): printer.printHead(node)
    case .binary(let node): printer.printOperator(node)
    case .call(let node): printer.out = node.function.name
    case .subquery(let node): printer.printSuffix(node)
    case .unary(let node): printer.out = node.op.rawValue
    case .paren: printer.out = "()"
    default: printer.print(self)
    }
    return printer.out
  }
}

extension DurationExpr: CustomStringConvertible {
  package var description: String {
    var printer = Printer()
    printer.print(self)
    return printer.out
  }
}

/// Writes canonical PromQL.
struct Printer {
  var out = ""

  mutating func print(_ expr: Expr) {
    switch expr {
    case .number(let node): print(node)
    case .string(let node):
      out += node.rawBytes.map { GoText.quote(bytes: $0) } ?? GoText.quote(node.value)
    case .paren(let node):
      out += "("
      print(node.expr)
      out += ")"
    case .unary(let node):
      out += node.op.rawValue
      print(node.expr)
    case .binary(let node):
      print(node.lhs)
      out += " "
      printOperator(node)
      out += " "
      print(node.rhs)
    case .aggregate(let node):
      printHead(node)
      out += "("
      if let parameter = node.parameter {
        print(parameter)
        out += ", "
      }
      print(node.expr)
      out += ")"
    case .call(let node):
      out += node.function.name + "("
      for (i, argument) in node.arguments.enumerated() {
        if i > 0 { out += ", " }
        print(argument)
      }
      out += ")"
    case .selector(let node): print(node)
    case .matrix(let node): print(node)
    case .subquery(let node):
      print(node.expr)
      printSuffix(node)
    case .duration(let node): print(node)
    }
  }

  private mutating func print(_ node: NumberLiteral) {
    guard node.isDuration else {
      out += NumberText.plain(node.value)
      return
    }
    if node.value < 0 { out += "-" }
    let milliseconds = (node.value.magnitude * 1e9).rounded(.towardZero) / 1e6
    out +=
      PromDuration(milliseconds: Int64(exactly: milliseconds.rounded(.towardZero)) ?? .max)
      .description
  }

  mutating func printHead(_ node: AggregateExpr) {
    out += node.op.rawValue
    if node.without || !node.grouping.isEmpty {
      out += node.without ? " without (" : " by ("
      printNames(node.grouping)
      out += ") "
    }
  }

  private mutating func printNames(_ names: [String]) {
    for (i, name) in names.enumerated() {
      if i > 0 { out += ", " }
      out += LabelName.isLegacyValid(name) ? name : GoText.quote(name)
    }
  }

  /// The operator with all its modifiers.
  mutating func printOperator(_ node: BinaryExpr) {
    out += node.op.rawValue
    if node.returnsBool { out += " bool" }
    guard let matching = node.matching else { return }
    let isGrouped = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
    if matching.isOn || isGrouped || !matching.labels.isEmpty {
      out += matching.isOn ? " on (" : " ignoring ("
      printNames(matching.labels)
      out += ")"
    }
    if isGrouped {
      out += matching.cardinality == .manyToOne ? " group_left (" : " group_right ("
      printNames(matching.include)
      out += ")"
    }
    if let value = matching.fillLeft, value == matching.fillRight {
      out += " fill (\(NumberText.general(value)))"
    } else {
      if let value = matching.fillLeft { out += " fill_left (\(NumberText.general(value)))" }
      if let value = matching.fillRight { out += " fill_right (\(NumberText.general(value)))" }
    }
  }

  // MARK: Selectors

  private mutating func print(_ node: VectorSelector) {
    printMatchers(node)
    printTime(node.at)
    printExtension(node)
    printOffset(node.offset)
  }

  private mutating func print(_ node: MatrixSelector) {
    printMatchers(node.selector)
    out += "["
    print(node.window)
    out += "]"
    printExtension(node.selector)
    printTime(node.selector.at)
    printOffset(node.selector.offset)
  }

  /// `[1h:5m] @ 0.000 offset 5m` behind a subquery's expression.
  mutating func printSuffix(_ node: SubqueryExpr) {
    out += "["
    print(node.window)
    out += ":"
    if let step = node.step { print(step) }
    out += "]"
    printTime(node.at)
    printOffset(node.offset)
  }

  private mutating func printMatchers(_ node: VectorSelector) {
    let name = node.name ?? ""
    out += name
    let texts = node.matchers.compactMap { matcher -> String? in
      let isName =
        matcher.kind == .equal && matcher.name == LabelName.metricName && !name.isEmpty
        && ByteOrder.equal(matcher.value, name)
      return isName ? nil : matcher.description
    }
    if texts.isEmpty { return }
    out += "{" + texts.sorted(by: ByteOrder.less).joined(separator: ",") + "}"
  }

  private mutating func printTime(_ at: AtModifier?) {
    switch at {
    case nil: break
    case .start: out += " @ start()"
    case .end: out += " @ end()"
    case .timestamp(let time):
      let milliseconds = time.milliseconds.magnitude
      let fraction = String(milliseconds % 1000)
      out += " @ \(time.milliseconds < 0 ? "-" : "")\(milliseconds / 1000)."
      out += String(repeating: "0", count: 3 - fraction.count) + fraction
    }
  }

  private mutating func printExtension(_ node: VectorSelector) {
    if node.anchored { out += " anchored" } else if node.smoothed { out += " smoothed" }
  }

  private mutating func printOffset(_ offset: DurationValue) {
    if offset.expr == nil && offset.constant == .zero { return }
    out += " offset "
    print(offset)
  }

  // MARK: Durations

  private mutating func print(_ duration: DurationValue) {
    if let expr = duration.expr { print(expr) } else { out += duration.constant.description }
  }

  mutating func print(_ expr: DurationExpr) {
    switch expr {
    case .literal(let number): print(number)
    case .negate(let inner, _):
      out += "-"
      print(inner)
    case .plus(let inner, _): print(inner)
    case .paren(let inner, _):
      out += "("
      print(inner)
      out += ")"
    case .binary(let op, let lhs, let rhs, _):
      print(lhs)
      out += " \(op.rawValue) "
      print(rhs)
    case .step: out += "step()"
    case .queryRange: out += "range()"
    case .minOf(let lhs, let rhs, _), .maxOf(let lhs, let rhs, _):
      if case .minOf = expr { out += "min_of(" } else { out += "max_of(" }
      print(lhs)
      out += ", "
      print(rhs)
      out += ")"
    }
  }
}
