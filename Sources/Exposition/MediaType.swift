/// The media type of a Content-Type header, read as Go's `mime.ParseMediaType` does.
enum MediaType {
  struct Problem: Error {
    var text: String
  }

  /// The lower-case `type/subtype`, or why the header is malformed.
  static func parse(_ header: String) -> Result<String, Problem> {
    let bytes = Array(header.utf8)
    let end = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.count
    let name = trimmed(bytes[..<end])
    if let problem = checkName(name) { return .failure(Problem(text: problem)) }
    var rest = bytes[end...]
    var seen: Set<String> = []
    while true {
      rest = rest.drop(while: isSpace)
      if rest.isEmpty { break }
      guard let (key, remainder) = parameter(rest) else {
        // A lone semicolon at the end is let through.
        if String(decoding: trimmed(rest), as: UTF8.self) == ";" { break }
        return .failure(Problem(text: "mime: invalid media parameter"))
      }
      if !seen.insert(key).inserted {
        return .failure(Problem(text: "mime: duplicate parameter name"))
      }
      rest = remainder
    }
    return .success(lowercased(name))
  }

  private static func checkName(_ name: ArraySlice<UInt8>) -> String? {
    var rest = name.drop(while: isToken)
    if rest.startIndex == name.startIndex { return "mime: no media type" }
    if rest.isEmpty { return nil }
    guard rest.first == UInt8(ascii: "/") else { return "mime: expected slash after first token" }
    rest = rest.dropFirst()
    let subtype = rest.prefix(while: isToken)
    if subtype.isEmpty { return "mime: expected token after slash" }
    return rest.count > subtype.count ? "mime: unexpected content after media subtype" : nil
  }

  /// One `; key=value`, and what follows it.
  private static func parameter(
    _ text: ArraySlice<UInt8>
  ) -> (key: String, rest: ArraySlice<UInt8>)? {
    guard text.first == UInt8(ascii: ";") else { return nil }
    var rest = text.dropFirst().drop(while: isSpace)
    let key = rest.prefix(while: isToken)
    if key.isEmpty { return nil }
    rest = rest.dropFirst(key.count).drop(while: isSpace)
    guard rest.first == Byte.equal else { return nil }
    rest = rest.dropFirst().drop(while: isSpace)
    if rest.first == Byte.quote {
      var i = rest.startIndex + 1
      while i < rest.endIndex, rest[i] != Byte.quote {
        if rest[i] == Byte.newline || rest[i] == 0x0d { return nil }
        i += rest[i] == Byte.backslash ? 2 : 1
      }
      guard i < rest.endIndex else { return nil }
      return (lowercased(key), rest[(i + 1)...])
    }
    let value = rest.prefix(while: isToken)
    if value.isEmpty { return nil }
    return (lowercased(key), rest.dropFirst(value.count))
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text.drop(while: isSpace)
    while let last = text.last, isSpace(last) { text.removeLast() }
    return text
  }

  private static func lowercased(_ text: ArraySlice<UInt8>) -> String {
    String(decoding: text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  private static func isSpace(_ c: UInt8) -> Bool { c == 0x20 || (c >= 0x09 && c <= 0x0d) }

  private static func isToken(_ c: UInt8) -> Bool {
    c > 0x20 && c < 0x7f && !"()<>@,;:\\\"/[]?=".utf8.contains(c)
  }
}
