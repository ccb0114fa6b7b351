import JSON
import Model

extension Expr {
  /// Writes the tree as JSON, in the form of Prometheus' `/api/v1/parse_query`.
  package func writeTree(to json: inout JSONWriter) {
    switch self {
    case .number(let node):
      json.node("numberLiteral") { $0.field("val", NumberText.plain(node.value)) }
    case .string(let node): json.node("stringLiteral") { $0.field("val", node.value) }
    case .paren(let node): json.node("parenExpr") { $0.field("expr", node.expr) }
    case .unary(let node):
      json.node("unaryExpr") {
        $0.field("op", node.op.rawValue)
        $0.field("expr", node.expr)
      }
    case .binary(let node): node.writeTree(to: &json)
    case .aggregate(let node): node.writeTree(to: &json)
    case .call(let node): node.writeTree(to: &json)
    case .selector(let node): json.node("vectorSelector") { $0.fields(of: node) }
    case .matrix(let node):
      json.node("matrixSelector") {
        $0.fields(of: node.selector)
        $0.field("range", node.window)
      }
    case .subquery(let node):
      json.node("subquery") {
        $0.field("expr", node.expr)
        $0.field("range", node.window)
        $0.field("step", node.step ?? .zero)
        $0.field("offset", node.offset)
        $0.field(node.at)
      }
    case .duration(let node): node.writeTree(to: &json)
    }
  }
}

extension AggregateExpr {
  fileprivate func writeTree(to json: inout JSONWriter) {
    json.node("aggregation") {
      $0.field("op", op.rawValue)
      $0.field("expr", expr)
      $0.key("param")
      if let parameter { parameter.writeTree(to: &$0) } else { $0.null() }
      $0.field("grouping", grouping)
      $0.field("without", bool: without)
    }
  }
}

extension BinaryExpr {
  fileprivate func writeTree(to json: inout JSONWriter) {
    json.node("binaryExpr") {
      $0.field("op", op.rawValue)
      $0.field("lhs", lhs)
      $0.field("rhs", rhs)
      $0.field("bool", bool: returnsBool)
      $0.key("matching")
      if let matching { matching.writeTree(to: &$0) } else { $0.null() }
    }
  }
}

extension VectorMatching {
  fileprivate func writeTree(to json: inout JSONWriter) {
    json.object {
      $0.field("card", cardinality.rawValue)
      $0.field("labels", labels)
      $0.field("on", bool: isOn)
      $0.field("include", include)
      $0.key("fillValues")
      $0.object {
        $0.field("lhs", raw: fillLeft.map(NumberText.json) ?? "null")
        $0.field("rhs", raw: fillRight.map(NumberText.json) ?? "null")
      }
    }
  }
}

extension CallExpr {
  fileprivate func writeTree(to json: inout JSONWriter) {
    json.node("call") {
      $0.key("func")
      $0.object {
        $0.field("name", function.name)
        $0.field("argTypes", function.argumentTypes.map(\.rawValue))
        $0.field("variadic", int: function.variadic)
        $0.field("returnType", function.returnType.rawValue)
      }
      $0.key("args")
      $0.array { for argument in arguments { argument.writeTree(to: &$0) } }
    }
  }
}

extension DurationExpr {
  fileprivate func writeTree(to json: inout JSONWriter, wrapped: Bool = false) {
    switch self {
    case .literal(let number):
      json.node("numberLiteral") {
        $0.field("val", NumberText.plain(number.value))
        $0.field("duration", bool: number.isDuration)
      }
    case .paren(let inner, _): inner.writeTree(to: &json, wrapped: true)
    default:
      let (op, lhs, rhs) = parts
      json.node("durationExpr") {
        $0.field("op", op)
        $0.field("lhs", lhs)
        $0.field("rhs", rhs)
        $0.field("wrapped", bool: wrapped)
      }
    }
  }

  /// The operator and its sides; a sign has only a right one.
  private var parts: (op: String, lhs: DurationExpr?, rhs: DurationExpr?) {
    switch self {
    case .literal, .paren: ("", nil, nil)
    case .negate(let inner, _): ("-", nil, inner)
    case .plus(let inner, _): ("+", nil, inner)
    case .binary(let op, let lhs, let rhs, _): (op.rawValue, lhs, rhs)
    case .step: ("step", nil, nil)
    case .queryRange: ("range", nil, nil)
    case .minOf(let lhs, let rhs, _): ("min_of", lhs, rhs)
    case .maxOf(let lhs, let rhs, _): ("max_of", lhs, rhs)
    }
  }
}

extension JSONWriter {
  /// Writes an object that begins with its type.
  fileprivate mutating func node(_ type: String, _ body: (inout JSONWriter) -> Void) {
    object {
      $0.field("type", type)
      body(&$0)
    }
  }

  fileprivate mutating func field(_ name: String, _ expr: Expr) {
    key(name)
    expr.writeTree(to: &self)
  }

  fileprivate mutating func field(_ name: String, _ expr: DurationExpr?) {
    key(name)
    if let expr { expr.writeTree(to: &self) } else { null() }
  }

  fileprivate mutating func field(_ name: String, _ values: [String]) {
    key(name)
    array { for value in values { $0.string(value) } }
  }

  fileprivate mutating func field(_ name: String, _ duration: DurationValue) {
    field(name, int: duration.constant.milliseconds)
    field(name + "Expr", duration.expr)
  }

  /// The two fields of an `@` modifier.
  fileprivate mutating func field(_ at: AtModifier?) {
    var (time, bound) = ("null", "null")
    switch at {
    case .timestamp(let at): time = String(at.milliseconds)
    case .start: bound = "\"start\""
    case .end: bound = "\"end\""
    case nil: break
    }
    field("timestamp", raw: time)
    field("startOrEnd", raw: bound)
  }

  fileprivate mutating func fields(of node: VectorSelector) {
    field("name", node.name ?? "")
    key("matchers")
    array {
      for matcher in node.matchers {
        $0.object {
          $0.field("name", matcher.name)
          $0.field("type", matcher.kind.rawValue)
          $0.field("value", matcher.value)
        }
      }
    }
    field("offset", node.offset)
    field(node.at)
    field("anchored", bool: node.anchored)
    field("smoothed", bool: node.smoothed)
  }
}
