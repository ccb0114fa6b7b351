import Model

extension Template {
  /// Whether it is plain to see that the template can be executed over any alert: it holds texts,
  /// labels and the value, as they are or through a function that takes anything.
  ///
  /// False says nothing: what has branches, queries or variables of its own is not looked into.
  package var surelyExecutes: Bool {
    if isPlain { return true }
    guard trees.trees.count == 1, let body = trees.trees.first?.value else { return false }
    return body.allSatisfy { statement in
      switch statement {
      case .text: true
      case .action(let pipeline, _): Self.isSimple(pipeline)
      default: false
      }
    }
  }

  private static func isSimple(_ pipeline: Pipeline) -> Bool {
    var isFirst = true
    for command in pipeline.commands {
      guard let head = command.arguments.first else { return false }
      switch head {
      case .identifier("printf", _):
        guard command.arguments.count > 1, case .string = command.arguments[1],
          command.arguments.dropFirst(2).allSatisfy(isValue)
        else { return false }
      case .identifier(let name, _):
        let given = command.arguments.count - 1 + (isFirst ? 0 : 1)
        guard given == 1, name.utf8.starts(with: "humanize".utf8),
          command.arguments.dropFirst().allSatisfy(isValue)
        else { return false }
      default:
        guard isFirst, command.arguments.count == 1, isValue(head) else { return false }
      }
      isFirst = false
    }
    return true
  }

  /// A label, the value, or what else there is of an alert.
  private static func isValue(_ operand: Operand) -> Bool {
    switch operand {
    case .string, .number: true
    case .variable(let names, _):
      switch names[0] {
      case "$value", "$externalURL": names.count == 1
      case "$labels", "$externalLabels": names.count <= 2
      default: false
      }
    case .field(let names, _):
      switch names[0] {
      case "Value", "ExternalURL": names.count == 1
      case "Labels", "ExternalLabels": names.count <= 2
      default: false
      }
    default: false
    }
  }
}
