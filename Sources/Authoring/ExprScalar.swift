import Diagnostics
import PromQL
import YAML

/// The scalar of a rule's expression, and how another text is put into it.
struct ExprScalar {
  let source: SourceText
  let node: YAMLNode
  /// The column, from 0, of the rule's keys.
  let column: Int
  /// Whether the rule is written between braces, where there are no blocks.
  let isFlow: Bool

  init?(_ node: YAMLNode, of rule: YAMLNode) {
    guard case .scalar = node.kind else { return nil }
    source = node.source
    self.node = node
    let start = rule.content.range.start
    column = source.position(at: start).column - 1
    isFlow = start < source.bytes.count && source.bytes[start] == UInt8(ascii: "{")
  }

  /// The edit that writes the formatted expression; nil where it is written so already.
  func edit(_ formatted: SourceFormatter.Result) -> TextEdit? {
    guard case .scalar(let text, let style) = node.kind else { return nil }
    let isBlock = style == .literal || style == .folded
    if isBlock { return blockEdit(formatted, isFolded: style == .folded) }
    let isShort = !formatted.text.utf8.contains(0x0a)
    if let line = formatted.line, isShort || isFlow {
      return text.utf8.elementsEqual(line.utf8)
        ? nil : TextEdit(node.range, Self.quoted(line, style))
    }
    return isFlow ? nil : newBlock(formatted.text)
  }

  // MARK: Blocks

  /// Writes the lines of a block anew; the header stays.
  private func blockEdit(_ formatted: SourceFormatter.Result, isFolded: Bool) -> TextEdit? {
    let bytes = source.bytes
    var start = node.range.start
    let header = bytes[start...].prefix { $0 != 0x0a }
    start += header.count + 1
    let digit = header.prefix(3).first { $0 >= 0x31 && $0 <= 0x39 }
    var indent = digit.map { column + Int($0 - 0x30) }
    var (end, at) = (start, start)
    while at < bytes.count {
      let line = bytes[at...].prefix { $0 != 0x0a }
      let next = min(bytes.count, line.endIndex + 1)
      if let content = line.firstIndex(where: { $0 != 0x20 && $0 != 0x0d }) {
        let depth = content - at
        indent = indent ?? depth
        if depth < max(1, indent ?? 1) { break }
        end = line.endIndex
      }
      at = next
    }
    guard let indent, end > start else { return nil }
    if end > start, bytes[end - 1] == 0x0d { end -= 1 }
    let body = lines(formatted.text, indent)
    // Folding would lead a comment into what follows.
    if isFolded && formatted.line == nil {
      let head = String(decoding: header.dropFirst(), as: UTF8.self)
      return TextEdit(SourceRange(node.range.start, end), "|" + head + "\n" + body)
    }
    if bytes[start..<end].elementsEqual(body.utf8) { return nil }
    return TextEdit(SourceRange(start, end), body)
  }

  /// Makes a block of a scalar that was none; a comment behind it goes behind the header.
  private func newBlock(_ text: String) -> TextEdit {
    let bytes = source.bytes
    // The header stands behind the key even if the scalar began on the next line.
    var start = node.range.start
    while start > 0, bytes[start - 1] <= 0x20 { start -= 1 }
    let isBehindKey = start > 0 && bytes[start - 1] == UInt8(ascii: ":")
    if !isBehindKey { start = node.range.start }
    let rest = bytes[node.range.end...].prefix { $0 != 0x0a && $0 != 0x0d }
    let isBlank = rest.allSatisfy { $0 <= 0x20 }
    let comment = isBlank ? "" : String(decoding: rest, as: UTF8.self)
    return TextEdit(
      SourceRange(start, node.range.end + rest.count),
      (isBehindKey ? " |" : "|") + comment + lineEnd + lines(text, column + 2))
  }

  private func lines(_ text: String, _ indent: Int) -> String {
    let blanks = String(repeating: " ", count: indent)
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : blanks + $0 }.joined(separator: lineEnd)
  }

  private var lineEnd: String {
    let end = source.bytes.firstIndex(of: 0x0a) ?? 0
    return end > 0 && source.bytes[end - 1] == 0x0d ? "\r\n" : "\n"
  }

  // MARK: One line

  private static func quoted(_ text: String, _ style: YAMLNode.ScalarStyle) -> String {
    switch style {
    case .singleQuoted: return "'" + text.replacing("'", with: "''") + "'"
    case .doubleQuoted:
      var out = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": out += "\\\\"
        case "\"": out += "\\\""
        case "\n": out += "\\n"
        case "\t": out += "\\t"
        default: out.unicodeScalars.append(scalar)
        }
      }
      return out + "\""
    case .plain, .literal, .folded: return text
    }
  }
}
