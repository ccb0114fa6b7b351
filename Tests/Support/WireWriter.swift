/// Writes protobuf messages for tests: what a client library would send.
package struct WireWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package init(_ build: (inout WireWriter) -> Void) { build(&self) }

  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func integer(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  package mutating func signed(_ field: UInt64, _ value: Int64) {
    integer(field, UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  package mutating func double(_ field: UInt64, _ value: Double) {
    varint(field << 3 | 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func raw(_ field: UInt64, _ content: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes += content
  }

  package mutating func text(_ field: UInt64, _ value: String) { raw(field, Array(value.utf8)) }

  package mutating func message(_ field: UInt64, _ build: (inout WireWriter) -> Void) {
    raw(field, WireWriter(build).bytes)
  }

  package mutating func packed(_ field: UInt64, _ values: [UInt64]) {
    raw(field, WireWriter { out in for value in values { out.varint(value) } }.bytes)
  }

  package mutating func packed(_ field: UInt64, zigzag values: [Int64]) {
    packed(field, values.map { UInt64(bitPattern: ($0 << 1) ^ ($0 >> 63)) })
  }

  /// Appends a message with its length before it.
  package mutating func delimited(_ build: (inout WireWriter) -> Void) {
    let content = WireWriter(build).bytes
    varint(UInt64(content.count))
    bytes += content
  }
}
