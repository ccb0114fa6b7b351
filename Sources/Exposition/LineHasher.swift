/// The hash by which a known line is recognised: 64 bits, keyed by a seed.
///
/// A line counts as known when length and hash agree; its bytes are not kept. Two lines of one
/// target that differ and agree in both come by chance once in some 10¹⁹ comparisons, and since
/// nobody outside knows the key, none can be made up.
struct LineHasher: Sendable {
  private let first: UInt64
  private let second: UInt64

  /// - Parameter seed: known to nobody outside where bodies come from strangers.
  init(seed: UInt64) {
    first = Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15)
    second = Self.mixed(first &+ 0x9e37_79b9_7f4a_7c15)
  }

  /// A word of which every bit depends on all of another.
  private static func mixed(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// The hash of some bytes: folded multiplications in two lanes of sixteen bytes.
  @inline(__always)
  func hash(_ text: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
    let raw = UnsafeRawPointer(text)
    var x = first &+ UInt64(truncatingIfNeeded: length) &* 0x9e37_79b9_7f4a_7c15
    var y = second
    var i = 0
    while i &+ 32 <= length {
      x = Self.fold(Self.word(raw, i) ^ first, Self.word(raw, i &+ 8) ^ x)
      y = Self.fold(Self.word(raw, i &+ 16) ^ second, Self.word(raw, i &+ 24) ^ y)
      i &+= 32
    }
    if length >= 16 {
      if i &+ 16 <= length {
        x = Self.fold(Self.word(raw, i) ^ first, Self.word(raw, i &+ 8) ^ x)
      }
      // The last sixteen bytes, some of them a second time.
      y = Self.fold(Self.word(raw, length &- 16) ^ second, Self.word(raw, length &- 8) ^ y)
    } else if length >= 8 {
      x = Self.fold(Self.word(raw, 0) ^ first, Self.word(raw, length &- 8) ^ x)
    } else {
      var short: UInt64 = 0
      while i < length {
        short = short &<< 8 | UInt64(text[i])
        i &+= 1
      }
      x = Self.fold(short ^ first, x)
    }
    return Self.fold(x ^ 0xa076_1d64_78bd_642f, y ^ 0xe703_7ed1_a0b4_28db)
  }

  @inline(__always)
  private static func word(_ raw: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return high ^ low
  }
}
