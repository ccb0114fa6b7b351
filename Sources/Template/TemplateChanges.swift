import Model

/// A place in a template where something comes out that differs from one evaluation to the next.
package struct TemplateChange: Hashable, Sendable {
  /// How what changes gets into the output.
  package enum Way: Sendable {
    /// It is written.
    case written
    /// It decides which of several texts is written.
    case decides
  }

  /// The operand: `$value`, `.Value`, `query`, or a variable that holds one of them.
  package var text: String
  /// Byte offset of the operand in the author's text.
  package var offset: Int
  package var way: Way
}

extension Template {
  /// Where the value of the alert, the answer of a query or the time gets into the output.
  ///
  /// Followed through pipelines, functions, variables, `with` and `range`. In a label each of these
  /// makes a new alert whenever the output changes.
  package var changes: [TemplateChange] {
    if isPlain { return [] }
    var finder = ChangeFinder(offset: preambleSize)
    for body in trees.trees.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      finder.dotIsAlert = body.key == Array(name.utf8)
      finder.visit(body.value, dotChanges: false)
    }
    return finder.found.sorted { ($0.offset, $0.text) < ($1.offset, $1.text) }
  }
}

private struct ChangeFinder {
  let offset: Int
  var dotIsAlert = true
  /// Variables that hold something that changes, by name with the dollar sign.
  private var changing: Set<String> = ["$value"]
  private(set) var found: [TemplateChange] = []

  init(offset: Int) { self.offset = offset }

  mutating func visit(_ body: [Statement], dotChanges: Bool) {
    for statement in body {
      switch statement {
      case .text, .breakLoop, .continueLoop: break
      case .action(let pipeline, _):
        let sources = assign(pipeline, dotChanges)
        if pipeline.variables.isEmpty { note(sources, .written) }
      case .call(_, let pipeline, _):
        if let pipeline { note(sources(pipeline, dotChanges), .written) }
      case .branch(let branch), .loop(let branch): visit(branch, dotChanges)
      }
    }
  }

  private mutating func visit(_ branch: Statement.Branch, _ dotChanges: Bool) {
    let sources = assign(branch.pipeline, dotChanges)
    let outer = dotIsAlert
    let before = found.count
    if branch.setsDot, !branch.pipeline.commands.isEmpty { dotIsAlert = false }
    visit(branch.body, dotChanges: branch.setsDot ? !sources.isEmpty : dotChanges)
    dotIsAlert = outer
    visit(branch.otherwise ?? [], dotChanges: dotChanges)
    // What the body writes of it is told there already.
    if found.count == before { note(sources, .decides) }
  }

  /// The operands of a pipeline that change; its variables are remembered.
  private mutating func assign(
    _ pipeline: Pipeline, _ dotChanges: Bool
  ) -> [(text: String, position: Int)] {
    let sources = sources(pipeline, dotChanges)
    for name in pipeline.variables {
      // The preamble's own `$value := .Value` stands in front of the author's text.
      if !sources.isEmpty { changing.insert(name) }
    }
    return sources
  }

  private func sources(
    _ pipeline: Pipeline, _ dotChanges: Bool
  ) -> [(text: String, position: Int)] {
    pipeline.commands.flatMap { command in
      command.arguments.flatMap { sources($0, dotChanges) }
    }
  }

  private func sources(_ operand: Operand, _ dotChanges: Bool) -> [(text: String, position: Int)] {
    switch operand {
    case .variable(let names, let position):
      return names.first.map(changing.contains) == true ? [(operand.text, position)] : []
    case .field(let names, let position):
      if dotIsAlert, names == ["Value"] { return [(operand.text, position)] }
      return dotChanges ? [(operand.text, position)] : []
    case .dot(let position): return dotChanges ? [(".", position)] : []
    case .identifier(let name, let position):
      return name == "query" || name == "now" ? [(name, position)] : []
    case .chain(let inner, _, _): return sources(inner, dotChanges)
    case .pipe(let pipeline): return sources(pipeline, dotChanges)
    case .bool, .nilConstant, .number, .string: return []
    }
  }

  private mutating func note(
    _ sources: [(text: String, position: Int)], _ way: TemplateChange.Way
  ) {
    for source in sources where source.position >= offset {
      found.append(
        TemplateChange(text: source.text, offset: source.position - offset, way: way))
    }
  }
}
