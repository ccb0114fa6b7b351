import Config
import Diagnostics
import Model
import PromQL

/// A comment that tells the checks to look away: ours (`# tocsin …`) or pint's.
struct ControlComment: Sendable {
  /// What part of a file a comment is about.
  enum Scope: Sendable, Hashable {
    case file
    /// Bytes of the file.
    case range(SourceRange)
  }

  /// What a comment asks for.
  enum Action: Sendable {
    /// Findings of a check; with a detail, only those whose message or text holds it.
    case disable(name: String, detail: String?)
    /// Everything.
    case ignore
    case owner(String)
    /// `rule/set CHECK SETTING VALUE`: how a check looks at a rule.
    case set(SeriesSettings)
  }

  var action: Action
  var scope: Scope
  /// Where the comment stands, from its `#`.
  var range: SourceRange
  var isPint: Bool
  /// A snooze's end; nil = no end.
  var until: Timestamp?
  /// Why it could not be understood.
  var problem: String?
}

/// Reads the control comments of a file.
struct ControlComments {
  private let source: SourceText
  private let rules: [SourceRange]
  private var found: [ControlComment] = []
  /// The start of an open `ignore/begin`.
  private var open: (start: Int, comment: ControlComment)?

  /// All control comments; `rules` are the ranges of rules, comments right above included.
  static func read(_ file: RuleFile) -> [ControlComment] {
    let bytes = file.source.bytes
    guard contains(bytes, "pint") || contains(bytes, "tocsin") else { return [] }
    var reader = ControlComments(source: file.source, rules: ruleRanges(file))
    for line in file.source.lineStarts.indices { reader.line(line) }
    if let open = reader.open {
      var comment = open.comment
      comment.scope = .range(SourceRange(open.start, bytes.count))
      reader.found.append(comment)
    }
    return reader.found
  }

  private static func contains(_ bytes: [UInt8], _ word: String) -> Bool {
    let wanted = Array(word.utf8)
    var i = 0
    while let at = bytes[i...].firstIndex(of: UInt8(ascii: "#")) {
      var start = at + 1
      while start < bytes.count, bytes[start] == 0x20 { start += 1 }
      if bytes[start...].starts(with: wanted) { return true }
      i = at + 1
    }
    return false
  }

  /// From behind the rule before (or its group's start) to the end of the rule.
  private static func ruleRanges(_ file: RuleFile) -> [SourceRange] {
    var ranges: [SourceRange] = []
    for place in file.places {
      let node = place.node.content
      var start = node.range.start
      let source = file.source
      // Comment lines right above belong to the rule.
      var line = source.position(at: start).line
      start = source.lineStarts[line - 1]
      while line > 1 {
        let text = source.lineBytes(line - 1).drop { $0 <= 0x20 }
        guard text.first == UInt8(ascii: "#") else { break }
        line -= 1
        start = source.lineStarts[line - 1]
      }
      ranges.append(SourceRange(start, node.range.end))
    }
    return ranges
  }

  private init(source: SourceText, rules: [SourceRange]) {
    self.source = source
    self.rules = rules
  }

  private mutating func line(_ index: Int) {
    let start = source.lineStarts[index]
    let bytes = source.lineBytes(index + 1)
    guard let hash = hash(in: bytes) else { return }
    let body = bytes[(hash + 1)...].drop { $0 == 0x20 || $0 == UInt8(ascii: "#") }
    var words = String(decoding: body, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      .map(String.init)
    guard let name = words.first, name == "pint" || name == "tocsin", words.count > 1 else {
      return
    }
    let isAlone = bytes[start..<hash].allSatisfy { $0 <= 0x20 || $0 == UInt8(ascii: "#") }
    let verb = words[1]
    words.removeFirst(2)
    var comment = ControlComment(
      action: .ignore, scope: .file, range: SourceRange(hash, bytes.endIndex),
      isPint: name == "pint")
    read(verb, words, isAlone, index, &comment)
  }

  /// A `#` at the start of a line or behind a blank, whose comment names one of us.
  private func hash(in bytes: ArraySlice<UInt8>) -> Int? {
    bytes.indices.first { i in
      guard bytes[i] == UInt8(ascii: "#"), i == bytes.startIndex || bytes[i - 1] <= 0x20 else {
        return false
      }
      let rest = bytes[(i + 1)...].drop { $0 == 0x20 }
      return rest.starts(with: "pint ".utf8) || rest.starts(with: "tocsin ".utf8)
    }
  }

  private mutating func read(
    _ verb: String, _ words: [String], _ isAlone: Bool, _ index: Int,
    _ comment: inout ControlComment
  ) {
    let line = SourceRange(source.lineStarts[index], end(of: index))
    switch verb {
    case "disable", "file/disable":
      let isFile = verb == "file/disable"
      disable(words, isFile ? .file : scope(isAlone, line, comment), comment)
    case "snooze", "file/snooze":
      guard let date = words.first, let until = Self.date(date), words.count > 1 else {
        comment.problem = "a snooze needs a date (2026-01-31 or RFC 3339) and a check"
        return found.append(comment)
      }
      comment.until = until
      disable(
        Array(words.dropFirst()),
        verb == "file/snooze" ? .file : scope(isAlone, line, comment), comment)
    case "ignore/file":
      found.append(comment)
    case "ignore/line", "ignore/next-line":
      let next = min(index + 1, source.lineStarts.count - 1)
      comment.scope = .range(
        verb == "ignore/line" ? line : SourceRange(source.lineStarts[next], end(of: next)))
      found.append(comment)
    case "ignore/begin": open = (line.start, comment)
    case "ignore/end":
      guard let begun = open else {
        comment.problem = "no ignore/begin stands before it"
        return found.append(comment)
      }
      var whole = begun.comment
      whole.scope = .range(SourceRange(begun.start, line.end))
      found.append(whole)
      open = nil
    case "rule/owner", "file/owner", "owner":
      comment.action = .owner(words.joined(separator: " "))
      comment.scope = verb == "file/owner" ? .file : scope(true, line, comment)
      if words.isEmpty { comment.problem = "an owner needs a name" }
      found.append(comment)
    case "rule/set":
      if let settings = SeriesSettings(words) {
        comment.action = .set(settings)
      } else {
        comment.problem =
          "`rule/set` takes `promql/series min-age DURATION` or "
          + "`promql/series ignore/label-value LABEL`"
      }
      comment.scope = scope(true, line, comment)
      found.append(comment)
    default:
      comment.problem = "`\(verb)` is not known"
      found.append(comment)
    }
  }

  private mutating func disable(
    _ words: [String], _ scope: ControlComment.Scope, _ comment: ControlComment
  ) {
    var comment = comment
    comment.scope = scope
    // pint takes one check with everything behind it as detail; ours may name several.
    let names = comment.isPint ? [words.joined(separator: " ")] : words
    if words.isEmpty {
      comment.problem = "the name of a check is missing"
      found.append(comment)
    }
    for name in names where !name.isEmpty {
      var detail: String?
      var id = name
      if let open = name.firstIndex(of: "("), name.hasSuffix(")") {
        detail = String(name[name.index(after: open)...].dropLast())
        id = String(name[..<open])
      }
      comment.action = .disable(name: id, detail: detail)
      found.append(comment)
    }
  }

  /// The rule around a comment; behind code on a line ours is about the line.
  private func scope(
    _ isAlone: Bool, _ line: SourceRange, _ comment: ControlComment
  ) -> ControlComment.Scope {
    if !isAlone, !comment.isPint { return .range(line) }
    let at = comment.range.start
    if let rule = rules.first(where: { $0.start <= at && at < max($0.end, $0.start + 1) })
      ?? rules.last(where: {
        $0.end <= at
          && source.position(at: $0.end).line
            == source.position(at: at).line
      })
    {
      return .range(rule)
    }
    return .range(line)
  }

  private func end(of line: Int) -> Int {
    line + 1 < source.lineStarts.count ? source.lineStarts[line + 1] : source.bytes.count
  }

  private static func date(_ text: String) -> Timestamp? {
    Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "T00:00:00Z")
  }
}
