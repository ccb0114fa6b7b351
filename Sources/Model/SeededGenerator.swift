/// A small random source that a seed replays exactly, on every machine (SplitMix64).
///
/// The only randomness of the pure rooms: whoever needs chance is handed a seed.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mixed(state)
  }

  /// A number below `n`.
  package mutating func pick(_ n: Int) -> Int { Int(next() % UInt64(n)) }

  /// Spreads every bit over all bits; different inputs stay different.
  package static func mixed(_ bits: UInt64) -> UInt64 {
    var z = bits
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
