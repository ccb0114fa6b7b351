import JSON
import Model
import PromQL

/// An expression as the tree that `/api/v1/parse_query` shows; the keys of an object are sorted.
enum ExpressionTree {
  static func write(_ expr: Expr, to json: inout JSONWriter) {
    json.object { json in
      switch expr {
      case .number(let node):
        type("numberLiteral", to: &json)
        json.field("val", NumberText.plain(node.value))
      case .string(let node):
        type("stringLiteral", to: &json)
        json.field("val", node.value)
      case .paren(let node):
        child("expr", node.expr, to: &json)
        type("parenExpr", to: &json)
      case .unary(let node):
        child("expr", node.expr, to: &json)
        json.field("op", node.op.rawValue)
        type("unaryExpr", to: &json)
      case .binary(let node): binary(node, to: &json)
      case .aggregate(let node): aggregate(node, to: &json)
      case .call(let node): call(node, to: &json)
      case .selector(let node): selector(node, type: "vectorSelector", range: nil, to: &json)
      case .matrix(let node):
        selector(
          node.selector, type: "matrixSelector", range: node.window.constant, to: &json)
      case .subquery(let node): subquery(node, to: &json)
      case .duration: preconditionFailure("a duration is no expression of its own")
      }
    }
  }

  private static func type(_ name: String, to json: inout JSONWriter) {
    json.field("type", name)
  }

  private static func child(_ name: String, _ expr: Expr?, to json: inout JSONWriter) {
    json.key(name)
    if let expr { write(expr, to: &json) } else { json.null() }
  }

  private static func texts(_ name: String, _ texts: [String], to json: inout JSONWriter) {
    json.key(name)
    json.array { json in for text in texts { json.string(text) } }
  }

  private static func binary(_ node: BinaryExpr, to json: inout JSONWriter) {
    json.field("bool", bool: node.returnsBool)
    child("lhs", node.lhs, to: &json)
    json.key("matching")
    if let matching = node.matching {
      json.object { json in
        json.field("card", matching.cardinality.rawValue)
        json.key("fillValues")
        json.object { json in
          number("lhs", matching.fillLeft, to: &json)
          number("rhs", matching.fillRight, to: &json)
        }
        texts("include", matching.include, to: &json)
        texts("labels", matching.labels, to: &json)
        json.field("on", bool: matching.isOn)
      }
    } else {
      json.null()
    }
    json.field("op", node.op.rawValue)
    child("rhs", node.rhs, to: &json)
    type("binaryExpr", to: &json)
  }

  private static func number(_ name: String, _ value: Double?, to json: inout JSONWriter) {
    json.key(name)
    if let value, value.isFinite { json.raw(NumberText.json(value)) } else { json.null() }
  }

  private static func aggregate(_ node: AggregateExpr, to json: inout JSONWriter) {
    child("expr", node.expr, to: &json)
    texts("grouping", node.grouping, to: &json)
    json.field("op", node.op.rawValue)
    child("param", node.parameter, to: &json)
    type("aggregation", to: &json)
    json.field("without", bool: node.without)
  }

  private static func call(_ node: CallExpr, to json: inout JSONWriter) {
    json.key("args")
    json.array { json in for argument in node.arguments { write(argument, to: &json) } }
    json.key("func")
    json.object { json in
      texts("argTypes", node.function.argumentTypes.map(\.rawValue), to: &json)
      json.field("name", node.function.name)
      json.field("returnType", node.function.returnType.rawValue)
      json.field("variadic", int: node.function.variadic)
    }
    type("call", to: &json)
  }

  private static func selector(
    _ node: VectorSelector, type name: String, range: PromDuration?, to json: inout JSONWriter
  ) {
    json.field("anchored", bool: node.anchored)
    json.key("matchers")
    json.array { json in
      for matcher in node.matchers {
        json.object { json in
          json.field("name", matcher.name)
          json.field("type", matcher.kind.rawValue)
          json.field("value", matcher.value)
        }
      }
    }
    json.field("name", node.name ?? "")
    json.field("offset", int: node.offset.constant.milliseconds)
    if let range { json.field("range", int: range.milliseconds) }
    json.field("smoothed", bool: node.smoothed)
    at(node.at, type: name, to: &json)
  }

  private static func subquery(_ node: SubqueryExpr, to json: inout JSONWriter) {
    child("expr", node.expr, to: &json)
    json.field("offset", int: node.offset.constant.milliseconds)
    json.field("range", int: node.window.constant.milliseconds)
    json.key("startOrEnd")
    edge(node.at, to: &json)
    json.field("step", int: node.step?.constant.milliseconds ?? 0)
    json.key("timestamp")
    timestamp(node.at, to: &json)
    type("subquery", to: &json)
  }

  private static func at(_ at: AtModifier?, type name: String, to json: inout JSONWriter) {
    json.key("startOrEnd")
    edge(at, to: &json)
    json.key("timestamp")
    timestamp(at, to: &json)
    type(name, to: &json)
  }

  private static func edge(_ at: AtModifier?, to json: inout JSONWriter) {
    switch at {
    case .start: json.string("start")
    case .end: json.string("end")
    case .timestamp, nil: json.null()
    }
  }

  private static func timestamp(_ at: AtModifier?, to json: inout JSONWriter) {
    if case .timestamp(let t) = at { json.int(t.milliseconds) } else { json.null() }
  }
}
