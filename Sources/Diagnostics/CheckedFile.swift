/// A file that was checked, with what was found: what the renderers for programs are given.
package struct CheckedFile: Sendable {
  /// A rule of the file, for formats that list what is in order too.
  package struct Rule: Sendable, Hashable {
    package var group: String
    package var name: String

    package init(group: String, name: String) {
      self.group = group
      self.name = name
    }
  }

  /// The path, relative to where the reader will look.
  package var path: String
  package var diagnostics: [Diagnostic]
  package var rules: [Rule]

  package init(path: String, diagnostics: [Diagnostic], rules: [Rule] = []) {
    self.path = path
    self.diagnostics = diagnostics
    self.rules = rules
  }
}

/// What a format that lists the kinds of findings wants to know of one.
package struct CheckText: Sendable {
  package var id: String
  package var severity: Severity
  /// One line without a full stop.
  package var summary: String
  /// Markdown.
  package var text: String

  package init(id: String, severity: Severity, summary: String, text: String) {
    self.id = id
    self.severity = severity
    self.summary = summary
    self.text = text
  }
}

extension Diagnostic {
  /// The message with the label, in one line.
  package var sentence: String {
    guard let label else { return message }
    return message + " (" + label + ")"
  }

  /// Everything that is said besides the message: context, fix and notes, a line each.
  package var remarks: [String] {
    var lines: [String] = []
    if let context { lines.append(context) }
    if let fix { lines.append("fix: " + fix.message) }
    for note in notes {
      var line = "note: " + note.message
      if let range = note.range, let source = note.source ?? source {
        let place = source.characterPosition(at: range.start)
        line += " (\(source.name):\(place.line):\(place.column))"
      }
      lines.append(line)
    }
    return lines
  }
}
