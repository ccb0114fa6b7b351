/// Where the functions and initialisers of a file begin and end, by matching braces.
struct FunctionSpans {
  struct Span {
    var name: String
    var line: Int
    /// Lines from the declaration to its closing brace.
    var count: Int
  }

  private(set) var spans: [Span] = []
  private let file: SourceFile
  private var code: [UInt8] { file.code }

  init(_ file: SourceFile) {
    self.file = file
    for (keyword, isNamed) in [("func", true), ("init", false), ("deinit", false)] {
      for line in file.lines(with: keyword, in: file.code) {
        guard let start = declaration(of: keyword, on: line),
          let body = bodyStart(after: start), let end = closing(of: body)
        else { continue }
        let name = isNamed ? "func \(self.name(after: start))" : keyword
        spans.append(Span(name: name, line: line, count: file.lineNumber(at: end) - line + 1))
      }
    }
    spans.sort { $0.line < $1.line }
  }

  /// The offset behind the keyword, if only modifiers and attributes stand before it.
  private func declaration(of keyword: String, on line: Int) -> Int? {
    let start = file.lineStarts[line - 1]
    var at = start
    while at < code.count, code[at] != 0x0a {
      while at < code.count, !code[at].isNamePart, code[at] != 0x0a { at += 1 }
      let from = at
      while at < code.count, code[at].isNamePart { at += 1 }
      if at == from { return nil }
      let word = String(decoding: code[from..<at], as: UTF8.self)
      if word == keyword { return from > 0 && code[from - 1] == UInt8(ascii: ".") ? nil : at }
      if ["let", "var", "case", "return", "self", "super", "if", "for"].contains(word) {
        return nil
      }
    }
    return nil
  }

  private func name(after start: Int) -> String {
    let rest = code[start...].drop { $0 == 0x20 }
    return String(decoding: rest.prefix { $0 != 0x20 && $0 != 0x28 && $0 != 0x3c }, as: UTF8.self)
  }

  /// The opening brace of the body; nil for a requirement of a protocol.
  private func bodyStart(after start: Int) -> Int? {
    var depth = 0
    var at = start
    while at < code.count {
      switch code[at] {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "{") where depth == 0: return at
      case UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "}") where depth == 0: return nil
      case UInt8(ascii: "}"): depth -= 1
      case 0x0a where depth == 0 && startsDeclaration(at + 1): return nil
      default: break
      }
      at += 1
    }
    return nil
  }

  private func startsDeclaration(_ lineStart: Int) -> Bool {
    let rest = code[lineStart...].drop { $0 == 0x20 }
    let word = String(decoding: rest.prefix { $0.isNamePart }, as: UTF8.self)
    return [
      "func", "var", "let", "init", "static", "mutating", "associatedtype", "package", "public",
      "private", "internal", "subscript", "extension", "struct", "class", "enum", "protocol",
    ].contains(word)
  }

  private func closing(of brace: Int) -> Int? {
    var depth = 0
    for at in brace..<code.count {
      if code[at] == UInt8(ascii: "{") { depth += 1 }
      if code[at] == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { return at }
      }
    }
    return nil
  }
}
