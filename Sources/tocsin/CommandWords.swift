import ArgumentParser
import YAML

/// Looks at the command words before the parser does: for a wrong one, the right one is near.
enum CommandWords {
  /// What to tell about the first word that is no command; nil where the words lead to one.
  static func problem(
    in arguments: [String], of root: any ParsableCommand.Type
  ) -> String? {
    var command = root
    var path = [root._commandName]
    for word in arguments {
      let known = command.configuration.subcommands
      if word.hasPrefix("-") || word == "help" || known.isEmpty { return nil }
      var names: [String] = []
      var next: (any ParsableCommand.Type)?
      for one in known {
        let name = one._commandName
        if name == word || one.configuration.aliases.contains(word) { next = one }
        if one.configuration.shouldDisplay { names.append(name) }
      }
      if let next {
        command = next
        path.append(word)
        continue
      }
      let words = path.joined(separator: " ")
      let near = NearestName.find(word, among: names).map { "; did you mean '\($0)'?" } ?? ""
      return """
        Error: '\(word)' is no command of \(words)\(near)
        Commands: \(names.joined(separator: ", "))
          See '\(words) --help' for more information.

        """
    }
    return nil
  }
}
