/// Texts laid out as Go's standard library does, which Prometheus' interfaces expose.
package enum GoText {
  /// `strconv.Quote`: double quotes, escapes for control and non-printing characters.
  package static func quote(_ text: String) -> String {
    // Nearly every text is plain ASCII with nothing to escape.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }) {
      return "\"" + text + "\""
    }
    var out = "\""
    for scalar in text.unicodeScalars { append(scalar, to: &out, quote: "\"") }
    return out + "\""
  }

  /// `strconv.Quote` of bytes that may not be UTF-8: a byte that belongs to no character prints as
  /// `\xff`.
  package static func quote(bytes: some Sequence<UInt8>) -> String {
    var out = "\""
    var rest = Array(bytes)[...]
    while let first = rest.first {
      var decoder = UTF8()
      var iterator = rest.makeIterator()
      if case .scalarValue(let scalar) = decoder.decode(&iterator) {
        append(scalar, to: &out, quote: "\"")
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        out += "\\x" + hex(UInt32(first), 2)
        rest = rest.dropFirst()
      }
    }
    return out + "\""
  }

  /// `strconv.QuoteRune`: single quotes.
  package static func quote(_ scalar: Unicode.Scalar) -> String {
    var out = "'"
    append(scalar, to: &out, quote: "'")
    return out + "'"
  }

  private static func append(
    _ scalar: Unicode.Scalar, to out: inout String, quote: Unicode.Scalar
  ) {
    switch scalar {
    case quote, "\\":
      out += "\\"
      out.unicodeScalars.append(scalar)
    case "\u{07}": out += "\\a"
    case "\u{08}": out += "\\b"
    case "\u{0c}": out += "\\f"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case "\u{0b}": out += "\\v"
    default:
      if isPrint(scalar) {
        out.unicodeScalars.append(scalar)
      } else if scalar.value < 0x80 {
        out += "\\x" + hex(scalar.value, 2)
      } else if scalar.value < 0x10000 {
        out += "\\u" + hex(scalar.value, 4)
      } else {
        out += "\\U" + hex(scalar.value, 8)
      }
    }
  }

  /// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
  package static func isPrint(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }

  private static func hex(_ value: UInt32, _ width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension GoText {
  /// Go's `unicode.IsLetter`.
  package static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 {
      let lower = scalar.value | 0x20
      return lower >= 0x61 && lower <= 0x7a
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return true
    default: return false
    }
  }

  /// Go's `unicode.IsDigit`: decimal digits of any script.
  package static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return scalar.value >= 0x30 && scalar.value <= 0x39 }
    return scalar.properties.generalCategory == .decimalNumber
  }

  /// Go's `unicode.ToLower`: one scalar for one.
  package static func lowercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    if scalar == "\u{130}" { return "i" }
    return single(scalar.properties.lowercaseMapping) ?? scalar
  }

  /// Go's `unicode.ToUpper`: one scalar for one; ß stays.
  package static func uppercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    // Where the full mapping is longer, the simple one is the title case (ᾳ → ᾼ) or none (ß).
    single(scalar.properties.uppercaseMapping) ?? titlecased(scalar)
  }

  /// Go's `unicode.ToTitle`: one scalar for one.
  package static func titlecased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    single(scalar.properties.titlecaseMapping) ?? scalar
  }

  /// Go's `strings.ToLower`.
  package static func lowercased(_ text: String) -> String { mapping(text) { lowercased($0) } }

  /// Go's `strings.ToUpper`.
  package static func uppercased(_ text: String) -> String { mapping(text) { uppercased($0) } }

  private static func mapping(
    _ text: String, _ map: (Unicode.Scalar) -> Unicode.Scalar
  ) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { out.append(map(scalar)) }
    return String(out)
  }

  private static func single(_ text: String) -> Unicode.Scalar? {
    let scalars = text.unicodeScalars
    return scalars.count == 1 ? scalars.first : nil
  }

  /// Bytes of the scalar at an offset; 1 where the bytes are no UTF-8.
  package static func scalarWidth(_ text: UnsafeBufferPointer<UInt8>, at i: Int) -> Int {
    let first = text[i]
    if first < 0xc2 || first > 0xf4 { return 1 }
    let width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    if i + width > text.count { return 1 }
    for j in 1..<width where text[i + j] & 0xc0 != 0x80 { return 1 }
    switch (first, text[i + 1]) {
    case (0xe0, ..<0xa0), (0xed, 0xa0...), (0xf0, ..<0x90), (0xf4, 0x90...): return 1
    default: return width
    }
  }
}
