import Model

/// The types that parameters of functions and methods have.
enum ParameterType: Sendable {
  /// `interface {}`
  case any
  /// `reflect.Value`: the built-in functions look at the value themselves.
  case value
  case string, int, duration, time, samples, sample, location

  var name: String {
    switch self {
    case .any: "interface {}"
    case .value: "reflect.Value"
    case .string: "string"
    case .int: "int"
    case .duration: "time.Duration"
    case .time: "time.Time"
    case .samples: "template.queryResult"
    case .sample: "*template.sample"
    case .location: "*time.Location"
    }
  }

  /// What an untyped nil becomes, for types that have one.
  var zero: TemplateValue? {
    switch self {
    case .any, .value: TemplateValue.none
    case .samples: .samples([])
    case .sample: .sample(nil)
    case .location: .location
    case .string, .int, .duration, .time: nil
    }
  }
}

extension TemplateExecutor {
  /// The value of a pipeline; its variables get it.
  mutating func evaluate(
    _ pipeline: Pipeline, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    place = .pipeline(pipeline)
    var value: TemplateValue?
    for command in pipeline.commands { value = try evaluate(command, dot, final: value) }
    let result = value ?? .none
    for name in pipeline.variables {
      if pipeline.isAssignment {
        try assign(name, result)
      } else {
        variables.append(Variable(name: name, value: result))
      }
    }
    return result
  }

  /// The value of a command; `final` is what the command before hands on.
  private mutating func evaluate(
    _ command: Command, _ dot: TemplateValue, final: TemplateValue?
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    let first = command.arguments[0]
    switch first {
    case .field(let names, _):
      place = .operand(first)
      return try fields(
        names, of: dot, at: first, CallArguments(command.arguments.dropFirst(), final), dot)
    case .chain:
      return try chain(first, CallArguments(command.arguments.dropFirst(), final), dot)
    case .identifier(let name, _):
      place = .operand(first)
      return try callFunction(
        name, at: .command(command), CallArguments(command.arguments.dropFirst(), final), dot)
    case .pipe(let pipeline):
      try requireNoArguments(command, final)
      return try evaluate(pipeline, dot)
    case .variable:
      return try variable(first, CallArguments(command.arguments.dropFirst(), final), dot)
    case .bool, .dot, .nilConstant, .number, .string:
      place = .operand(first)
      try requireNoArguments(command, final)
      if case .nilConstant = first { throw problem("nil is not a command") }
      return try constant(first, dot)
    }
  }

  private func requireNoArguments(
    _ command: Command, _ final: TemplateValue?
  ) throws(TemplateExecutionProblem) {
    if command.arguments.count > 1 || final != nil {
      throw problem("can't give argument to non-function \(command.arguments[0].text)")
    }
  }

  private mutating func constant(
    _ operand: Operand, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    switch operand {
    case .bool(let value, _): return .bool(value)
    case .dot: return dot
    case .string(_, let text, _): return .string(text)
    case .number(let number, _):
      place = .operand(operand)
      if let complex = number.complex { return .complex(complex.real, complex.imaginary) }
      if number.readsAsFloat, let float = number.float { return .float(float) }
      if let int = number.int { return .int(int) }
      throw problem("\(number.text) overflows int")
    case .nilConstant, .field, .variable, .identifier, .chain, .pipe: return .none
    }
  }

  // MARK: Fields

  private mutating func variable(
    _ operand: Operand, _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    guard case .variable(let names, _) = operand else { return .none }
    place = .operand(operand)
    let value = try variable(names[0])
    if names.count == 1 {
      if !arguments.isEmpty {
        throw problem("can't give argument to non-function \(operand.text)")
      }
      return value
    }
    return try fields(Array(names.dropFirst()), of: value, at: operand, arguments, dot)
  }

  private mutating func chain(
    _ operand: Operand, _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    guard case .chain(let inner, let names, _) = operand else { return .none }
    place = .operand(operand)
    if case .nilConstant = inner {
      throw problem("indirection through explicit nil in \(operand.text)")
    }
    let receiver = try argument(inner, as: .any, dot)
    return try fields(names, of: receiver, at: operand, arguments, dot)
  }

  /// `.X.Y.Z`; the last one may be a method and gets the arguments.
  private mutating func fields(
    _ names: [String], of receiver: TemplateValue, at operand: Operand,
    _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    var value = receiver
    // A field of interface type shows that type in errors, not the type of what is in it.
    var isInterface = false
    for (i, name) in names.enumerated() {
      let given = i == names.count - 1 ? arguments : CallArguments()
      let next = try field(
        name, of: value, shownType: isInterface ? "interface {}" : value.typeName, at: operand,
        given, dot)
      isInterface = value.hasInterfaceField(name)
      value = next
    }
    return value
  }

  private mutating func field(
    _ name: String, of receiver: TemplateValue, shownType: String, at operand: Operand,
    _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    if receiver.isNone {
      if options.missingKey == .error {
        throw problem("nil data; no entry for key \(GoText.quote(name))")
      }
      return .none
    }
    if let method = receiver.method(name) {
      return try call(method, at: .operand(operand), arguments, dot)
    }
    switch receiver {
    case .labels, .map:
      if !arguments.isEmpty {
        throw problem("\(name) is not a method but has arguments")
      }
      return try entry(name, of: receiver)
    case .sample(nil, _) where name == "Labels" || name == "Value":
      throw problem("nil pointer evaluating \(shownType).\(name)")
    default:
      guard let value = receiver.structField(name) else {
        throw problem("can't evaluate field \(name) in type \(shownType)")
      }
      if !arguments.isEmpty {
        throw problem("\(name) has arguments but cannot be invoked as function")
      }
      return value
    }
  }

  private func entry(
    _ name: String, of map: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    let isPresent =
      switch map {
      case .labels(let labels): labels[name] != nil
      default: map.value(forKey: Array(name.utf8)) != nil
      }
    if !isPresent {
      switch options.missingKey {
      case .error: throw problem("map has no entry for key \(GoText.quote(name))")
      case .invalid: return .none
      case .zero: break
      }
    }
    return map.value(forKey: Array(name.utf8)) ?? .none
  }

  // MARK: Arguments

  /// An operand as an argument of a certain type.
  mutating func argument(
    _ operand: Operand, as type: ParameterType, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    place = .operand(operand)
    switch operand {
    case .dot: return try validate(dot, as: type)
    case .nilConstant:
      if let zero = type.zero { return zero }
      throw problem("cannot assign nil to \(type.name)")
    case .field(let names, _):
      return try validate(fields(names, of: dot, at: operand, CallArguments(), dot), as: type)
    case .variable: return try validate(variable(operand, CallArguments(), dot), as: type)
    case .pipe(let pipeline): return try validate(evaluate(pipeline, dot), as: type)
    case .identifier(let name, _):
      let value = try callFunction(name, at: .operand(operand), CallArguments(), dot)
      return try validate(value, as: type)
    case .chain: return try validate(chain(operand, CallArguments(), dot), as: type)
    case .bool, .number, .string: return try literal(operand, as: type, dot)
    }
  }

  /// A literal takes the type that is wanted, if it can.
  private mutating func literal(
    _ operand: Operand, as type: ParameterType, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    switch type {
    case .any, .value: return try constant(operand, dot)
    case .string:
      if case .string(_, let text, _) = operand { return .string(text) }
      throw problem("expected string; found \(operand.text)")
    case .int, .duration:
      if case .number(let number, _) = operand, let int = number.int {
        if case .duration = type { return .duration(int) }
        return .int(int)
      }
      throw problem("expected integer; found \(operand.text)")
    case .time, .samples, .sample, .location:
      throw problem("can't handle \(operand.text) for arg of type \(type.name)")
    }
  }

  /// Checks that a value can be handed over as a type; pointers are followed once.
  func validate(
    _ value: TemplateValue, as type: ParameterType
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    if value.isNone {
      if let zero = type.zero { return zero }
      throw problem("invalid value; expected \(type.name)")
    }
    switch (type, value) {
    case (.any, _), (.value, _), (.string, .string), (.int, .int(_, .int)), (.samples, .samples),
      (.sample, .sample), (.location, .location):
      return value
    case (.duration, .duration(let n, _)): return .duration(n)
    case (.time, .time(let time, _)): return .time(time)
    default:
      throw problem(
        "wrong type for value; expected \(type.name); got \(value.typeName)")
    }
  }
}
