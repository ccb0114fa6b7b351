import Model

/// Go's `strconv` parsers.
enum GoNumber {
  /// `strconv.ParseInt(text, 0, 64)`: sign, base prefix, underscores; nil on any error.
  static func parseInt(_ text: String) -> Int64? {
    var bytes = Array(text.utf8)[...]
    let negative = bytes.first == UInt8(ascii: "-")
    if negative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
    guard let magnitude = magnitude(bytes) else { return nil }
    if negative {
      return magnitude > UInt64(Int64.max) + 1 ? nil : Int64(truncatingIfNeeded: 0 &- magnitude)
    }
    return Int64(exactly: magnitude)
  }

  /// `strconv.ParseUint(text, 0, 64)`; nil on any error.
  static func parseUInt(_ text: String) -> UInt64? { magnitude(Array(text.utf8)[...]) }

  private static func magnitude(_ bytes: ArraySlice<UInt8>) -> UInt64? {
    guard underscoresFit(Array(bytes)) else { return nil }
    var bytes = bytes
    var radix = 10
    if bytes.count > 1, bytes.first == 0x30 {
      bytes.removeFirst()
      radix = 8
      let letters: [UInt8: Int] = [0x78: 16, 0x6f: 8, 0x62: 2]
      if let first = bytes.first, let base = letters[first | 0x20] {
        radix = base
        bytes.removeFirst()
      }
    }
    let digits = bytes.filter { $0 != UInt8(ascii: "_") }
    guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else {
      return nil
    }
    return UInt64(String(decoding: digits, as: UTF8.self), radix: radix)
  }

  /// Whether underscores stand only between digits, or between a base prefix and a digit.
  private static func underscoresFit(_ text: [UInt8]) -> Bool {
    var rest = text[...]
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    var isHex = false
    var afterDigit = false
    var afterUnderscore = false
    if rest.count >= 2, rest.first == 0x30, let second = rest.dropFirst().first,
      "box".utf8.contains(second | 0x20)
    {
      isHex = second | 0x20 == UInt8(ascii: "x")
      afterDigit = true
      rest = rest.dropFirst(2)
    }
    for b in rest {
      if b == UInt8(ascii: "_") {
        if !afterDigit { return false }
        (afterDigit, afterUnderscore) = (false, true)
      } else if isDigit(b, hex: isHex) {
        (afterDigit, afterUnderscore) = (true, false)
      } else {
        if afterUnderscore { return false }
        afterDigit = false
      }
    }
    return !afterUnderscore
  }

  /// `strconv.ParseFloat(text, 64)`: the value, or what is wrong with the text.
  static func parseFloat(_ text: String) -> (value: Double?, problem: String) {
    func refuse(_ reason: String) -> (Double?, String) {
      (nil, "strconv.ParseFloat: parsing \(GoText.quote(text)): \(reason)")
    }
    let lower = text.lowercased()
    switch lower {
    case "nan": return (SpecialValue.nan, "")
    case "inf", "+inf", "infinity", "+infinity": return (.infinity, "")
    case "-inf", "-infinity": return (-.infinity, "")
    default: break
    }
    guard let plain = floatText(Array(lower.utf8)), let value = Double(plain) else {
      return refuse("invalid syntax")
    }
    return value.isInfinite ? refuse("value out of range") : (value, "")
  }

  /// The text without underscores if it has Go's form of a float, else nil.
  private static func floatText(_ bytes: [UInt8]) -> String? {
    guard underscoresFit(bytes) else { return nil }
    var rest = bytes.filter { $0 != UInt8(ascii: "_") }[...]
    var out: [UInt8] = []
    if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      out.append(sign)
      rest.removeFirst()
    }
    let isHex = rest.starts(with: Array("0x".utf8))
    if isHex {
      out += "0x".utf8
      rest = rest.dropFirst(2)
    }
    let whole = rest.prefix { isDigit($0, hex: isHex) }
    rest = rest.dropFirst(whole.count)
    var fraction: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      fraction = rest.dropFirst().prefix { isDigit($0, hex: isHex) }
      rest = rest.dropFirst(1 + fraction.count)
    }
    if whole.isEmpty && fraction.isEmpty { return nil }
    // Swift wants a digit on both sides of the dot.
    out += whole.isEmpty ? [0x30] : whole
    if !fraction.isEmpty { out += [UInt8(ascii: ".")] + fraction }
    guard let mark = rest.popFirst() else {
      return isHex ? nil : String(decoding: out, as: UTF8.self)
    }
    guard mark == (isHex ? UInt8(ascii: "p") : UInt8(ascii: "e")) else { return nil }
    out.append(mark)
    if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      out.append(sign)
      rest.removeFirst()
    }
    guard !rest.isEmpty, rest.allSatisfy({ isDigit($0, hex: false) }) else { return nil }
    return String(decoding: out + rest, as: UTF8.self)
  }

  private static func isDigit(_ b: UInt8, hex: Bool) -> Bool {
    b >= 0x30 && b <= 0x39 || hex && (b | 0x20) >= 0x61 && (b | 0x20) <= 0x66
  }
}
