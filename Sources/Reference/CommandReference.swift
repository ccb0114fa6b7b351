import JSON

/// A command as its own help describes it: the root of manual pages.
package struct CommandReference: Sendable {
  /// An option, a flag or an operand.
  package struct Argument: Sendable {
    /// `--output`, `-o`; empty for an operand.
    package var names: [String]
    /// What stands for the value; nil for a flag.
    package var value: String?
    package var help: String
    /// The default as shown to people.
    package var standard: String?
    package var isOptional: Bool
    package var isRepeating: Bool
  }

  /// From the program on: `["tocsin", "check", "rules"]`.
  package var path: [String]
  package var abstract: String
  package var discussion: String
  package var arguments: [Argument]
  package var commands: [CommandReference]

  /// Reads the description that ArgumentParser gives of a program.
  package init?(_ dump: JSONValue) {
    guard let command = dump["command"] else { return nil }
    self.init(command, under: [])
  }

  private init(_ json: JSONValue, under parents: [String]) {
    path = parents + [json["commandName"]?.string ?? ""]
    abstract = json["abstract"]?.string ?? ""
    discussion = json["discussion"]?.string ?? ""
    arguments = (json["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool ?? true }
      .map(Argument.init)
    let path = path
    commands = (json["subcommands"]?.array ?? [])
      .filter { ($0["shouldDisplay"]?.bool ?? true) && $0["commandName"]?.string != "help" }
      .map { CommandReference($0, under: path) }
  }

  /// The command and all below it, parents first.
  package var all: [CommandReference] { [self] + commands.flatMap(\.all) }

  /// `--output <output>` with its places in angle brackets, optional ones in square ones.
  package var synopsis: String {
    var parts = [path.joined(separator: " ")]
    if !commands.isEmpty { parts.append("<command>") }
    if arguments.contains(where: { !$0.names.isEmpty }) { parts.append("[options]") }
    for argument in arguments where argument.names.isEmpty {
      let name = "<\(argument.value ?? "")>" + (argument.isRepeating ? " …" : "")
      parts.append(argument.isOptional ? "[\(name)]" : name)
    }
    return parts.joined(separator: " ")
  }
}

extension CommandReference.Argument {
  init(_ json: JSONValue) {
    names = (json["names"]?.array ?? []).map { name in
      let dashes = name["kind"]?.string == "long" ? "--" : "-"
      return dashes + (name["name"]?.string ?? "")
    }.sorted { $0.utf8.count < $1.utf8.count }
    value = json["kind"]?.string == "flag" ? nil : json["valueName"]?.string
    help = json["abstract"]?.string ?? ""
    standard = json["defaultValue"]?.string
    isOptional = json["isOptional"]?.bool ?? true
    isRepeating = json["isRepeating"]?.bool ?? false
  }
}
