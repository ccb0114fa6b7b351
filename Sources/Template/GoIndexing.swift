import Model

/// Go's `index`, `slice` and `len` for templates.
enum GoIndexing {
  /// `index x 1 "a"` is `x[1]["a"]`.
  static func index(_ values: [TemplateValue]) throws(TemplateFunctionProblem) -> TemplateValue {
    guard var item = values.first else { return .none }
    if item.isNone { throw TemplateFunctionProblem("index of untyped nil") }
    for key in values.dropFirst() { item = try element(key, of: item) }
    return item
  }

  private static func element(
    _ key: TemplateValue, of item: TemplateValue
  ) throws(TemplateFunctionProblem) -> TemplateValue {
    switch item {
    case .none, .sample(nil, _): throw TemplateFunctionProblem("index of nil pointer")
    case .labels, .map:
      guard case .string(let name) = key else {
        throw TemplateFunctionProblem(
          key.isNone
            ? "value is nil; should be of type string"
            : "value has type \(key.typeName); should be string")
      }
      return item.value(forKey: name) ?? .none
    case .string(let text), .html(let text):
      let i = try position(key, through: text.count)
      guard i < text.count else {
        throw TemplateFunctionProblem("reflect: string index out of range")
      }
      return .uint(UInt64(text[i]), .uint8)
    case .list(let values, _):
      let i = try position(key, through: values.count)
      guard i < values.count else {
        throw TemplateFunctionProblem("reflect: slice index out of range")
      }
      return values[i]
    case .samples(let samples):
      let i = try position(key, through: samples.count)
      guard i < samples.count else {
        throw TemplateFunctionProblem("reflect: slice index out of range")
      }
      return .sample(samples[i])
    default: throw TemplateFunctionProblem("can't index item of type \(item.pointeeTypeName)")
    }
  }

  private static func position(
    _ key: TemplateValue, through end: Int
  ) throws(TemplateFunctionProblem) -> Int {
    let n: Int64
    switch key {
    case .int(let i, _), .duration(let i, isPointer: false): n = i
    case .month(let i), .weekday(let i): n = Int64(i)
    case .uint(let i, _): n = Int64(bitPattern: i)
    case .none: throw TemplateFunctionProblem("cannot index slice/array with nil")
    default:
      throw TemplateFunctionProblem("cannot index slice/array with type \(key.typeName)")
    }
    if n < 0 || n > end { throw TemplateFunctionProblem("index out of range: \(n)") }
    return Int(n)
  }

  /// `slice x 1 2` is `x[1:2]`.
  static func slice(_ values: [TemplateValue]) throws(TemplateFunctionProblem) -> TemplateValue {
    guard let item = values.first else { return .none }
    if item.isNone { throw TemplateFunctionProblem("slice of untyped nil") }
    let keys = values.dropFirst()
    if keys.count > 3 { throw TemplateFunctionProblem("too many slice indexes: \(keys.count)") }
    let isText: Bool
    switch item {
    case .string, .html: isText = true
    case .list, .samples: isText = false
    default: throw TemplateFunctionProblem("can't slice item of type \(item.pointeeTypeName)")
    }
    if isText && keys.count == 3 {
      throw TemplateFunctionProblem("cannot 3-index slice a string")
    }
    let count = item.length ?? 0
    var bounds = [0, count, count]
    for (i, key) in keys.enumerated() { bounds[i] = try position(key, through: count) }
    for i in 0..<(keys.count == 3 ? 2 : 1) where bounds[i] > bounds[i + 1] {
      throw TemplateFunctionProblem("invalid slice index: \(bounds[i]) > \(bounds[i + 1])")
    }
    let range = bounds[0]..<bounds[1]
    switch item {
    case .string(let text): return .string(Array(text[range]))
    case .html(let text): return .html(Array(text[range]))
    case .list(let list, let type): return .list(Array(list[range]), type: type)
    case .samples(let samples): return .samples(Array(samples[range]))
    default: return .none
    }
  }

  /// The length of texts, maps and slices.
  static func length(_ value: TemplateValue) throws(TemplateFunctionProblem) -> TemplateValue {
    if let count = value.length { return .int(Int64(count)) }
    switch value {
    case .none:
      throw TemplateFunctionProblem("reflect: call of reflect.Value.Type on zero Value")
    case .sample(nil, _): throw TemplateFunctionProblem("len of nil pointer")
    default: throw TemplateFunctionProblem("len of type \(value.pointeeTypeName)")
    }
  }
}

extension TemplateValue {
  /// The name of the type behind a pointer.
  var pointeeTypeName: String {
    let name = typeName
    return name.hasPrefix("*") ? String(name.dropFirst()) : name
  }
}
