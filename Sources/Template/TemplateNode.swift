import Model

/// A number literal, under every type that can hold it: Go's ideal constants.
struct NumberConstant: Sendable {
  var text: String
  var int: Int64?
  var uint: UInt64?
  var float: Double?
  var complex: (real: Double, imaginary: Double)?
}

/// A part of a command: a constant, a name, a parenthesis.
indirect enum Operand: Sendable {
  case bool(Bool, Int)
  case dot(Int)
  case nilConstant(Int)
  case number(NumberConstant, Int)
  /// The text as written, quotes included, and what it stands for.
  case string(quoted: [UInt8], [UInt8], Int)
  case field([String], Int)
  case variable([String], Int)
  case identifier(String, Int)
  /// Fields of something that is neither a field nor a variable.
  case chain(Operand, [String], Int)
  case pipe(Pipeline)

  var position: Int {
    switch self {
    case .bool(_, let p), .dot(let p), .nilConstant(let p), .number(_, let p), .string(_, _, let p),
      .field(_, let p), .variable(_, let p), .identifier(_, let p), .chain(_, _, let p):
      p
    case .pipe(let pipeline): pipeline.position
    }
  }

  /// The operand as Go prints it back.
  var text: String {
    switch self {
    case .bool(let value, _): value ? "true" : "false"
    case .dot: "."
    case .nilConstant: "nil"
    case .number(let number, _): number.text
    case .string(let quoted, _, _): quoted.text
    case .field(let names, _): names.map { "." + $0 }.joined()
    case .variable(let names, _): names.joined(separator: ".")
    case .identifier(let name, _): name
    case .chain(let inner, let names, _):
      inner.nestedText + names.map { "." + $0 }.joined()
    case .pipe(let pipeline): pipeline.text
    }
  }

  /// The operand inside a larger one: pipelines stand in parentheses.
  var nestedText: String {
    if case .pipe = self { return "(\(text))" }
    return text
  }
}

/// A function or value with its arguments.
struct Command: Sendable {
  var position: Int
  var arguments: [Operand] = []

  var text: String { arguments.map(\.nestedText).joined(separator: " ") }
}

/// Commands that hand their value on, with the variables that get the last one.
struct Pipeline: Sendable {
  var position: Int
  var isAssignment = false
  /// Names with their dollar sign.
  var variables: [String] = []
  var commands: [Command] = []

  var text: String {
    let left =
      variables.isEmpty ? "" : variables.joined(separator: ", ") + (isAssignment ? " = " : " := ")
    return left + commands.map(\.text).joined(separator: " | ")
  }
}

/// What a template does, one after the other.
indirect enum Statement: Sendable {
  case text([UInt8], Int)
  case action(Pipeline, Int)
  case branch(Branch)
  case loop(Branch)
  case call(name: [UInt8], Pipeline?, Int)
  case breakLoop(Int)
  case continueLoop(Int)

  /// `if`, `with` and `range` alike: a pipeline and two bodies.
  struct Branch: Sendable {
    var position: Int
    var setsDot: Bool
    var pipeline: Pipeline
    var body: [Statement]
    var otherwise: [Statement]?
  }

  var position: Int {
    switch self {
    case .text(_, let p), .action(_, let p), .call(_, _, let p), .breakLoop(let p),
      .continueLoop(let p):
      p
    case .branch(let branch), .loop(let branch): branch.position
    }
  }

  /// The statement as error messages show it; bodies are left out.
  var text: String {
    switch self {
    case .text(let text, _): text.text
    case .action(let pipeline, _): "{{\(pipeline.text)}}"
    case .branch(let branch): "{{\(branch.setsDot ? "with" : "if") \(branch.pipeline.text)}}"
    case .loop(let branch): "{{range \(branch.pipeline.text)}}"
    case .call(let name, let pipeline, _):
      "{{template \(GoText.quote(name.text))\(pipeline.map { " " + $0.text } ?? "")}}"
    case .breakLoop: "{{break}}"
    case .continueLoop: "{{continue}}"
    }
  }

  /// Whether nothing but blanks would be written.
  var isBlank: Bool {
    guard case .text(let text, _) = self else { return false }
    return text.text.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
  }
}
