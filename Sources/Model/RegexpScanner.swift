/// A place in a pattern, with the small readers of the syntax: escapes, counts, named classes.
struct RegexpScanner {
  private let bytes: [UInt8]
  var position = 0

  init(_ pattern: String) { bytes = Array(pattern.utf8) }

  var end: Int { bytes.count }
  var all: Range<Int> { 0..<bytes.count }
  /// How many bytes are left.
  var rest: Int { bytes.count - position }
  var peek: UInt8? { peek(0) }

  func peek(_ ahead: Int) -> UInt8? {
    position + ahead < bytes.count ? bytes[position + ahead] : nil
  }

  func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { wanted in
      wanted.count <= rest && wanted.elementsEqual(bytes[position..<position + wanted.count])
    }
  }

  func index(of byte: UInt8) -> Int? { bytes[position...].firstIndex(of: byte) }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The error Go would report: a reason and the offending part.
  func problem(_ reason: String, _ range: Range<Int>) -> RegexpProblem {
    RegexpProblem("error parsing regexp: \(reason): `\(text(range))`")
  }

  /// Takes the next scalar; there must be one.
  mutating func next() -> Unicode.Scalar {
    precondition(position < bytes.count, "a scalar is taken only where one is left")
    let first = bytes[position]
    let width = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    let stop = min(position + width, bytes.count)
    let decoded = String(decoding: bytes[position..<stop], as: UTF8.self)
    position = stop
    return decoded.unicodeScalars.first ?? "\u{fffd}"
  }

  /// `{n}`, `{n,}`, `{n,m}`; counts too long to read come out larger than any limit.
  mutating func repeatCounts() -> (min: Int, max: Int?)? {
    position += 1
    guard let min = number() else { return nil }
    var max: Int? = min
    if peek == UInt8(ascii: ",") {
      position += 1
      if peek == UInt8(ascii: "}") {
        max = nil
      } else {
        guard let n = number() else { return nil }
        max = n
      }
    }
    guard peek == UInt8(ascii: "}") else { return nil }
    position += 1
    return (min, max)
  }

  /// A decimal number without leading zeros.
  private mutating func number() -> Int? {
    let start = position
    var n = 0
    while let b = peek, b >= 0x30, b <= 0x39 {
      n = min(n * 10 + Int(b - 0x30), 1_000_000_000)
      position += 1
    }
    if position == start || position > start + 1 && bytes[start] == 0x30 { return nil }
    return n
  }

  /// An escape that stands for one scalar.
  mutating func escape() throws(RegexpProblem) -> Unicode.Scalar {
    let start = position
    position += 1
    if peek == nil {
      throw RegexpProblem("error parsing regexp: trailing backslash at end of expression: ``")
    }
    let c = next()
    switch c {
    case "1"..."7":
      // A single digit would be a back reference, which this language has not.
      guard let b = peek, isOctal(b) else { break }
      return octal(c)
    case "0": return octal(c)
    case "x": if let scalar = hexadecimal() { return scalar }
    case "a": return "\u{07}"
    case "f": return "\u{0c}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "v": return "\u{0b}"
    default:
      if c.isASCII, !(c.properties.isAlphabetic || "0"..."9" ~= c) { return c }
    }
    throw problem("invalid escape sequence", start..<position)
  }

  private func isOctal(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x37 }

  private mutating func octal(_ first: Unicode.Scalar) -> Unicode.Scalar {
    var value = first.value - 0x30
    for _ in 0..<2 {
      guard let b = peek, isOctal(b) else { break }
      value = value * 8 + UInt32(b - 0x30)
      position += 1
    }
    return Unicode.Scalar(value) ?? "\u{fffd}"
  }

  /// `41` or `{1F600}` behind `\x`; nil leaves the position behind what was read, for the error
  /// text.
  private mutating func hexadecimal() -> Unicode.Scalar? {
    if peek == nil { return nil }
    let first = next()
    if first != "{" {
      let high = first.hexDigit
      if peek == nil { return nil }
      let low = next().hexDigit
      guard let high, let low else { return nil }
      return Unicode.Scalar(high * 16 + low)
    }
    var value: UInt32 = 0
    var digits = 0
    while peek != nil {
      let c = next()
      if c == "}" { return digits > 0 ? Unicode.Scalar(value) : nil }
      guard let digit = c.hexDigit else { return nil }
      value = value * 16 + digit
      if value > 0x10ffff { return nil }
      digits += 1
    }
    return nil
  }

  /// `\d`, `\D`, `\s`, `\S`, `\w` or `\W`.
  mutating func perlClass() -> String? {
    guard peek == UInt8(ascii: "\\"), let c = peek(1),
      "dDsSwW".utf8.contains(c)
    else { return nil }
    position += 2
    return text(position - 2..<position)
  }

  /// `\pL`, `\P{Greek}`, `\p{^Lu}`, by any spelling of the name that Go accepts.
  mutating func unicodeClass() throws(RegexpProblem) -> String? {
    guard peek == UInt8(ascii: "\\"), let kind = peek(1),
      kind == UInt8(ascii: "p") || kind == UInt8(ascii: "P"), rest > 2
    else { return nil }
    let start = position
    var negated = kind == UInt8(ascii: "P")
    var name: String
    if peek(2) == UInt8(ascii: "{") {
      guard let close = index(of: UInt8(ascii: "}")) else {
        throw problem("invalid character class range", start..<end)
      }
      name = text(start + 3..<close)
      position = close + 1
    } else {
      position += 2
      name = String(Character(next()))
    }
    if name.hasPrefix("^") {
      negated.toggle()
      name.removeFirst()
    }
    guard let text = RegexpUnicodeNames.classText(name, negated: negated) else {
      throw problem("invalid character class range", start..<position)
    }
    return text
  }
}

extension Unicode.Scalar {
  fileprivate var hexDigit: UInt32? {
    switch self {
    case "0"..."9": value - 0x30
    case "a"..."f": value - 0x61 + 10
    case "A"..."F": value - 0x41 + 10
    default: nil
    }
  }
}
