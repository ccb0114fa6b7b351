/// Writes JSON bytes in the order given: no dictionary, no reflection, no Foundation.
///
/// The caller opens and closes containers; commas are placed by the writer. Texts are UTF-8 and
/// stay UTF-8 (`{"摘要":"连接池"}`, never `\u8fde`). Go's HTML escapes (`\u003c`) are written when asked
/// for, since Alertmanager's and Prometheus' encoders do so.
package struct JSONWriter {
  package private(set) var bytes: [UInt8] = []
  private var needsComma = false
  private let escapesHTML: Bool

  package init(escapesHTML: Bool = false) { self.escapesHTML = escapesHTML }

  /// The document as text.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Writes `{ … }`.
  package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    open(UInt8(ascii: "{"))
    try body(&self)
    close(UInt8(ascii: "}"))
  }

  /// Writes `[ … ]`.
  package mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    open(UInt8(ascii: "["))
    try body(&self)
    close(UInt8(ascii: "]"))
  }

  /// Writes a key; the value must follow.
  package mutating func key(_ name: String) {
    comma()
    quoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ value: String) {
    comma()
    quoted(value)
    needsComma = true
  }

  package mutating func int(_ value: some BinaryInteger) { raw(String(value)) }

  package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  package mutating func null() { raw("null") }

  /// Writes text that is JSON already (a number in a layout of the caller's choosing).
  package mutating func raw(_ json: String) {
    comma()
    bytes.append(contentsOf: json.utf8)
    needsComma = true
  }

  /// Writes bytes that are one JSON value already.
  package mutating func raw(bytes json: [UInt8]) {
    comma()
    bytes.append(contentsOf: json)
    needsComma = true
  }

  private mutating func open(_ bracket: UInt8) {
    comma()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func quoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    let start = bytes.count
    for b in text.utf8 {
      switch b {
      case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
      case 0x0a: bytes.append(contentsOf: "\\n".utf8)
      case 0x0d: bytes.append(contentsOf: "\\r".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0x08: bytes.append(contentsOf: "\\b".utf8)
      case 0x0c: bytes.append(contentsOf: "\\f".utf8)
      case 0..<0x20: escape(b)
      case UInt8(ascii: "<") where escapesHTML, UInt8(ascii: ">") where escapesHTML,
        UInt8(ascii: "&") where escapesHTML:
        escape(b)
      // U+2028 and U+2029, E2 80 A8 and E2 80 A9: line ends to JavaScript, which Go escapes too.
      case 0xa8 where escapesHTML && follows(0xe2, 0x80, since: start): separator("8")
      case 0xa9 where escapesHTML && follows(0xe2, 0x80, since: start): separator("9")
      default: bytes.append(b)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private func follows(_ a: UInt8, _ b: UInt8, since start: Int) -> Bool {
    bytes.count >= start + 2 && bytes[bytes.count - 2] == a && bytes[bytes.count - 1] == b
  }

  private mutating func separator(_ digit: String) {
    bytes.removeLast(2)
    bytes.append(contentsOf: ("\\u202" + digit).utf8)
  }

  private mutating func escape(_ b: UInt8) {
    let hex = String(b, radix: 16)
    bytes.append(contentsOf: ("\\u00" + (hex.utf8.count < 2 ? "0" : "") + hex).utf8)
  }
}

extension JSONWriter {
  /// Writes `"name": "value"`.
  package mutating func field(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  package mutating func field(_ name: String, int value: some BinaryInteger) {
    key(name)
    int(value)
  }

  package mutating func field(_ name: String, bool value: Bool) {
    key(name)
    bool(value)
  }

  package mutating func field(_ name: String, raw value: String) {
    key(name)
    raw(value)
  }
}
