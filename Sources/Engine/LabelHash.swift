import Model

/// The 64-bit xxHash of a label set in Prometheus' own layout, which decides what `limit_ratio`
/// picks.
enum LabelHash {
  private static let p1: UInt64 = 0x9e37_79b1_85eb_ca87
  private static let p2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
  private static let p3: UInt64 = 0x1656_67b1_9e37_79f9
  private static let p4: UInt64 = 0x85eb_ca77_c2b2_ae63
  private static let p5: UInt64 = 0x27d4_eb2f_1656_67c5

  static func hash(_ labels: LabelSet) -> UInt64 {
    var bytes: [UInt8] = []
    labels.forEachRaw { name, value in
      append(name, to: &bytes)
      append(value, to: &bytes)
    }
    return hash(bytes)
  }

  /// One length byte, or 255 and three of them, and the text.
  private static func append(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    if text.count < 255 {
      bytes.append(UInt8(text.count))
    } else {
      bytes.append(255)
      for shift in [0, 8, 16] { bytes.append(UInt8(truncatingIfNeeded: text.count >> shift)) }
    }
    bytes.append(contentsOf: text)
  }

  static func hash(_ bytes: [UInt8]) -> UInt64 {
    var i = 0
    var h: UInt64
    if bytes.count >= 32 {
      var lanes = (p1 &+ p2, p2, UInt64(0), 0 &- p1)
      while bytes.count - i >= 32 {
        lanes.0 = round(lanes.0, word(bytes, i))
        lanes.1 = round(lanes.1, word(bytes, i + 8))
        lanes.2 = round(lanes.2, word(bytes, i + 16))
        lanes.3 = round(lanes.3, word(bytes, i + 24))
        i += 32
      }
      h = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        h = (h ^ round(0, lane)) &* p1 &+ p4
      }
    } else {
      h = p5
    }
    h = h &+ UInt64(bytes.count)
    return finish(h, bytes, i)
  }

  private static func finish(_ start: UInt64, _ bytes: [UInt8], _ from: Int) -> UInt64 {
    var h = start
    var i = from
    while bytes.count - i >= 8 {
      h = rotate(h ^ round(0, word(bytes, i)), 27) &* p1 &+ p4
      i += 8
    }
    if bytes.count - i >= 4 {
      let half = (0..<4).reduce(UInt64(0)) { $0 | UInt64(bytes[i + $1]) << UInt64(8 * $1) }
      h = rotate(h ^ (half &* p1), 23) &* p2 &+ p3
      i += 4
    }
    while i < bytes.count {
      h = rotate(h ^ (UInt64(bytes[i]) &* p5), 11) &* p1
      i += 1
    }
    h = (h ^ (h >> 33)) &* p2
    h = (h ^ (h >> 29)) &* p3
    return h ^ (h >> 32)
  }

  private static func word(_ bytes: [UInt8], _ i: Int) -> UInt64 {
    (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[i + $1]) << UInt64(8 * $1) }
  }

  private static func round(_ acc: UInt64, _ input: UInt64) -> UInt64 {
    rotate(acc &+ input &* p2, 31) &* p1
  }

  private static func rotate(_ v: UInt64, _ n: UInt64) -> UInt64 { v << n | v >> (64 - n) }
}
