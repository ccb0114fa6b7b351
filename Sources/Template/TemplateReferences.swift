import Model

/// What a template names literally: queries and labels, each with its place in the author's text.
package struct TemplateReferences: Sendable {
  /// A name or query and the byte offset of the operand that holds it.
  package struct Reference: Hashable, Sendable {
    package var text: String
    package var offset: Int
  }

  /// Texts handed to `query` as literals.
  package fileprivate(set) var queries: [Reference] = []
  /// Labels of the result: `$labels.x`, `.Labels.x`, `index $labels "x"`.
  package fileprivate(set) var labels: [Reference] = []
  /// External labels: `$externalLabels.x`, `.ExternalLabels.x`.
  package fileprivate(set) var externalLabels: [Reference] = []
}

extension Template {
  /// External labels that stand literally in the template.
  package var externalLabels: [TemplateReferences.Reference] {
    isPlain ? [] : references.externalLabels
  }

  /// Queries and labels that stand literally in the template, in the order of the text.
  ///
  /// Dot is taken for the alert where it is written `.Labels`; inside `range` and `with` it may be
  /// something else that has labels, a query's sample for instance, so `.Labels` counts only
  /// outside.
  package var references: TemplateReferences {
    var finder = ReferenceFinder(offset: preambleSize)
    // Definitions are visited by name, so that the order never depends on hashing.
    for body in trees.trees.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      finder.visit(body.value, dotIsAlert: body.key == Array(name.utf8))
    }
    finder.found.queries.sort { $0.offset < $1.offset }
    finder.found.labels.sort { $0.offset < $1.offset }
    return finder.found
  }
}

private struct ReferenceFinder {
  let offset: Int
  var found = TemplateReferences()

  mutating func visit(_ body: [Statement], dotIsAlert: Bool) {
    for statement in body {
      switch statement {
      case .text, .breakLoop, .continueLoop: break
      case .action(let pipeline, _): visit(pipeline, dotIsAlert)
      case .call(_, let pipeline, _): pipeline.map { visit($0, dotIsAlert) }
      case .branch(let branch), .loop(let branch):
        visit(branch.pipeline, dotIsAlert)
        visit(branch.body, dotIsAlert: dotIsAlert && !branch.setsDot)
        visit(branch.otherwise ?? [], dotIsAlert: dotIsAlert)
      }
    }
  }

  private mutating func visit(_ pipeline: Pipeline, _ dotIsAlert: Bool) {
    var previous: Operand?
    for command in pipeline.commands {
      if case .identifier("query", _) = command.arguments.first {
        note(command.arguments.dropFirst().first ?? previous)
      }
      if case .identifier("index", _) = command.arguments.first, command.arguments.count == 3,
        isLabels(command.arguments[1], dotIsAlert),
        case .string(_, let name, let position) = command.arguments[2]
      {
        add(name.text, position)
      }
      for operand in command.arguments { visit(operand, dotIsAlert) }
      previous = command.arguments.count == 1 ? command.arguments[0] : nil
    }
  }

  private mutating func visit(_ operand: Operand, _ dotIsAlert: Bool) {
    switch operand {
    case .variable(let names, let position)
    where names.count > 1 && ByteOrder.equal(names[0], "$labels"):
      add(names[1], position)
    case .field(let names, let position)
    where dotIsAlert && names.count > 1 && ByteOrder.equal(names[0], "Labels"):
      add(names[1], position)
    case .variable(let names, let position)
    where names.count > 1 && ByteOrder.equal(names[0], "$externalLabels"):
      addExternal(names[1], position)
    case .field(let names, let position)
    where dotIsAlert && names.count > 1 && ByteOrder.equal(names[0], "ExternalLabels"):
      addExternal(names[1], position)
    case .chain(let inner, _, _): visit(inner, dotIsAlert)
    case .pipe(let pipeline): visit(pipeline, dotIsAlert)
    default: break
    }
  }

  private func isLabels(_ operand: Operand, _ dotIsAlert: Bool) -> Bool {
    switch operand {
    case .variable(let names, _): names.count == 1 && ByteOrder.equal(names[0], "$labels")
    case .field(let names, _):
      dotIsAlert && names.count == 1 && ByteOrder.equal(names[0], "Labels")
    default: false
    }
  }

  private mutating func note(_ operand: Operand?) {
    guard case .string(_, let text, let position)? = operand else { return }
    found.queries.append(.init(text: text.text, offset: max(0, position - offset)))
  }

  private mutating func addExternal(_ label: String, _ position: Int) {
    if position >= offset {
      found.externalLabels.append(.init(text: label, offset: position - offset))
    }
  }

  private mutating func add(_ label: String, _ position: Int) {
    if position >= offset {
      found.labels.append(.init(text: label, offset: position - offset))
    }
  }
}
