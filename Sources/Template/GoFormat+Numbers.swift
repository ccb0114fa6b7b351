import Model

extension GoFormat {
  // MARK: Integers

  mutating func formatInteger(
    _ magnitude: UInt64, negative: Bool, _ verb: Unicode.Scalar, of value: TemplateValue
  ) {
    switch verb {
    case "v":
      if flags.sharpV, case .uint = value {
        let saved = flags.sharp
        flags.sharp = true
        formatDigits(magnitude, negative: negative, radix: 16, verb: "x")
        flags.sharp = saved
      } else {
        formatDigits(magnitude, negative: negative, radix: 10, verb: verb)
      }
    case "d": formatDigits(magnitude, negative: negative, radix: 10, verb: verb)
    case "b": formatDigits(magnitude, negative: negative, radix: 2, verb: verb)
    case "o", "O": formatDigits(magnitude, negative: negative, radix: 8, verb: verb)
    case "x", "X": formatDigits(magnitude, negative: negative, radix: 16, verb: verb)
    case "c": pad(Array(Self.scalar(magnitude, negative).utf8))
    case "q": formatQuotedScalar(Self.scalar(magnitude, negative))
    case "U": formatUnicode(magnitude, negative: negative)
    default: badVerb(verb, value)
    }
  }

  private static func scalar(_ magnitude: UInt64, _ negative: Bool) -> Unicode.Scalar {
    guard !negative, let value = UInt32(exactly: magnitude) else { return "\u{fffd}" }
    return Unicode.Scalar(value) ?? "\u{fffd}"
  }

  private mutating func formatDigits(
    _ magnitude: UInt64, negative: Bool, radix: Int, verb: Unicode.Scalar
  ) {
    var wanted = 0
    if let precision = flags.precision {
      wanted = precision
      if precision == 0 && magnitude == 0 {
        let saved = flags.zero
        flags.zero = false
        pad("")
        flags.zero = saved
        return
      }
    } else if flags.zero, !flags.minus, let width = flags.width {
      wanted = width - (negative || flags.plus || flags.space ? 1 : 0)
    }
    var digits = String(magnitude, radix: radix, uppercase: verb == "X")
    digits = String(repeating: "0", count: max(0, wanted - digits.utf8.count)) + digits
    if flags.sharp {
      switch verb {
      case "b": digits = "0b" + digits
      case "o": if !digits.hasPrefix("0") { digits = "0" + digits }
      case "x": digits = "0x" + digits
      case "X": digits = "0X" + digits
      default: break
      }
    }
    if verb == "O" { digits = "0o" + digits }
    if negative {
      digits = "-" + digits
    } else if flags.plus {
      digits = "+" + digits
    } else if flags.space {
      digits = " " + digits
    }
    let saved = flags.zero
    flags.zero = false
    pad(digits)
    flags.zero = saved
  }

  private mutating func formatQuotedScalar(_ scalar: Unicode.Scalar) {
    let quoted = GoText.quote(scalar)
    pad(flags.plus ? Self.ascii(quoted) : quoted)
  }

  private mutating func formatUnicode(_ magnitude: UInt64, negative: Bool) {
    let value = negative ? 0 &- magnitude : magnitude
    let digits = String(value, radix: 16, uppercase: true)
    let wanted = max(4, flags.precision ?? 4)
    var text = "U+" + String(repeating: "0", count: max(0, wanted - digits.count)) + digits
    if flags.sharp, let small = UInt32(exactly: value), let scalar = Unicode.Scalar(small),
      GoText.isPrint(scalar)
    {
      text += " '\(scalar)'"
    }
    let saved = flags.zero
    flags.zero = false
    pad(text)
    flags.zero = saved
  }

  // MARK: Floats

  mutating func formatFloat(_ v: Double, _ verb: Unicode.Scalar, of value: TemplateValue) {
    switch verb {
    case "v": formatFloat(v, UInt8(ascii: "g"), precision: -1)
    case "b", "g", "G", "x", "X": formatFloat(v, UInt8(verb.value), precision: -1)
    case "f", "e", "E": formatFloat(v, UInt8(verb.value), precision: 6)
    case "F": formatFloat(v, UInt8(ascii: "f"), precision: 6)
    default: badVerb(verb, value)
    }
  }

  private mutating func formatFloat(_ v: Double, _ verb: UInt8, precision: Int) {
    let wanted = flags.precision ?? precision
    var text = GoFloat.text(v, verb, precision: wanted)
    var sign = "+"
    if let first = text.first, first == "-" || first == "+" { sign = String(text.removeFirst()) }
    if flags.space && sign == "+" && !flags.plus { sign = " " }
    if v.isNaN || v.isInfinite {
      let saved = flags.zero
      flags.zero = false
      // A sign for NaN only where one is asked for; infinities always show theirs.
      pad(v.isNaN && !flags.space && !flags.plus ? text : sign + text)
      flags.zero = saved
      return
    }
    if flags.sharp && verb != UInt8(ascii: "b") {
      text = Self.withPoint(
        text, verb, digits: flags.precision ?? (verb | 0x20 == 0x67 ? 6 : wanted))
    }
    guard flags.plus || sign != "+" else {
      pad(text)
      return
    }
    if flags.zero, !flags.minus, let width = flags.width, width > text.utf8.count + 1 {
      append(sign + String(repeating: "0", count: width - text.utf8.count - 1) + text)
    } else {
      pad(sign + text)
    }
  }

  /// `%#g` keeps the point and the zeros behind it.
  private static func withPoint(_ text: String, _ verb: UInt8, digits: Int) -> String {
    let mark = text.firstIndex { $0 == "e" || $0 == "E" || $0 == "p" || $0 == "P" }
    let split = mark ?? text.endIndex
    var body = String(text[..<split])
    if !body.contains(".") { body += "." }
    if verb | 0x20 == UInt8(ascii: "g") {
      var significant = 0
      var sawNonZero = false
      for c in body where c != "." {
        if c != "0" { sawNonZero = true }
        if sawNonZero { significant += 1 }
      }
      if !sawNonZero { significant = 1 }
      body += String(repeating: "0", count: max(0, digits - significant))
    }
    return body + text[split...]
  }

  mutating func formatComplex(
    _ real: Double, _ imaginary: Double, _ verb: Unicode.Scalar, of value: TemplateValue
  ) {
    guard "vbgGxXfFeE".unicodeScalars.contains(verb) else {
      badVerb(verb, value)
      return
    }
    append("(")
    formatFloat(real, verb, of: value)
    let saved = flags.plus
    flags.plus = true
    formatFloat(imaginary, verb, of: value)
    append("i)")
    flags.plus = saved
  }

  // MARK: Texts

  mutating func formatText(_ text: [UInt8], _ verb: Unicode.Scalar, of value: TemplateValue) {
    switch verb {
    case "v":
      if flags.sharpV { formatQuoted(text) } else { pad(truncated(text)) }
    case "s": pad(truncated(text))
    case "x", "X": formatHex(text, uppercase: verb == "X")
    case "q": formatQuoted(text)
    default: badVerb(verb, value)
    }
  }

  /// The text cut to the precision, which counts characters.
  private func truncated(_ text: [UInt8]) -> [UInt8] {
    guard let precision = flags.precision, text.count > precision else { return text }
    return text.withUnsafeBufferPointer { bytes in
      var i = 0
      var left = precision
      while i < bytes.count, left > 0 {
        i += GoText.scalarWidth(bytes, at: i)
        left -= 1
      }
      return Array(bytes[..<i])
    }
  }

  private mutating func formatQuoted(_ text: [UInt8]) {
    let text = truncated(text)
    if flags.sharp, Self.canBackquote(text.text) {
      pad([0x60] + text + [0x60])
    } else {
      let quoted = GoText.quote(bytes: text)
      pad(flags.plus ? Self.ascii(quoted) : quoted)
    }
  }

  /// Whether a text can stand between back quotes.
  static func canBackquote(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy {
      $0 != "`" && $0 != "\u{feff}" && $0 != "\u{7f}" && ($0.value >= 0x20 || $0 == "\t")
    }
  }

  /// Escapes what is not ASCII.
  private static func ascii(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if scalar.isASCII {
        out.unicodeScalars.append(scalar)
      } else {
        let digits = String(scalar.value, radix: 16)
        let width = scalar.value < 0x10000 ? 4 : 8
        out +=
          (width == 4 ? "\\u" : "\\U") + String(repeating: "0", count: width - digits.count)
          + digits
      }
    }
    return out
  }

  private mutating func formatHex(_ text: [UInt8], uppercase: Bool) {
    let bytes = flags.precision.map { text.prefix($0) } ?? text[...]
    let lead = flags.sharp ? (uppercase ? "0X" : "0x") : ""
    let parts = bytes.map { b in
      (b < 16 ? "0" : "") + String(b, radix: 16, uppercase: uppercase)
    }
    if parts.isEmpty {
      pad("")
    } else if flags.space {
      pad(parts.map { lead + $0 }.joined(separator: " "))
    } else {
      pad(lead + parts.joined())
    }
  }
}
