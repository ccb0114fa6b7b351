/// Renders findings as workflow commands of GitHub Actions, which show them beside the changed
/// lines.
///
/// GitHub shows ten errors, ten warnings and ten notices of a step; of more, the last line tells
/// how many there are.
package enum GitHubRenderer {
  /// How many annotations of a level GitHub shows.
  package static let shown = 10

  package static func render(_ files: [CheckedFile]) -> String {
    var out = ""
    var counts: [Severity: Int] = [:]
    var hidden = 0
    for file in files {
      for diagnostic in file.diagnostics {
        counts[diagnostic.severity, default: 0] += 1
        if counts[diagnostic.severity] ?? 0 > shown {
          hidden += 1
        } else {
          out += command(diagnostic, path: file.path)
        }
      }
    }
    if hidden > 0 {
      out += "::notice title=tocsin::\(hidden) more findings are in the log of this step\n"
    }
    return out
  }

  private static func command(_ diagnostic: Diagnostic, path: String) -> String {
    let level =
      switch diagnostic.severity {
      case .error: "error"
      case .warning: "warning"
      case .info: "notice"
      }
    var properties = ["file=" + escapedProperty(path)]
    if let source = diagnostic.source, let range = diagnostic.range {
      let start = source.characterPosition(at: range.start)
      let end = source.characterPosition(at: max(range.start, range.end))
      properties.append("line=\(start.line)")
      // Without a line GitHub does not show the finding in the list of changed files.
      properties.append("endLine=\(end.line)")
      if start.line == end.line {
        properties.append("col=\(start.column)")
        properties.append("endColumn=\(max(start.column, end.column))")
      }
    } else {
      properties.append("line=1")
    }
    properties.append("title=" + escapedProperty(diagnostic.id))
    let text = ([diagnostic.sentence] + diagnostic.remarks).joined(separator: "\n")
    return "::\(level) \(properties.joined(separator: ","))::\(escaped(text))\n"
  }

  /// A message: what would end the line is written as a percent code.
  static func escaped(_ text: String) -> String { replace(text, alsoSeparators: false) }

  /// A property: what would end it too.
  static func escapedProperty(_ text: String) -> String { replace(text, alsoSeparators: true) }

  private static func replace(_ text: String, alsoSeparators: Bool) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": out += "%25"
      case "\r": out += "%0D"
      case "\n": out += "%0A"
      case ":" where alsoSeparators: out += "%3A"
      case "," where alsoSeparators: out += "%2C"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
