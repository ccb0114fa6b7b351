import Model
import PromQL

/// Writes random expressions that are well-typed, over the metrics of `FuzzStore`.
///
/// Operators stand without parentheses as often as with them, so that precedence is exercised.
package struct ExpressionGenerator {
  private var random: SeededGenerator

  package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  init(random: SeededGenerator) { self.random = random }

  private static let selectors = [
    "a_total", "b", "h_bucket", "n", "info", "a_total{i=\"1\"}", "b{j!~\"x|y\"}", "{i=~\".+\"}",
    "{__name__=~\"a.*|b\"}", "{\"the host\"}", "b{\"a label\"='x'}", "absent_metric",
  ]
  private static let labels = ["i", "j", "le", "\"a label\"", "__name__", "nothing"]
  private static let durations = ["30s", "1m", "90s", "2m", "5m", "1h", "1m30s", "100ms", "60"]
  private static let arithmetic = ["+", "-", "*", "/", "%", "^", " atan2 "]
  private static let comparisons = ["==", "!=", ">", "<", ">=", "<="]
  private static let plainAggregations = [
    "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar",
  ]

  /// An expression of any type but string.
  package mutating func expression(depth: Int = 4) -> String {
    switch random.pick(12) {
    case 0: scalar(depth)
    case 1: matrix(depth)
    default: vector(depth)
    }
  }

  /// An expression that yields an instant vector.
  package mutating func vector(_ depth: Int = 4) -> String {
    if depth <= 0 { return instantSelector() }
    switch random.pick(10) {
    case 0: return instantSelector()
    case 1: return "(" + vector(depth - 1) + ")"
    case 2: return random.pick(["-", "+", "-"]) + vector(depth - 1)
    case 3, 4: return binary(depth)
    case 5, 6: return aggregation(depth)
    default: return call(depth)
    }
  }

  private mutating func scalar(_ depth: Int) -> String {
    if depth <= 0 { return number() }
    switch random.pick(6) {
    case 0: return "scalar(" + vector(depth - 1) + ")"
    case 1: return scalar(depth - 1) + random.pick(Self.arithmetic) + scalar(depth - 1)
    case 2:
      let comparison = random.pick(Self.comparisons)
      return scalar(depth - 1) + comparison + " bool " + scalar(depth - 1)
    case 3: return random.pick(["time()", "pi()", "-1", "step()", "range()", "min_of(1,2)"])
    default: return number()
    }
  }

  private mutating func number() -> String {
    random.pick(["0", "1", "2", "0.5", "1e3", "0x1F", "1e-3", "5m", "NaN", "100", ".25", "3"])
  }

  private mutating func duration(_ depth: Int) -> String {
    if depth > 0 && random.pick(8) == 0 {
      let operation = random.pick(["+", "-", "*", "/", "%"])
      return "(" + duration(depth - 1) + " " + operation + " " + duration(0) + ")"
    }
    return random.pick(12) == 0 ? "max_of(step(),1m)" : random.pick(Self.durations)
  }

  private mutating func modifiers() -> String {
    var text = ""
    if random.pick(5) == 0 { text += " offset " + random.pick(["", "-"]) + duration(1) }
    if random.pick(6) == 0 {
      text += " @ " + random.pick(["300", "start()", "end()", "-1.5", "1e3"])
    }
    return text
  }

  private mutating func instantSelector() -> String {
    random.pick(Self.selectors) + (random.pick(20) == 0 ? " smoothed" : "") + modifiers()
  }

  private mutating func matrix(_ depth: Int) -> String {
    if depth > 0 && random.pick(3) == 0 {
      let step = random.pick(3) == 0 ? "" : random.pick(["30s", "1m", "45s", "step()*2"])
      let inner = random.pick(4) == 0 ? instantSelector() : "(" + vector(depth - 2) + ")"
      return inner + "[" + random.pick(["1m", "3m", "150s"]) + ":" + step + "]" + modifiers()
    }
    let variant = random.pick(10) == 0 ? random.pick([" anchored", " smoothed"]) : ""
    return random.pick(Self.selectors) + "[" + duration(1) + "]" + variant + modifiers()
  }

  private mutating func labelList() -> String {
    (0..<random.pick(3)).map { _ in random.pick(Self.labels) }.joined(separator: ", ")
  }

  private mutating func binary(_ depth: Int) -> String {
    var operation: String
    var modifier = ""
    switch random.pick(4) {
    case 0: operation = random.pick([" and ", " or ", " unless "])
    case 1: operation = random.pick(Self.comparisons) + random.pick([" ", " bool "])
    default: operation = random.pick(Self.arithmetic)
    }
    switch random.pick(3) {
    case 0: return scalar(depth - 1) + arithmeticOnly(operation) + vector(depth - 1)
    case 1: return vector(depth - 1) + arithmeticOnly(operation) + scalar(depth - 1)
    default:
      if random.pick(2) == 0 {
        modifier = " " + random.pick(["on", "ignoring"]) + " (" + labelList() + ") "
        let isSet =
          operation.hasPrefix(" and") || operation.hasPrefix(" or")
          || operation.hasPrefix(" unless")
        if !isSet && random.pick(3) == 0 {
          modifier += random.pick(["group_left", "group_right"]) + " () "
        } else if !isSet && random.pick(4) == 0 {
          modifier += random.pick(["fill(0)", "fill_left(1)", "fill_right(2)"]) + " "
        }
      }
      operation += modifier
      return vector(depth - 1) + operation + vector(depth - 1)
    }
  }

  /// Set operators know no scalars.
  private mutating func arithmeticOnly(_ operation: String) -> String {
    [" and ", " or ", " unless "].contains(operation) ? " + " : operation
  }

  private mutating func aggregation(_ depth: Int) -> String {
    let grouping =
      random.pick(3) == 0 ? "" : random.pick([" by (", " without ("]) + labelList() + ") "
    let argument = vector(depth - 1)
    switch random.pick(4) {
    case 0:
      let op = random.pick(["topk", "bottomk", "limitk", "limit_ratio", "quantile"])
      return op + grouping + "(" + scalar(depth - 2) + ", " + argument + ")"
    case 1 where random.pick(3) == 0:
      return "count_values" + grouping + "(\"v\", " + argument + ")"
    default: return random.pick(Self.plainAggregations) + grouping + "(" + argument + ")"
    }
  }

  private static let functions = FunctionSignature.all.filter { $0.returnType == .vector }

  private mutating func call(_ depth: Int) -> String {
    let function = random.pick(Self.functions)
    if function.name == "info" { return "info(" + vector(depth - 1) + ")" }
    if function.name.hasPrefix("label_") { return labelCall(function.name, depth) }
    var types = function.argumentTypes
    if function.variadic > 0 && random.pick(2) == 0 {
      types.removeLast(min(function.variadic, types.count - 1))
    }
    let arguments = types.map { type in
      switch type {
      case .scalar: scalar(depth - 2)
      case .matrix: matrix(depth - 1)
      case .string: random.pick(["\"i\"", "\"j\"", "'le'", "`$1`", "\"q\""])
      case .vector, .none: vector(depth - 1)
      }
    }
    return function.name + "(" + arguments.joined(separator: ", ") + ")"
  }

  private mutating func labelCall(_ name: String, _ depth: Int) -> String {
    let rest =
      name == "label_replace"
      ? random.pick(["\"k\", \"$1\", \"i\", \"(.*)\"", "\"i\", \"\", \"\", \"\""])
      : random.pick(["\"k\", \"-\", \"i\", \"j\"", "\"i\", \"\""])
    return name + "(" + vector(depth - 1) + ", " + rest + ")"
  }
}
