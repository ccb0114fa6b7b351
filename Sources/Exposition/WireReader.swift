/// Why bytes are no message of the protobuf wire format.
package struct WireProblem: Error, Sendable, Equatable {
  package let message: String

  init(_ message: String) { self.message = message }

  static let truncated = WireProblem("the message is truncated")
}

/// Reads the fields of one protobuf message: never beyond its end, whatever the bytes say.
///
/// The messages of a scrape are read where they lie: a target's samples cost no objects of their
/// own, and the bytes of a label set are compared, not decoded, as long as they are known.
struct WireReader {
  /// The types of fields on the wire; groups have been out of use since proto3.
  enum Kind: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  /// A field's number and type.
  struct Tag {
    let field: UInt32
    let kind: Kind
  }

  private let all: UnsafeBufferPointer<UInt8>
  private var at = 0
  private let end: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    all = bytes
    end = bytes.count
  }

  var isAtEnd: Bool { at >= end }
  var rest: Int { end - at }

  /// The next field's number and type; nil at the end.
  @inline(__always)
  mutating func tag() throws(WireProblem) -> Tag? {
    if at >= end { return nil }
    let first = all[at]
    var raw = UInt64(first)
    if first < 0x80 { at += 1 } else { raw = try varint() }
    guard let kind = Kind(rawValue: UInt8(raw & 7)) else {
      throw WireProblem("the field type \(raw & 7) is unknown")
    }
    guard raw >> 3 > 0, raw >> 3 < 1 << 29 else { throw WireProblem("a field number is invalid") }
    return Tag(field: UInt32(raw >> 3), kind: kind)
  }

  /// A number of seven bits a byte.
  @inline(__always)
  mutating func varint() throws(WireProblem) -> UInt64 {
    if at < end, all[at] < 0x80 {
      at += 1
      return UInt64(all[at - 1])
    }
    return try longVarint()
  }

  @inline(never)
  private mutating func longVarint() throws(WireProblem) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard at < end else { throw .truncated }
      let byte = all[at]
      at += 1
      // The tenth byte has room for a single bit.
      if shift == 63 && byte > 1 { throw WireProblem("a number is longer than 64 bits") }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  /// A number of zigzag form (`sint32`, `sint64`).
  mutating func zigzag() throws(WireProblem) -> Int64 {
    let raw = try varint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// Eight bytes as a number.
  @inline(__always)
  mutating func double() throws(WireProblem) -> Double {
    guard end - at >= 8 else { throw .truncated }
    let bits = UnsafeRawBufferPointer(all).loadUnaligned(fromByteOffset: at, as: UInt64.self)
    at += 8
    return Double(bitPattern: UInt64(littleEndian: bits))
  }

  /// The content of a field with a length.
  @inline(__always)
  mutating func bytes() throws(WireProblem) -> UnsafeBufferPointer<UInt8> {
    let count = try varint()
    guard count <= UInt64(end - at) else { throw .truncated }
    let content = UnsafeBufferPointer(rebasing: all[at..<(at + Int(count))])
    at += Int(count)
    return content
  }

  /// A field of a message's type.
  @inline(__always)
  mutating func message() throws(WireProblem) -> WireReader { WireReader(try bytes()) }

  /// A field's text; nil where it is not UTF-8.
  mutating func text() throws(WireProblem) -> String? {
    String(validating: try bytes(), as: UTF8.self)
  }

  /// Passes over a field that nobody reads.
  mutating func skip(_ kind: Kind) throws(WireProblem) {
    switch kind {
    case .varint: _ = try varint()
    case .bytes: _ = try bytes()
    case .fixed64, .fixed32:
      let width = kind == .fixed64 ? 8 : 4
      guard end - at >= width else { throw .truncated }
      at += width
    }
  }

  /// Refuses a field whose type is not the one its number demands.
  @inline(__always)
  static func expect(_ tag: Tag, _ kind: Kind) throws(WireProblem) {
    if tag.kind != kind { throw WireProblem("field \(tag.field) has the wrong type") }
  }

  /// Hands on the numbers of a repeated field, packed or one by one.
  mutating func forEach(
    _ tag: Tag, of kind: Kind, _ take: (inout WireReader) throws(WireProblem) -> Void
  ) throws(WireProblem) {
    if tag.kind == .bytes {
      var packed = try message()
      while !packed.isAtEnd { try take(&packed) }
    } else {
      try Self.expect(tag, kind)
      try take(&self)
    }
  }
}
