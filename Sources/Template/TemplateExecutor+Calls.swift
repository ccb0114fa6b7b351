import Model

/// Arguments of a call before they are evaluated.
struct CallArguments {
  var operands: [Operand] = []
  /// What a pipeline hands on; it comes last.
  var final: TemplateValue?

  init() {}

  init(_ operands: ArraySlice<Operand>, _ final: TemplateValue?) {
    self.operands = Array(operands)
    self.final = final
  }

  var isEmpty: Bool { operands.isEmpty && final == nil }
}

/// Something that can be called: a function, or a method with its receiver.
struct Callable {
  var name: String
  var parameters: [ParameterType]
  /// The type of all arguments behind the fixed ones, if there may be any.
  var rest: ParameterType?
  var body: ([TemplateValue]) throws(TemplateFunctionProblem) -> TemplateValue

  init(
    _ name: String, _ parameters: [ParameterType], rest: ParameterType? = nil,
    _ body: @escaping ([TemplateValue]) throws(TemplateFunctionProblem) -> TemplateValue
  ) {
    self.name = name
    self.parameters = parameters
    self.rest = rest
    self.body = body
  }
}

/// A function that depends on its arguments alone.
struct PureFunction: Sendable {
  typealias Body =
    @Sendable ([TemplateValue]) throws(TemplateFunctionProblem) -> TemplateValue

  var name: String
  var parameters: [ParameterType]
  var rest: ParameterType?
  var body: Body

  init(
    _ name: String, _ parameters: [ParameterType], rest: ParameterType? = nil,
    _ body: @escaping Body
  ) {
    self.name = name
    self.parameters = parameters
    self.rest = rest
    self.body = body
  }

  var callable: Callable { Callable(name, parameters, rest: rest, body) }
}

extension TemplateExecutor {
  mutating func callFunction(
    _ name: String, at place: Place, _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    switch name {
    case "and", "or": return try shortCircuit(name, arguments, dot)
    case "call": return try callValue(at: place, arguments, dot)
    default: break
    }
    guard let function = functions[name] else {
      throw problem("\(GoText.quote(name)) is not a defined function")
    }
    return try call(function, at: place, arguments, dot)
  }

  mutating func call(
    _ function: Callable, at place: Place, _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    let values = try evaluate(
      arguments, for: function.name, function.parameters, rest: function.rest, dot)
    let value: TemplateValue
    do {
      value = try function.body(values)
    } catch {
      self.place = place
      throw problem("error calling \(function.name): \(error.message)")
    }
    if value.textSize > textLimit {
      self.place = place
      throw problem("error calling \(function.name): text too large")
    }
    try countSteps(1 + value.textSize / 256)
    return value
  }

  /// Counts and evaluates arguments.
  private mutating func evaluate(
    _ arguments: CallArguments, for name: String, _ parameters: [ParameterType],
    rest: ParameterType?, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> [TemplateValue] {
    let count = arguments.operands.count + (arguments.final == nil ? 0 : 1)
    if rest != nil {
      if count < parameters.count {
        throw problem(
          "wrong number of args for \(name): want at least \(parameters.count) got "
            + "\(arguments.operands.count)")
      }
    } else if count != parameters.count {
      throw problem("wrong number of args for \(name): want \(parameters.count) got \(count)")
    }
    func type(_ i: Int) -> ParameterType {
      i < parameters.count ? parameters[i] : rest ?? .any
    }
    var values: [TemplateValue] = []
    for (i, operand) in arguments.operands.enumerated() {
      values.append(try argument(operand, as: type(i), dot))
    }
    if let final = arguments.final { values.append(try validate(final, as: type(values.count))) }
    return values
  }

  /// `and` and `or` evaluate no argument behind the one that decides.
  private mutating func shortCircuit(
    _ name: String, _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    if arguments.isEmpty {
      throw problem("wrong number of args for \(name): want at least 1 got 0")
    }
    var value = TemplateValue.none
    for operand in arguments.operands {
      value = try argument(operand, as: .value, dot)
      if value.isTrue == (name == "or") { return value }
    }
    return arguments.final ?? value
  }

  /// `call`: no value of ours is a function, so this only words the refusal.
  private mutating func callValue(
    at place: Place, _ arguments: CallArguments, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) -> TemplateValue {
    let values = try evaluate(arguments, for: "call", [.value], rest: .value, dot)
    let callee = values[0]
    let name = arguments.operands.first?.text ?? Self.reflectedText(callee)
    self.place = place
    throw problem(
      callee.isNone
        ? "error calling call: call of nil"
        : "error calling call: non-function \(name) of type \(callee.typeName)")
  }

  /// Go's `reflect.Value.String`: texts as they are, everything else by its type.
  private static func reflectedText(_ value: TemplateValue) -> String {
    if case .string(let text) = value { return text.text }
    return value.isNone ? "<invalid Value>" : "<\(value.typeName) Value>"
  }
}
