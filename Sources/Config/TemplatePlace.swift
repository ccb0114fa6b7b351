import Diagnostics
import Template
import YAML

/// Where in a template's text a problem is, for a caret.
enum TemplatePlace {
  /// The bytes to mark: the name the message speaks of, if it stands near, else the place noticed.
  ///
  /// - Note: Go's parser tells a line only, and notices a wrong name when it is already behind it.
  static func range(of problem: TemplateProblem, in text: String) -> SourceRange {
    let bytes = Array(text.utf8)
    let noticed = min(max(0, problem.offset), bytes.count)
    if let name = name(in: problem.description) {
      let wanted = Array(name.utf8)
      let latest = min(noticed, bytes.count - wanted.count)
      for start in stride(from: latest, through: 0, by: -1)
      where bytes[start...].starts(with: wanted) {
        return SourceRange(start, start + wanted.count)
      }
    }
    return SourceRange(noticed, min(noticed + 1, bytes.count))
  }

  /// The name in `function "x" not defined` and `undefined variable "$x"`.
  private static func name(in message: String) -> String? {
    let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
    guard parts.count >= 3 else { return nil }
    for i in 1..<(parts.count - 1) {
      let before = parts[i - 1]
      if before.hasSuffix("undefined variable ")
        || (before.hasSuffix("function ") && parts[i + 1].hasPrefix(" not defined"))
      {
        return String(parts[i])
      }
    }
    return nil
  }

  /// What to try instead, for a name that is nearly right.
  static func hint(_ problem: TemplateProblem) -> String? {
    guard let name = name(in: problem.description) else { return nil }
    let known =
      name.hasPrefix("$") ? ["$labels", "$value", "$externalLabels", "$externalURL"] : functions
    return NearestName.find(name, among: known).map { "did you mean `\($0)`?" }
  }

  private static let functions = [
    "query", "first", "label", "value", "strvalue", "sortByLabel", "humanize", "humanize1024",
    "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toTime", "toDuration", "now",
    "parseDuration", "title", "toUpper", "toLower", "match", "reReplaceAll", "stripPort",
    "stripDomain", "urlQueryEscape", "graphLink", "tableLink", "args", "safeHtml", "externalURL",
    "pathPrefix", "tmpl", "and", "or", "not", "len", "index", "slice", "print", "printf",
    "println", "html", "js", "urlquery", "call", "eq", "ne", "lt", "le", "gt", "ge",
  ]
}
