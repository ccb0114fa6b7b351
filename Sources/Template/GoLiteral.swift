import Model

/// Go's literals: quoted strings, characters, numbers.
enum GoLiteral {
  /// `strconv.Unquote` for `"…"` and raw strings; nil for what is no literal.
  static func unquote(_ text: [UInt8]) -> [UInt8]? {
    guard text.count >= 2, let quote = text.first, quote == text.last else { return nil }
    let inner = text[1..<text.count - 1]
    if quote == UInt8(ascii: "`") {
      if inner.contains(quote) { return nil }
      return inner.filter { $0 != 0x0d }
    }
    var out: [UInt8] = []
    var rest = inner
    while let first = rest.first {
      if first == quote || first == 0x0a { return nil }
      if first != UInt8(ascii: "\\") {
        out.append(first)
        rest.removeFirst()
        continue
      }
      guard let escape = escape(&rest, quote: quote) else { return nil }
      switch escape {
      case .byte(let b): out.append(b)
      case .scalar(let scalar): out += scalar.utf8
      }
    }
    return out
  }

  /// The character of `'x'`; nil for what is none.
  static func character(_ text: [UInt8]) -> Unicode.Scalar? {
    guard text.count >= 3 else { return nil }
    var rest = text[1...]
    let scalar: Unicode.Scalar
    if rest.first == UInt8(ascii: "\\") {
      switch escape(&rest, quote: UInt8(ascii: "'")) {
      case .byte(let b): scalar = Unicode.Scalar(b)
      case .scalar(let s): scalar = s
      case nil: return nil
      }
    } else {
      guard rest.first != UInt8(ascii: "'"),
        let first = String(decoding: rest, as: UTF8.self).unicodeScalars.first
      else { return nil }
      scalar = first
      rest.removeFirst(UTF8.width(first))
    }
    return Array(rest) == [UInt8(ascii: "'")] ? scalar : nil
  }

  private enum Escape {
    case byte(UInt8)
    case scalar(Unicode.Scalar)
  }

  /// Reads the escape at the front.
  private static func escape(_ rest: inout ArraySlice<UInt8>, quote: UInt8) -> Escape? {
    rest.removeFirst()
    guard let c = rest.popFirst() else { return nil }
    switch c {
    case UInt8(ascii: "a"): return .byte(0x07)
    case UInt8(ascii: "b"): return .byte(0x08)
    case UInt8(ascii: "f"): return .byte(0x0c)
    case UInt8(ascii: "n"): return .byte(0x0a)
    case UInt8(ascii: "r"): return .byte(0x0d)
    case UInt8(ascii: "t"): return .byte(0x09)
    case UInt8(ascii: "v"): return .byte(0x0b)
    case UInt8(ascii: "\\"): return .byte(c)
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return c == quote ? .byte(c) : nil
    case UInt8(ascii: "x"):
      return digits(&rest, 2, radix: 16).map { .byte(UInt8(truncatingIfNeeded: $0)) }
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      return digits(&rest, c == UInt8(ascii: "u") ? 4 : 8, radix: 16)
        .flatMap(Unicode.Scalar.init).map { .scalar($0) }
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      guard let low = digits(&rest, 2, radix: 8) else { return nil }
      return UInt8(exactly: UInt32(c - 0x30) * 64 + low).map { .byte($0) }
    default: return nil
    }
  }

  private static func digits(
    _ rest: inout ArraySlice<UInt8>, _ count: Int, radix: Int
  ) -> UInt32? {
    guard rest.count >= count else { return nil }
    let text = rest.prefix(count)
    guard text.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else {
      return nil
    }
    rest.removeFirst(count)
    return UInt32(String(decoding: text, as: UTF8.self), radix: radix)
  }
}

extension NumberConstant {
  struct Problem: Error {
    var message: String
  }

  /// Reads a number or character token.
  init(_ token: TemplateToken) throws(Problem) {
    text = token.value.text
    switch token.kind {
    case .charConstant:
      guard let scalar = GoLiteral.character(token.value) else {
        throw Problem(message: Self.characterProblem(token.value))
      }
      int = Int64(scalar.value)
      uint = UInt64(scalar.value)
      float = Double(scalar.value)
    case .complex:
      // `1+2i`: the second sign parts the two.
      let split =
        text.utf8.dropFirst().lastIndex { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        ?? text.startIndex
      guard let real = GoNumber.parseFloat(String(text[..<split])).value,
        let imaginary = GoNumber.parseFloat(String(text[split...].dropLast())).value
      else { throw Problem(message: "illegal number syntax: \(GoText.quote(text))") }
      complex = (real, imaginary)
      simplifyComplex()
    default: try readNumber()
    }
  }

  private static func characterProblem(_ text: [UInt8]) -> String {
    // One readable character with more behind it is told apart from one that is none.
    var short = text
    while short.count > 3 {
      short.remove(at: short.count - 2)
      if GoLiteral.character(short) != nil {
        return "malformed character constant: \(text.text)"
      }
    }
    return "invalid syntax"
  }

  private mutating func readNumber() throws(Problem) {
    if text.hasSuffix("i"), let imaginary = GoNumber.parseFloat(String(text.dropLast())).value {
      complex = (0, imaginary)
      simplifyComplex()
      return
    }
    uint = GoNumber.parseUInt(text)
    int = GoNumber.parseInt(text)
    if int == 0 { uint = 0 }
    if let int {
      float = Double(int)
    } else if let uint {
      float = Double(uint)
    } else if let value = GoNumber.parseFloat(text).value {
      if !text.utf8.contains(where: { ".eEpP".utf8.contains($0) }) {
        throw Problem(message: "integer overflow: \(GoText.quote(text))")
      }
      float = value
      int = Int64(exactly: value)
      uint = UInt64(exactly: value)
    } else {
      throw Problem(message: "illegal number syntax: \(GoText.quote(text))")
    }
  }

  private mutating func simplifyComplex() {
    guard let complex, complex.imaginary == 0 else { return }
    float = complex.real
    int = Int64(exactly: complex.real)
    uint = UInt64(exactly: complex.real)
  }

  /// Whether the text, not the type it is wanted as, makes it a float.
  var readsAsFloat: Bool {
    let bytes = Array(text.utf8)
    if bytes.first == UInt8(ascii: "'") { return false }
    let isHex = bytes.count > 2 && bytes[0] == 0x30 && bytes[1] | 0x20 == UInt8(ascii: "x")
    let hasPower = bytes.contains { $0 | 0x20 == UInt8(ascii: "p") }
    if isHex && !hasPower { return false }
    return float != nil && bytes.contains { ".eEpP".utf8.contains($0) }
  }
}
