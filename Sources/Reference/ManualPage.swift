/// A page for `man`, section 1, in roff.
package struct ManualPage {
  private let command: CommandReference
  private let version: String

  package init(_ command: CommandReference, version: String) {
    self.command = command
    self.version = version
  }

  /// `tocsin-check-rules.1`.
  package var fileName: String { name + ".1" }

  private var name: String { command.path.joined(separator: "-") }

  package var text: String {
    let title = name.uppercased()
    var out = ".TH \"\(title)\" 1 \"\" \"tocsin \(Self.escaped(version))\" \"Tocsin\"\n"
    var abstract = command.abstract
    if abstract.hasSuffix(".") { abstract.removeLast() }
    out += ".SH NAME\n\(Self.escaped(name)) \\- \(Self.escaped(abstract))\n"
    out += ".SH SYNOPSIS\n.B \(Self.escaped(command.synopsis))\n"
    if !command.discussion.isEmpty { out += ".SH DESCRIPTION\n" + discussion }
    if !command.commands.isEmpty {
      out += ".SH COMMANDS\n"
      for sub in command.commands {
        out += ".TP\n.B \(Self.escaped(sub.path.last ?? ""))\n\(Self.line(sub.abstract))"
      }
    }
    out += arguments("ARGUMENTS", command.arguments.filter(\.names.isEmpty))
    out += arguments("OPTIONS", command.arguments.filter { !$0.names.isEmpty })
    return out + seeAlso
  }

  /// Paragraphs as text; lines of examples, which begin with a command, as they are.
  private var discussion: String {
    var out = ""
    for paragraph in command.discussion.split(separator: "\n\n") {
      let lines = paragraph.split(separator: "\n")
      let isExample = lines.contains { $0.hasPrefix("tocsin ") || $0.hasPrefix("  ") }
      out += isExample ? ".PP\n.nf\n" : ".PP\n"
      for line in lines { out += Self.line(String(line)) }
      if isExample { out += ".fi\n" }
    }
    return out
  }

  private func arguments(_ title: String, _ arguments: [CommandReference.Argument]) -> String {
    if arguments.isEmpty { return "" }
    var out = ".SH \(title)\n"
    for argument in arguments {
      var head = argument.names.joined(separator: ", ")
      if let value = argument.value {
        head += head.isEmpty ? "<\(value)>" : " <\(value)>"
      }
      out += ".TP\n.B \(Self.escaped(head))\n"
      var help = argument.help
      if let standard = argument.standard, !standard.isEmpty { help += " (default: \(standard))" }
      out += Self.line(help.isEmpty ? " " : help)
    }
    return out
  }

  private var seeAlso: String {
    var pages: [String] = []
    if command.path.count > 1 { pages.append(command.path.dropLast().joined(separator: "-")) }
    pages += command.commands.map { $0.path.joined(separator: "-") }
    if pages.isEmpty { return "" }
    let list = pages.map { ".BR \(Self.escaped($0)) (1)" }.joined(separator: " ,\n")
    return ".SH SEE ALSO\n\(list)\n"
  }

  private static func line(_ text: String) -> String {
    let text = escaped(text)
    // A point or an apostrophe would begin a request.
    return (text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text) + "\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
  }
}
