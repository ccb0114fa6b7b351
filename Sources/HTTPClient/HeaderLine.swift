/// One line of a response's head, taken apart without making text of it.
struct HeaderLine {
  /// The part in front of the colon.
  let name: UnsafeRawBufferPointer
  /// The part behind it without blanks around.
  let value: UnsafeRawBufferPointer

  /// Nil for a line without a colon.
  init?(_ line: UnsafeRawBufferPointer) {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    name = UnsafeRawBufferPointer(rebasing: line[..<colon])
    value = Self.trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))
  }

  /// Whether this is the header; `other` in lower case.
  func isNamed(_ other: StaticString) -> Bool { Self.same(name, other) }

  /// Whether the value is this word in whatever case; `other` in lower case.
  func has(value other: StaticString) -> Bool { Self.same(value, other) }

  /// The value as a number without a sign.
  var number: Int? { Self.number(value) }

  /// The value as text.
  var text: String { String(decoding: value, as: UTF8.self) }

  /// Bytes without blanks and line ends around.
  static func trimmed(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (low, high) = (0, text.count)
    while low < high, text[low] <= 0x20 { low += 1 }
    while high > low, text[high - 1] <= 0x20 { high -= 1 }
    return UnsafeRawBufferPointer(rebasing: text[low..<high])
  }

  /// Digits as a number.
  static func number(_ text: UnsafeRawBufferPointer) -> Int? {
    guard !text.isEmpty, text.count < 19 else { return nil }
    var number = 0
    for c in text {
      guard c >= 0x30, c <= 0x39 else { return nil }
      number = number * 10 + Int(c - 0x30)
    }
    return number
  }

  private static func same(_ bytes: UnsafeRawBufferPointer, _ other: StaticString) -> Bool {
    guard bytes.count == other.utf8CodeUnitCount else { return false }
    for i in 0..<bytes.count {
      let c = bytes[i]
      if (c >= 0x41 && c <= 0x5a ? c | 0x20 : c) != other.utf8Start[i] { return false }
    }
    return true
  }
}
