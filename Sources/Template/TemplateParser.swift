import Model

/// A template text taken apart: the main body and those it defines, by name.
struct TemplateTrees: Sendable {
  var trees: [[UInt8]: [Statement]] = [:]
}

/// Why parsing stopped, without the frame that names the template.
struct TemplateSyntaxProblem: Error {
  var line: Int
  var position: Int
  var message: String
}

/// Builds the statements of a template, as Go's `text/template/parse` does, messages included.
///
/// Each `define` and `block` has a parser of its own over the same tokens, because variables and
/// loops do not reach into it.
struct TemplateParser {
  /// What the parsers of one text share.
  final class Session {
    let lexer: TemplateLexer
    let functions: Set<String>
    var result = TemplateTrees()
    /// Bodies and parentheses that are open: both are parsed recursively.
    var depth = 0

    init(lexer: TemplateLexer, functions: Set<String>) {
      self.lexer = lexer
      self.functions = functions
    }
  }

  private enum Item {
    case statement(Statement)
    case end
    case elseMark

    var shown: String {
      switch self {
      case .statement(let statement): statement.text
      case .end: "{{end}}"
      case .elseMark: "{{else}}"
      }
    }
  }

  /// Deeper nesting is refused; Go's own limit for parentheses is 10 000.
  private static let maxDepth = 200

  private let session: Session
  private var name: [UInt8]
  private var tokens: [TemplateToken]
  private var peekCount = 0
  private var variables: [String] = ["$"]
  private var loopDepth = 0
  private var actionLine = 0
  /// For errors inside actions that span lines.
  private let parseName: String

  init(_ session: Session, name: [UInt8], parseName: String) {
    self.session = session
    self.name = name
    self.parseName = parseName
    tokens = Array(
      repeating: TemplateToken(kind: .eof, position: 0, value: [], line: 0), count: 3)
  }

  /// The beginning of a text, parsed before: what it states and the variables it declares.
  struct Head {
    fileprivate var size: Int
    fileprivate var body: [Statement]
    fileprivate var variables: [String]
  }

  /// Parses a text of one line that shall stand in front of others; nil if it is in error.
  static func head(_ text: [UInt8], functions: Set<String>) -> Head? {
    let session = Session(lexer: TemplateLexer(text), functions: functions)
    var parser = TemplateParser(session, name: [], parseName: "")
    do throws(TemplateSyntaxProblem) {
      try parser.parseAll()
    } catch {
      return nil
    }
    return Head(
      size: text.count, body: session.result.trees[[]] ?? [], variables: parser.variables)
  }

  /// Parses a whole text; what `head` holds of it is not parsed again.
  static func parse(
    _ text: [UInt8], name: String, functions: Set<String>, head: Head? = nil
  ) throws(TemplateSyntaxProblem) -> TemplateTrees {
    let lexer = TemplateLexer(text, from: head?.size ?? 0)
    let session = Session(lexer: lexer, functions: functions)
    var parser = TemplateParser(session, name: Array(name.utf8), parseName: name)
    if let head { parser.variables = head.variables }
    try parser.parseAll(after: head?.body ?? [])
    return session.result
  }

  // MARK: Bodies

  private mutating func parseAll(
    after head: [Statement] = []
  ) throws(TemplateSyntaxProblem) {
    var body = head
    while peek().kind != .eof {
      if peek().kind == .leftDelim {
        let delim = next()
        if nextNonSpace().kind == .define {
          try parseDefinition()
          continue
        }
        backup2(delim)
      }
      let item = try textOrAction()
      guard case .statement(let statement) = item else {
        throw problem("unexpected \(item.shown)")
      }
      body.append(statement)
    }
    try add(body)
  }

  private mutating func parseDefinition() throws(TemplateSyntaxProblem) {
    var inner = TemplateParser(session, name: [], parseName: parseName)
    let token = inner.nextNonSpace()
    guard token.kind == .string || token.kind == .rawString else {
      throw inner.unexpected(token, "define clause")
    }
    inner.name = try inner.unquote(token.value)
    try inner.expect(.rightDelim, "define clause")
    try inner.parseBodyToEnd("define clause")
  }

  /// The rest of a `define` or `block`; the body goes to the trees.
  private mutating func parseBodyToEnd(_ context: String) throws(TemplateSyntaxProblem) {
    let (body, end) = try itemList()
    guard case .end = end else { throw problem("unexpected \(end.shown) in \(context)") }
    try add(body)
  }

  private func add(_ body: [Statement]) throws(TemplateSyntaxProblem) {
    if let known = session.result.trees[name], !known.allSatisfy(\.isBlank) {
      if !body.allSatisfy(\.isBlank) {
        throw problem(
          "template: multiple definition of template \(GoText.quote(name.text))")
      }
      return
    }
    session.result.trees[name] = body
  }

  private mutating func itemList() throws(TemplateSyntaxProblem) -> ([Statement], Item) {
    session.depth += 1
    defer { session.depth -= 1 }
    if session.depth > Self.maxDepth { throw problem("max nesting depth exceeded") }
    var list: [Statement] = []
    while peekNonSpace().kind != .eof {
      let item = try textOrAction()
      guard case .statement(let statement) = item else { return (list, item) }
      list.append(statement)
    }
    throw problem("unexpected EOF")
  }

  private mutating func textOrAction() throws(TemplateSyntaxProblem) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .text: return .statement(.text(token.value, token.position))
    case .leftDelim:
      actionLine = token.line
      defer { actionLine = 0 }
      return try action()
    default: throw unexpected(token, "input")
    }
  }

  // MARK: Actions

  private mutating func action() throws(TemplateSyntaxProblem) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .block: return .statement(try blockControl())
    case .breakKeyword, .continueKeyword: return .statement(try loopControl(token))
    case .elseKeyword:
      let after = peekNonSpace()
      if after.kind != .ifKeyword && after.kind != .with { try expect(.rightDelim, "else") }
      return .elseMark
    case .end:
      try expect(.rightDelim, "end")
      return .end
    case .ifKeyword: return .statement(.branch(try control("if")))
    case .with: return .statement(.branch(try control("with")))
    case .range: return .statement(.loop(try control("range")))
    case .template: return .statement(try templateControl())
    default:
      backup()
      let position = peek().position
      return .statement(.action(try pipeline("command", until: .rightDelim), position))
    }
  }

  private mutating func loopControl(
    _ keyword: TemplateToken
  ) throws(TemplateSyntaxProblem) -> Statement {
    let isBreak = keyword.kind == .breakKeyword
    let shown = isBreak ? "{{break}}" : "{{continue}}"
    let token = nextNonSpace()
    if token.kind != .rightDelim { throw unexpected(token, shown) }
    if loopDepth == 0 { throw problem("\(shown) outside {{range}}") }
    return isBreak ? .breakLoop(keyword.position) : .continueLoop(keyword.position)
  }

  /// `if`, `with`, `range`: pipeline, body, perhaps an else part, end.
  private mutating func control(
    _ context: String
  ) throws(TemplateSyntaxProblem) -> Statement.Branch {
    let visible = variables.count
    defer { variables.removeLast(variables.count - visible) }
    let pipe = try pipeline(context, until: .rightDelim)
    if context == "range" { loopDepth += 1 }
    let (body, end) = try itemList()
    if context == "range" { loopDepth -= 1 }
    var branch = Statement.Branch(
      position: pipe.position, setsDot: context != "if", pipeline: pipe, body: body,
      otherwise: nil)
    guard case .elseMark = end else { return branch }
    // `else if` and `else with` share the one end.
    let chained: TemplateToken.Kind? =
      context == "if" ? .ifKeyword : context == "with" ? .with : nil
    if let chained, peek().kind == chained {
      _ = next()
      session.depth += 1
      defer { session.depth -= 1 }
      if session.depth > Self.maxDepth { throw problem("max nesting depth exceeded") }
      branch.otherwise = [.branch(try control(context))]
    } else {
      let (otherwise, end) = try itemList()
      guard case .end = end else { throw problem("expected end; found \(end.shown)") }
      branch.otherwise = otherwise
    }
    return branch
  }

  private mutating func blockControl() throws(TemplateSyntaxProblem) -> Statement {
    let token = nextNonSpace()
    let called = try templateName(token, "block clause")
    let pipe = try pipeline("block clause", until: .rightDelim)
    var inner = TemplateParser(session, name: called, parseName: parseName)
    try inner.parseBodyToEnd("block clause")
    return .call(name: called, pipe, token.position)
  }

  private mutating func templateControl() throws(TemplateSyntaxProblem) -> Statement {
    let token = nextNonSpace()
    let called = try templateName(token, "template clause")
    if nextNonSpace().kind == .rightDelim { return .call(name: called, nil, token.position) }
    backup()
    let pipe = try pipeline("template clause", until: .rightDelim)
    return .call(name: called, pipe, token.position)
  }

  private mutating func templateName(
    _ token: TemplateToken, _ context: String
  ) throws(TemplateSyntaxProblem) -> [UInt8] {
    guard token.kind == .string || token.kind == .rawString else {
      throw unexpected(token, context)
    }
    return try unquote(token.value)
  }

  // MARK: Pipelines

  private mutating func pipeline(
    _ context: String, until end: TemplateToken.Kind
  ) throws(TemplateSyntaxProblem) -> Pipeline {
    var pipe = Pipeline(position: peekNonSpace().position)
    try declarations(of: &pipe, context)
    while true {
      let token = nextNonSpace()
      switch token.kind {
      case end:
        if pipe.commands.isEmpty { throw problem("missing value for \(context)") }
        for (i, command) in pipe.commands.enumerated().dropFirst() {
          switch command.arguments[0] {
          case .bool, .dot, .nilConstant, .number, .string:
            throw problem("non executable command in pipeline stage \(i + 1)")
          default: break
          }
        }
        return pipe
      case .bool, .charConstant, .complex, .dot, .field, .identifier, .number, .nilKeyword,
        .rawString, .string, .variable, .leftParen:
        backup()
        pipe.commands.append(try command())
      default: throw unexpected(token, context)
      }
    }
  }

  /// `$x :=`, `$x =`, and for ranges `$i, $x :=`.
  private mutating func declarations(
    of pipe: inout Pipeline, _ context: String
  ) throws(TemplateSyntaxProblem) {
    while peekNonSpace().kind == .variable {
      let variable = next()
      // A blank is a token, so three tokens may have to be given back.
      let after = peek()
      let following = peekNonSpace()
      if following.kind == .assign || following.kind == .declare {
        pipe.isAssignment = following.kind == .assign
        _ = nextNonSpace()
        declare(variable, in: &pipe)
        return
      }
      if following.kind == .char, following.value == [UInt8(ascii: ",")] {
        _ = nextNonSpace()
        declare(variable, in: &pipe)
        if context == "range", pipe.variables.count < 2 {
          switch peekNonSpace().kind {
          case .variable, .rightDelim, .rightParen: continue
          default: throw problem("range can only initialize variables")
          }
        }
        throw problem("too many declarations in \(context)")
      }
      if after.kind == .space {
        backup3(variable, after)
      } else {
        backup2(variable)
      }
      return
    }
  }

  private mutating func declare(_ variable: TemplateToken, in pipe: inout Pipeline) {
    pipe.variables.append(variable.value.text)
    variables.append(variable.value.text)
  }

  private mutating func command() throws(TemplateSyntaxProblem) -> Command {
    var command = Command(position: peekNonSpace().position)
    while true {
      _ = peekNonSpace()
      if let operand = try operand() { command.arguments.append(operand) }
      let token = next()
      switch token.kind {
      case .space: continue
      case .rightDelim, .rightParen: backup()
      case .pipe: break
      default: throw unexpected(token, "operand")
      }
      if command.arguments.isEmpty { throw problem("empty command") }
      return command
    }
  }

  private mutating func operand() throws(TemplateSyntaxProblem) -> Operand? {
    guard let term = try term() else { return nil }
    guard peek().kind == .field else { return term }
    let position = peek().position
    var names: [String] = []
    while peek().kind == .field { names.append(String(next().value.text.dropFirst())) }
    switch term {
    case .field(let first, _): return .field(first + names, position)
    case .variable(let first, _): return .variable(first + names, position)
    case .bool, .string, .number, .nilConstant, .dot:
      throw problem("unexpected . after term \(GoText.quote(term.text))")
    default: return .chain(term, names, position)
    }
  }

  private mutating func term() throws(TemplateSyntaxProblem) -> Operand? {
    let token = nextNonSpace()
    let position = token.position
    switch token.kind {
    case .identifier:
      let name = token.value.text
      if !session.functions.contains(name) {
        throw problem("function \(GoText.quote(name)) not defined")
      }
      return .identifier(name, position)
    case .dot: return .dot(position)
    case .nilKeyword: return .nilConstant(position)
    case .variable:
      let name = token.value.text
      if !variables.contains(where: { ByteOrder.equal($0, name) }) {
        throw problem("undefined variable \(GoText.quote(name))")
      }
      return .variable([name], position)
    case .field: return .field([String(token.value.text.dropFirst())], position)
    case .bool: return .bool(token.value == Array("true".utf8), position)
    case .charConstant, .complex, .number:
      do {
        return .number(try NumberConstant(token), position)
      } catch {
        throw problem(error.message)
      }
    case .leftParen:
      session.depth += 1
      defer { session.depth -= 1 }
      if session.depth > Self.maxDepth { throw problem("max expression depth exceeded") }
      return .pipe(try pipeline("parenthesized pipeline", until: .rightParen))
    case .string, .rawString:
      return .string(quoted: token.value, try unquote(token.value), position)
    default:
      backup()
      return nil
    }
  }

  private func unquote(_ text: [UInt8]) throws(TemplateSyntaxProblem) -> [UInt8] {
    guard let plain = GoLiteral.unquote(text) else { throw problem("invalid syntax") }
    return plain
  }

  // MARK: Tokens

  private mutating func next() -> TemplateToken {
    if peekCount > 0 { peekCount -= 1 } else { tokens[0] = session.lexer.next() }
    return tokens[peekCount]
  }

  private mutating func backup() { peekCount += 1 }

  private mutating func backup2(_ first: TemplateToken) {
    tokens[1] = first
    peekCount = 2
  }

  private mutating func backup3(_ first: TemplateToken, _ second: TemplateToken) {
    tokens[1] = second
    tokens[2] = first
    peekCount = 3
  }

  private mutating func peek() -> TemplateToken {
    if peekCount == 0 {
      peekCount = 1
      tokens[0] = session.lexer.next()
    }
    return tokens[peekCount - 1]
  }

  private mutating func nextNonSpace() -> TemplateToken {
    while true {
      let token = next()
      if token.kind != .space { return token }
    }
  }

  private mutating func peekNonSpace() -> TemplateToken {
    let token = nextNonSpace()
    backup()
    return token
  }

  private mutating func expect(
    _ kind: TemplateToken.Kind, _ context: String
  ) throws(TemplateSyntaxProblem) {
    let token = nextNonSpace()
    if token.kind != kind { throw unexpected(token, context) }
  }

  private func unexpected(_ token: TemplateToken, _ context: String) -> TemplateSyntaxProblem {
    guard token.kind == .error else {
      return problem("unexpected \(token.shown) in \(context)")
    }
    guard actionLine != 0, actionLine != token.line else { return problem(token.shown) }
    // Not "action in action".
    let lead = token.shown.hasSuffix(" action") ? " started at " : " in action started at "
    return problem("\(token.shown)\(lead)\(parseName):\(actionLine)")
  }

  private func problem(_ message: String) -> TemplateSyntaxProblem {
    TemplateSyntaxProblem(line: tokens[0].line, position: tokens[0].position, message: message)
  }
}
