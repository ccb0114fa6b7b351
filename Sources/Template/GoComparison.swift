import Model

/// Go's comparison functions for templates: `eq`, `ne`, `lt`, `le`, `gt`, `ge`.
enum GoComparison {
  private enum Kind {
    case bool, complex, int, uint, float, string, other
  }

  private static func kind(_ value: TemplateValue) -> Kind {
    switch value {
    case .bool: .bool
    case .complex: .complex
    case .int, .duration(_, isPointer: false), .month, .weekday: .int
    case .uint: .uint
    case .float: .float
    case .string, .html: .string
    default: .other
    }
  }

  private static func int(_ value: TemplateValue) -> Int64 {
    switch value {
    case .int(let n, _), .duration(let n, _): n
    case .month(let n), .weekday(let n): Int64(n)
    default: 0
    }
  }

  private static func uint(_ value: TemplateValue) -> UInt64 {
    if case .uint(let n, _) = value { n } else { 0 }
  }

  private static func float(_ value: TemplateValue) -> Double {
    if case .float(let v) = value { v } else { 0 }
  }

  private static func text(_ value: TemplateValue) -> [UInt8] {
    switch value {
    case .string(let text), .html(let text): text
    default: []
    }
  }

  /// Whether the first is equal to any of the others.
  static func equal(_ values: [TemplateValue]) throws(TemplateFunctionProblem) -> Bool {
    guard let first = values.first, values.count > 1 else {
      throw TemplateFunctionProblem("missing argument for comparison")
    }
    for other in values.dropFirst() where try equal(first, other) { return true }
    return false
  }

  static func equal(
    _ a: TemplateValue, _ b: TemplateValue
  ) throws(TemplateFunctionProblem) -> Bool {
    switch (kind(a), kind(b)) {
    case (.int, .int): return int(a) == int(b)
    case (.uint, .uint): return uint(a) == uint(b)
    case (.int, .uint): return int(a) >= 0 && UInt64(int(a)) == uint(b)
    case (.uint, .int): return int(b) >= 0 && UInt64(int(b)) == uint(a)
    case (.float, .float): return float(a) == float(b)
    case (.string, .string): return text(a) == text(b)
    case (.bool, .bool): return a.isTrue == b.isTrue
    case (.complex, .complex):
      guard case .complex(let r, let i) = a, case .complex(let s, let j) = b else { return false }
      return r == s && i == j
    case (.other, .other): return try equalOthers(a, b)
    default:
      if a.isNone || b.isNone { return false }
      throw incompatible(a, b)
    }
  }

  private static func equalOthers(
    _ a: TemplateValue, _ b: TemplateValue
  ) throws(TemplateFunctionProblem) -> Bool {
    if a.isNone || b.isNone { return a.isNone && b.isNone }
    switch (a, b) {
    case (.time(let x, isPointer: false), .time(let y, isPointer: false)): return x == y
    // Pointers are equal only to themselves, and each call makes a new one.
    case (.time, .time), (.duration, .duration), (.histogram, .histogram): return false
    case (.location, .location): return true
    case (.sample(let x, _), .sample(let y, _)):
      return x == nil && y == nil || x.map(same(y)) ?? false
    default:
      if a.typeName != b.typeName { throw incompatible(a, b) }
      throw TemplateFunctionProblem(
        "non-comparable types \(shown(a)): \(a.typeName), \(b.typeName): \(shown(b))")
    }
  }

  private static func same(_ y: TemplateSample?) -> (TemplateSample) -> Bool {
    { x in y.map { $0.labels == x.labels && $0.value == x.value } ?? false }
  }

  private static func shown(_ value: TemplateValue) -> String {
    GoFormat.print([value]).text
  }

  private static func incompatible(
    _ a: TemplateValue, _ b: TemplateValue
  ) -> TemplateFunctionProblem {
    TemplateFunctionProblem(
      "incompatible types for comparison: \(a.typeName) and \(b.typeName)")
  }

  /// Whether `a < b`.
  static func less(
    _ a: TemplateValue, _ b: TemplateValue
  ) throws(TemplateFunctionProblem) -> Bool {
    let kinds = (kind(a), kind(b))
    if kinds.0 == .other || kinds.1 == .other {
      throw TemplateFunctionProblem("invalid type for comparison")
    }
    switch kinds {
    case (.int, .int): return int(a) < int(b)
    case (.uint, .uint): return uint(a) < uint(b)
    case (.int, .uint): return int(a) < 0 || UInt64(int(a)) < uint(b)
    case (.uint, .int): return int(b) >= 0 && uint(a) < UInt64(int(b))
    case (.float, .float): return float(a) < float(b)
    case (.string, .string): return text(a).lexicographicallyPrecedes(text(b))
    case (.bool, .bool), (.complex, .complex):
      throw TemplateFunctionProblem("invalid type for comparison")
    default: throw incompatible(a, b)
    }
  }

  /// `a <= b`: less or equal, so never true with NaN.
  static func lessOrEqual(
    _ a: TemplateValue, _ b: TemplateValue
  ) throws(TemplateFunctionProblem) -> Bool {
    if try less(a, b) { return true }
    return try equal(a, b)
  }
}
