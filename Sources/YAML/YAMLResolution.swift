/// The value a scalar stands for, by the rules of the YAML reader Prometheus uses.
///
/// A mixture of YAML 1.1 and 1.2: `0o17` and `017` are both octal, underscores may split digits,
/// and the
/// old booleans (`yes`, `on`) are texts except where a boolean is asked for.
package enum YAMLValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  /// Beyond `Int`, within 64 bits.
  case unsigned(UInt64)
  case float(Double)
  case text
  case binary
}

extension YAMLNode {
  /// The value of a scalar; nil for a collection, or when a tag promises what the text is not.
  package var resolved: YAMLValue? {
    guard case .scalar(let text, let style) = content.kind else { return nil }
    let short = content.tag.map(Self.shortTag)
    switch short {
    case "!!str", "!": return .text
    case "!!binary": return .binary
    case "!!null": return Self.resolvePlain(text) == .null ? .null : nil
    case "!!bool":
      if case .bool = Self.resolvePlain(text) { return Self.resolvePlain(text) }
      return nil
    case "!!int":
      switch Self.resolvePlain(text) {
      case .int, .unsigned: return Self.resolvePlain(text)
      default: return nil
      }
    case "!!float":
      switch Self.resolvePlain(text) {
      case .float(let v): return .float(v)
      case .int(let v): return .float(Double(v))
      case .unsigned(let v): return .float(Double(v))
      default: return nil
      }
    case nil: return style == .plain ? Self.resolvePlain(text) : .text
    default: return .text
    }
  }

  /// The tag as people write it: `!!int`.
  package static func shortTag(_ tag: String) -> String {
    let prefix = "tag:yaml.org,2002:"
    return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
  }

  /// Whether the node is the key `<<` that merges other mappings in.
  package var isMergeKey: Bool {
    guard case .scalar(let text, let style) = kind, text == "<<" else { return false }
    guard let tag else { return style == .plain }
    return tag == "!" || Self.shortTag(tag) == "!!merge"
  }

  private static func resolvePlain(_ text: String) -> YAMLValue {
    // Only these bytes begin anything but a text.
    if let first = text.utf8.first, !isDigit(first), !"~nNtTfF.+-_".utf8.contains(first) {
      return .text
    }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .float(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .float(-.infinity)
    default: return number(text) ?? .text
    }
  }

  private static func number(_ text: String) -> YAMLValue? {
    let plain = text.utf8.filter { $0 != 0x5f }
    guard let first = plain.first, first == 0x2b || first == 0x2d || first == 0x2e || isDigit(first)
    else { return nil }
    if let whole = integer(plain) { return whole }
    return isDecimal(plain)
      ? Double(String(decoding: plain, as: UTF8.self)).map(YAMLValue.float) : nil
  }

  private static func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }

  private static func integer(_ bytes: [UInt8]) -> YAMLValue? {
    var digits = bytes[...]
    let negative = digits.first == 0x2d
    if negative || digits.first == 0x2b { digits = digits.dropFirst() }
    var radix = 10
    if digits.count > 1, digits.first == 0x30 {
      switch digits[digits.startIndex + 1] | 0x20 {
      case 0x78: radix = 16
      case 0x6f: radix = 8
      case 0x62: radix = 2
      default: radix = 0
      }
      if radix == 0 { radix = 8 } else { digits = digits.dropFirst(2) }
    }
    guard let head = digits.first, head != 0x2b, head != 0x2d,
      let size = UInt64(String(decoding: digits, as: UTF8.self), radix: radix)
    else { return nil }
    if negative {
      if size == UInt64(Int.max) + 1 { return .int(.min) }
      return size <= UInt64(Int.max) ? .int(-Int(size)) : nil
    }
    return size <= UInt64(Int.max) ? .int(Int(size)) : .unsigned(size)
  }

  /// Whether the text is a decimal number: digits, perhaps a fraction, perhaps an exponent.
  private static func isDecimal(_ bytes: [UInt8]) -> Bool {
    var i = 0
    func digits() -> Int {
      let start = i
      while i < bytes.count, isDigit(bytes[i]) { i += 1 }
      return i - start
    }
    if bytes[0] == 0x2b || bytes[0] == 0x2d { i = 1 }
    let whole = digits()
    var fraction = 0
    if i < bytes.count, bytes[i] == 0x2e {
      i += 1
      fraction = digits()
    }
    if whole == 0 && fraction == 0 { return false }
    if i < bytes.count, bytes[i] | 0x20 == 0x65 {
      i += 1
      if i < bytes.count, bytes[i] == 0x2b || bytes[i] == 0x2d { i += 1 }
      if digits() == 0 { return false }
    }
    return i == bytes.count
  }
}
