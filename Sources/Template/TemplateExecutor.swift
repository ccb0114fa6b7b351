import Model

/// Bounds on one expansion: templates come from files, and files may hold anything.
package struct TemplateLimits: Sendable {
  /// Bytes of output, and of any text on the way.
  package var outputSize = 4 << 20
  /// Statements and calls, with large texts counting for more.
  package var steps = 5_000_000

  package init() {}
}

/// Why an expansion stopped, with the place; the frame that names the template is put around it.
struct TemplateExecutionProblem: Error {
  var templateName: [UInt8]
  var position: Int
  /// The part of the template in question, as Go prints it back.
  var context: String
  var message: String
}

/// A message without a place, thrown by functions.
struct TemplateFunctionProblem: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

/// Executes a template: Go's `text/template/exec`, messages included.
///
/// Statements run over a stack of frames instead of recursion, so that templates that call
/// themselves reach Go's depth limit and not the end of ours. Only pipelines recurse, as deep as
/// the parser lets them nest.
struct TemplateExecutor {
  /// What errors point at.
  enum Place {
    case statement(Statement)
    case pipeline(Pipeline)
    case command(Command)
    case operand(Operand)

    var position: Int {
      switch self {
      case .statement(let s): s.position
      case .pipeline(let p): p.position
      case .command(let c): c.position
      case .operand(let o): o.position
      }
    }

    var text: String {
      switch self {
      case .statement(let s): s.text
      case .pipeline(let p): p.text
      case .command(let c): c.text
      case .operand(let o): o.text
      }
    }
  }

  struct Variable {
    var name: String
    var value: TemplateValue
  }

  private enum Frame {
    case list([Statement], next: Int, dot: TemplateValue)
    /// Variables declared above this mark go.
    case scope(mark: Int)
    case loop(Loop)
    /// The caller of a template, to go back to.
    case call(variables: [Variable], name: [UInt8], place: Place)
  }

  private struct Loop {
    var items: LoopItems
    var next = 0
    var branch: Statement.Branch
    /// Variables outside the loop, and with the loop's own.
    var outerMark: Int
    var mark: Int
  }

  /// Go's own bound.
  private static let maxDepth = 100_000

  let trees: TemplateTrees
  let options: TemplateOptions
  let functions: TemplateFunctions
  private let limits: TemplateLimits
  private(set) var output: [UInt8] = []
  private(set) var templateName: [UInt8]
  var variables: [Variable]
  var place: Place
  private var frames: [Frame] = []
  private var depth = 0
  private var steps = 0

  init(
    trees: TemplateTrees, name: [UInt8], data: TemplateValue, functions: TemplateFunctions,
    options: TemplateOptions, limits: TemplateLimits
  ) {
    self.trees = trees
    self.options = options
    self.functions = functions
    self.limits = limits
    templateName = name
    variables = [Variable(name: "$", value: data)]
    place = .pipeline(Pipeline(position: 0))
    if let body = trees.trees[name] { frames = [.list(body, next: 0, dot: data)] }
  }

  /// Runs to the end.
  mutating func run() throws(TemplateExecutionProblem) {
    while let frame = frames.popLast() {
      switch frame {
      case .list(let statements, let next, let dot):
        guard next < statements.count else { break }
        frames.append(.list(statements, next: next + 1, dot: dot))
        try execute(statements[next], dot)
      case .scope(let mark): pop(to: mark)
      case .loop(let loop): try advance(loop)
      case .call(let saved, let name, let place):
        variables = saved
        templateName = name
        self.place = place
        depth -= 1
      }
    }
  }

  // MARK: Statements

  private mutating func execute(
    _ statement: Statement, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) {
    place = .statement(statement)
    try countSteps(1)
    switch statement {
    case .text(let text, _): try write(text)
    case .action(let pipeline, _):
      let value = try evaluate(pipeline, dot)
      if pipeline.variables.isEmpty {
        place = .statement(statement)
        try write(printed(value))
      }
    case .branch(let branch):
      let mark = variables.count
      let value = try evaluate(branch.pipeline, dot)
      frames.append(.scope(mark: mark))
      if value.isTrue {
        frames.append(.list(branch.body, next: 0, dot: branch.setsDot ? value : dot))
      } else if let otherwise = branch.otherwise {
        frames.append(.list(otherwise, next: 0, dot: dot))
      }
    case .loop(let branch): try startLoop(branch, dot)
    case .call(let name, let pipeline, _): try call(name, pipeline, dot)
    case .breakLoop:
      if let loop = unwindToLoop() { pop(to: loop.outerMark) }
    case .continueLoop:
      if let loop = unwindToLoop() {
        pop(to: loop.mark)
        frames.append(.loop(loop))
      }
    }
  }

  private mutating func startLoop(
    _ branch: Statement.Branch, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) {
    let outer = variables.count
    let value = try evaluate(branch.pipeline, dot)
    guard let items = LoopItems(value) else {
      throw problem("range can't iterate over \(shown(value))")
    }
    if items.isCounted, branch.pipeline.variables.count > 1 {
      throw problem("can't use \(shown(value)) to iterate over more than one variable")
    }
    if items.count == 0 {
      frames.append(.scope(mark: outer))
      if let otherwise = branch.otherwise {
        frames.append(.list(otherwise, next: 0, dot: dot))
      }
      return
    }
    frames.append(
      .loop(Loop(items: items, branch: branch, outerMark: outer, mark: variables.count)))
  }

  /// Begins the next round of a loop, or ends it.
  private mutating func advance(_ loop: Loop) throws(TemplateExecutionProblem) {
    pop(to: loop.mark)
    guard loop.next < loop.items.count else {
      pop(to: loop.outerMark)
      return
    }
    try countSteps(1)
    let (index, element) = loop.items[loop.next]
    let names = loop.branch.pipeline.variables
    if loop.branch.pipeline.isAssignment {
      if names.count > 1 {
        try assign(names[0], index)
        try assign(names[1], element)
      } else if names.count == 1 {
        try assign(names[0], element)
      }
    } else {
      if names.count > 0 { variables[variables.count - 1].value = element }
      if names.count > 1 { variables[variables.count - 2].value = index }
    }
    var following = loop
    following.next += 1
    frames.append(.loop(following))
    frames.append(.list(loop.branch.body, next: 0, dot: element))
  }

  private mutating func unwindToLoop() -> Loop? {
    while let frame = frames.popLast() {
      if case .loop(let loop) = frame { return loop }
    }
    return nil
  }

  private mutating func call(
    _ name: [UInt8], _ pipeline: Pipeline?, _ dot: TemplateValue
  ) throws(TemplateExecutionProblem) {
    guard let body = trees.trees[name] else {
      throw problem("template \(GoText.quote(name.text)) not defined")
    }
    if depth == Self.maxDepth {
      throw problem("exceeded maximum template depth (\(Self.maxDepth))")
    }
    let data = try pipeline.map { (p) throws(TemplateExecutionProblem) in try evaluate(p, dot) }
    depth += 1
    frames.append(.call(variables: variables, name: templateName, place: place))
    templateName = name
    variables = [Variable(name: "$", value: data ?? .none)]
    frames.append(.list(body, next: 0, dot: data ?? .none))
  }

  // MARK: Variables

  private mutating func pop(to mark: Int) {
    if variables.count > mark { variables.removeLast(variables.count - mark) }
  }

  mutating func assign(
    _ name: String, _ value: TemplateValue
  ) throws(TemplateExecutionProblem) {
    guard let i = index(of: name) else { throw problem("undefined variable: \(name)") }
    variables[i].value = value
  }

  func variable(_ name: String) throws(TemplateExecutionProblem) -> TemplateValue {
    guard let i = index(of: name) else { throw problem("undefined variable: \(name)") }
    return variables[i].value
  }

  private func index(of name: String) -> Int? {
    variables.lastIndex { ByteOrder.equal($0.name, name) }
  }

  // MARK: Output

  private mutating func write(_ text: [UInt8]) throws(TemplateExecutionProblem) {
    output += text
    if output.count > limits.outputSize { throw problem("output too large") }
  }

  /// A value as an action writes it.
  private func printed(_ value: TemplateValue) -> [UInt8] {
    switch value {
    case .none where options.isHTML: return []
    case .string(let text) where options.isHTML: return GoEscape.html(text)
    case .string(let text), .html(let text): return text
    default:
      let text = shown(value)
      return options.isHTML ? GoEscape.html(Array(text.utf8)) : Array(text.utf8)
    }
  }

  private func shown(_ value: TemplateValue) -> String {
    GoFormat.print([value.printable]).text
  }

  mutating func countSteps(_ n: Int) throws(TemplateExecutionProblem) {
    steps += n
    if steps > limits.steps { throw problem("too many steps") }
  }

  /// The largest text a function may make.
  var textLimit: Int { limits.outputSize }

  func problem(_ message: String) -> TemplateExecutionProblem {
    TemplateExecutionProblem(
      templateName: templateName, position: place.position, context: place.text,
      message: message)
  }
}

/// What a `range` goes over: keys and elements by number.
struct LoopItems {
  private enum Source {
    case count(Int64, TemplateValue)
    case values([TemplateValue])
    case pairs([(TemplateValue, TemplateValue)])
  }

  private let source: Source

  /// Nil for what cannot be gone over.
  init?(_ value: TemplateValue) {
    switch value {
    case .none: source = .values([])
    case .int(let n, _): source = .count(n, value)
    case .uint(let n, _): source = .count(Int64(clamping: n), value)
    case .duration(let n, _): source = .count(n, value)
    case .month(let n), .weekday(let n): source = .count(Int64(n), value)
    case .list(let values, _): source = .values(values)
    case .samples(let samples): source = .values(samples.map { .sample($0) })
    case .labels(let labels):
      source = .pairs(labels.labels.map { (.text($0.name), .text($0.value)) })
    case .map(let entries): source = .pairs(entries.map { (.string($0.key), $0.value) })
    default: return nil
    }
  }

  /// Whether these are numbers without elements.
  var isCounted: Bool {
    if case .count = source { true } else { false }
  }

  var count: Int {
    switch source {
    case .count(let n, _): Int(max(0, n))
    case .values(let values): values.count
    case .pairs(let pairs): pairs.count
    }
  }

  subscript(i: Int) -> (index: TemplateValue, element: TemplateValue) {
    switch source {
    case .values(let values): return (.int(Int64(i)), values[i])
    case .pairs(let pairs): return pairs[i]
    case .count(_, let type):
      switch type {
      case .uint(_, let kind): return (.none, .uint(UInt64(i), kind))
      case .int(_, let kind): return (.none, .int(Int64(i), kind))
      case .duration: return (.none, .duration(Int64(i)))
      default: return (.none, .int(Int64(i)))
      }
    }
  }
}
