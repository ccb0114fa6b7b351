import Model

/// A hash that is the same in every process, for phases and keys.
///
/// FNV-1a over the bytes with a final mix, so that its remainder by an interval is even.
package struct StableHash: Sendable {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  package mutating func combine(_ bytes: some Sequence<UInt8>) {
    for b in bytes { state = (state ^ UInt64(b)) &* 0x100_0000_01b3 }
    state = (state ^ 0xff) &* 0x100_0000_01b3
  }

  package mutating func combine(_ text: String) { combine(text.utf8) }

  package var value: UInt64 { SeededGenerator.mixed(state) }

  /// The hash of some texts, boundaries included.
  package static func of(_ texts: String...) -> UInt64 {
    var hash = StableHash()
    for text in texts { hash.combine(text) }
    return hash.value
  }

  /// A value as 16 hexadecimal digits.
  package static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
