/// Renders diagnostics the way compilers do: place, message, source line, caret.
///
///     rules/web.yml:14:38: error: unexpected right parenthesis ')' [promql/syntax]
///       13 |     for: 5m
///       14 |     expr: sum(rate(errors[5m])) by ())
///          |                                      ^ no parenthesis is open here
///          = in alert "HighErrorRate", group "web"
///
/// Columns in the first line count characters, so that they are the ones an editor shows.
package struct HumanRenderer: Sendable {
  package var decoration: Decoration
  /// Longer source lines are cut around the caret.
  package var maximumWidth: Int

  package init(decoration: Decoration = .plain, maximumWidth: Int = 160) {
    self.decoration = decoration
    self.maximumWidth = maximumWidth
  }

  /// A range over more lines than this is shown without its middle.
  private static let linesShown = 4

  /// All diagnostics, each followed by an empty line.
  package func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { render($0) + "\n" }.joined()
  }

  /// One diagnostic, ending with a line feed.
  package func render(_ diagnostic: Diagnostic) -> String {
    var out = heading(
      source: diagnostic.source, range: diagnostic.range,
      title: decoration.apply(diagnostic.severity), message: diagnostic.message,
      id: diagnostic.id)
    var gutter = 2
    if let source = diagnostic.source, let range = diagnostic.range {
      gutter = gutterWidth(source, range)
      out += excerpt(source, range, label: diagnostic.label, gutter: gutter, leading: true)
    }
    func remark(_ text: String) {
      let margin = String(repeating: " ", count: gutter + 3)
      let body = lines(of: text).joined(separator: "\n" + margin + "  ")
      out += margin + decoration.apply("=", .gutter) + " " + body + "\n"
    }
    if let context = diagnostic.context { remark(context) }
    if let fix = diagnostic.fix { remark(decoration.apply("fix:", .note) + " " + fix.message) }
    for note in diagnostic.notes where note.range == nil {
      remark(decoration.apply("note:", .note) + " " + note.message)
    }
    for note in diagnostic.notes {
      guard let range = note.range, let source = note.source ?? diagnostic.source else { continue }
      out += heading(
        source: source, range: range, title: decoration.apply("note", .note),
        message: note.message, id: nil)
      out += excerpt(
        source, range, label: nil, gutter: gutterWidth(source, range), leading: false)
    }
    return out
  }

  private func heading(
    source: SourceText?, range: SourceRange?, title: String, message: String, id: String?
  ) -> String {
    var place = ""
    if let source {
      place = source.name
      if let range {
        let position = source.characterPosition(at: range.start)
        place += ":\(position.line):\(position.column)"
      }
      place = decoration.apply(place + ":", .place) + " "
    }
    let text = lines(of: message).joined(separator: "\n    ")
    let suffix = id.map { " " + decoration.apply("[\($0)]", .id) } ?? ""
    return place + title + ": " + decoration.apply(text, .message) + suffix + "\n"
  }

  private func gutterWidth(_ source: SourceText, _ range: SourceRange) -> Int {
    max(2, String(source.position(at: range.end).line).count)
  }

  /// The lines of a range with carets under it, and the line before for orientation.
  private func excerpt(
    _ source: SourceText, _ range: SourceRange, label: String?, gutter: Int, leading: Bool
  ) -> String {
    let first = source.position(at: range.start).line
    let last = source.position(at: max(range.start, range.end - 1)).line
    var out = ""
    if leading, first > 1, source.lineBytes(first - 1).contains(where: { $0 > 0x20 }) {
      let line = DisplayLine(source.lineBytes(first - 1))
      out += numbered(first - 1, line.clipped(from: 0, width: maximumWidth), gutter)
    }
    for number in first...last {
      if last - first >= Self.linesShown, number > first + 1, number < last {
        if number == first + 2 { out += numbered(nil, "...", gutter) }
        continue
      }
      out += marked(
        source, number, range, label: number == last ? label : nil, gutter: gutter,
        isFirst: number == first)
    }
    return out
  }

  private func marked(
    _ source: SourceText, _ number: Int, _ range: SourceRange, label: String?, gutter: Int,
    isFirst: Bool
  ) -> String {
    let bytes = source.lineBytes(number)
    let line = DisplayLine(bytes)
    let lineStart = source.lineStarts[number - 1]
    var from = range.start - lineStart
    if !isFirst {
      // Indentation of a continuation line is not part of what is meant.
      from = bytes.firstIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 - lineStart } ?? 0
    }
    let start = line.column(ofByte: from)
    let end = max(start + 1, line.column(ofByte: range.end - lineStart))
    let offset = clipStart(start, end, total: line.width)
    let tail = offset > 0 ? "…" : ""
    var out = numbered(
      number, tail + line.clipped(from: offset, width: maximumWidth), gutter)
    let blanks = String(repeating: " ", count: start - offset + (offset > 0 ? 1 : 0))
    let visible = max(1, min(end, offset + maximumWidth) - start)
    let marks =
      isFirst
      ? "^" + String(repeating: "~", count: visible - 1) : String(repeating: "~", count: visible)
    var body = blanks + decoration.apply(marks, .marker)
    if let label { body += " " + decoration.apply(lines(of: label).joined(separator: " "), .label) }
    out += numbered(nil, body, gutter)
    return out
  }

  /// The first column shown of a line too long for the width.
  private func clipStart(_ start: Int, _ end: Int, total: Int) -> Int {
    if total <= maximumWidth || end <= maximumWidth { return 0 }
    return max(0, start - maximumWidth / 2)
  }

  private func numbered(_ number: Int?, _ text: String, _ gutter: Int) -> String {
    let digits = number.map(String.init) ?? ""
    let margin = String(repeating: " ", count: 2 + gutter - digits.count) + digits + " |"
    return decoration.apply(margin, .gutter) + (text.isEmpty ? "" : " " + text) + "\n"
  }

  /// The lines of a message, free of characters that steer a terminal.
  private func lines(of text: String) -> [String] {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return [text] }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var clean = ""
      for scalar in line.unicodeScalars {
        switch scalar.value {
        case 0x09: clean += " "
        case 0x1b where decoration == .ansi: clean.unicodeScalars.append(scalar)
        case 0..<0x20: clean.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "?")
        case 0x7f..<0xa0: clean += "?"
        default: clean.unicodeScalars.append(scalar)
        }
      }
      return clean
    }
  }
}
