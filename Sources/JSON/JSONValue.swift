/// A JSON document in memory; members keep their order, numbers keep their text.
package indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  /// The number as written, so that no digit is lost.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  /// The member of an object, or nil.
  package subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The element of an array, or nil.
  package subscript(index: Int) -> JSONValue? {
    guard case .array(let items) = self, items.indices.contains(index) else { return nil }
    return items[index]
  }

  package var string: String? {
    if case .string(let s) = self { return s }
    return nil
  }

  package var bool: Bool? {
    if case .bool(let b) = self { return b }
    return nil
  }

  package var double: Double? {
    if case .number(let text) = self { return Double(text) }
    return nil
  }

  package var int: Int? {
    guard case .number(let text) = self else { return nil }
    return Int(text) ?? Double(text).flatMap { Int(exactly: $0.rounded()) }
  }

  package var array: [JSONValue]? {
    if case .array(let items) = self { return items }
    return nil
  }

  package var object: [(key: String, value: JSONValue)]? {
    if case .object(let members) = self { return members }
    return nil
  }

  package var isNull: Bool {
    if case .null = self { return true }
    return false
  }
}

/// Why a text is not JSON, and where.
package struct JSONProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String
  /// Byte offset of the problem.
  package let offset: Int

  package var description: String { "\(message) at byte \(offset)" }
}

extension JSONValue {
  /// Reads one document; nesting beyond 512 levels is refused.
  package init(parsing bytes: some Collection<UInt8>) throws(JSONProblem) {
    var reader = JSONReader(bytes: Array(bytes))
    self = try reader.document()
  }

  package init(parsing text: String) throws(JSONProblem) { try self.init(parsing: text.utf8) }
}

private struct JSONReader {
  let bytes: [UInt8]
  var i = 0
  var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONProblem) -> JSONValue {
    let value = try value()
    skipBlanks()
    if i < bytes.count { throw problem("unexpected text after the document") }
    return value
  }

  private func problem(_ message: String) -> JSONProblem {
    JSONProblem(message: message, offset: i)
  }

  private mutating func skipBlanks() {
    while i < bytes.count,
      bytes[i] == 0x20 || bytes[i] == 0x0a || bytes[i] == 0x0d || bytes[i] == 0x09
    {
      i += 1
    }
  }

  private mutating func value() throws(JSONProblem) -> JSONValue {
    skipBlanks()
    guard i < bytes.count else { throw problem("unexpected end") }
    switch bytes[i] {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func enter() throws(JSONProblem) {
    depth += 1
    if depth > 512 { throw problem("nested too deeply") }
    i += 1
  }

  private mutating func object() throws(JSONProblem) -> JSONValue {
    try enter()
    var members: [(key: String, value: JSONValue)] = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return finish(.object(members)) }
    while true {
      skipBlanks()
      guard i < bytes.count, bytes[i] == UInt8(ascii: "\"") else { throw problem("expected a key") }
      let key = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw problem("expected ':'") }
      members.append((key, try value()))
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw problem("expected ',' or '}'") }
      return finish(.object(members))
    }
  }

  private mutating func array() throws(JSONProblem) -> JSONValue {
    try enter()
    var items: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return finish(.array(items)) }
    while true {
      items.append(try value())
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw problem("expected ',' or ']'") }
      return finish(.array(items))
    }
  }

  private mutating func finish(_ value: JSONValue) -> JSONValue {
    depth -= 1
    return value
  }

  private mutating func take(_ b: UInt8) -> Bool {
    guard i < bytes.count, bytes[i] == b else { return false }
    i += 1
    return true
  }

  private mutating func word(_ text: String, _ value: JSONValue) throws(JSONProblem) -> JSONValue {
    guard bytes[i...].starts(with: text.utf8) else { throw problem("expected a value") }
    i += text.utf8.count
    return value
  }

  private mutating func number() throws(JSONProblem) -> JSONValue {
    let start = i
    _ = take(UInt8(ascii: "-"))
    try digits()
    if take(UInt8(ascii: ".")) { try digits() }
    if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
      i += 1
      if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") { i += 1 }
      try digits()
    }
    return .number(String(decoding: bytes[start..<i], as: UTF8.self))
  }

  private mutating func digits() throws(JSONProblem) {
    let start = i
    while i < bytes.count, bytes[i] >= 0x30, bytes[i] <= 0x39 { i += 1 }
    if i == start { throw problem("expected a value") }
  }

  private mutating func string() throws(JSONProblem) -> String {
    i += 1
    var out: [UInt8] = []
    while i < bytes.count {
      let b = bytes[i]
      if b == UInt8(ascii: "\"") {
        i += 1
        return String(decoding: out, as: UTF8.self)
      }
      if b == UInt8(ascii: "\\") {
        try escape(into: &out)
      } else if b < 0x20 {
        throw problem("control character in a string")
      } else {
        out.append(b)
        i += 1
      }
    }
    throw problem("string without an end")
  }

  private mutating func escape(into out: inout [UInt8]) throws(JSONProblem) {
    i += 1
    guard i < bytes.count else { throw problem("string without an end") }
    let b = bytes[i]
    i += 1
    switch b {
    case UInt8(ascii: "n"): out.append(0x0a)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "r"): out.append(0x0d)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0c)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(b)
    case UInt8(ascii: "u"):
      var unit = try hexUnit()
      if unit & 0xfc00 == 0xd800, i + 1 < bytes.count, bytes[i] == UInt8(ascii: "\\"),
        bytes[i + 1] == UInt8(ascii: "u")
      {
        let mark = i
        i += 2
        let low = try hexUnit()
        if low & 0xfc00 == 0xdc00 {
          unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
        } else {
          i = mark
        }
      }
      out.append(contentsOf: String(Unicode.Scalar(unit) ?? "\u{fffd}").utf8)
    default: throw problem("unknown escape")
    }
  }

  private mutating func hexUnit() throws(JSONProblem) -> UInt32 {
    guard i + 4 <= bytes.count,
      let unit = UInt32(String(decoding: bytes[i..<(i + 4)], as: UTF8.self), radix: 16)
    else { throw problem("bad \\u escape") }
    i += 4
    return unit
  }
}
