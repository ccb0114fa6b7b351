/// Why bytes are no Snappy block.
package struct SnappyProblem: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String
}

/// Snappy's block format: what remote write sends.
package enum Snappy {
  /// The decoded bytes; a block that says it is longer than `limit` is not begun.
  package static func decode(
    _ block: [UInt8], limit: Int
  ) throws(SnappyProblem) -> [UInt8] {
    var at = 0
    var length = 0
    var shift = 0
    repeat {
      guard at < block.count, shift < 35 else { throw corrupt }
      length |= Int(block[at] & 0x7f) << shift
      shift += 7
      at += 1
    } while block[at - 1] >= 0x80
    guard length <= limit else {
      throw SnappyProblem(description: "snappy: the block is longer than \(limit) bytes")
    }
    var isGood = false
    let out = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      isGood = block.withUnsafeBufferPointer { decode($0, from: at, into: buffer, length) }
      count = isGood ? length : 0
    }
    if !isGood { throw corrupt }
    return out
  }

  private static let corrupt = SnappyProblem(description: "snappy: corrupt input")

  /// Carries out the elements of a block; false where they do not fill the output exactly.
  private static func decode(
    _ block: UnsafeBufferPointer<UInt8>, from start: Int,
    into out: UnsafeMutableBufferPointer<UInt8>,
    _ length: Int
  ) -> Bool {
    var at = start
    var filled = 0
    while at < block.count {
      let tag = Int(block[at])
      at += 1
      if tag & 3 == 0 {
        guard let count = literalLength(tag, block, &at), count <= block.count - at,
          count <= length - filled, let from = block.baseAddress, let to = out.baseAddress
        else { return false }
        (to + filled).update(from: from + at, count: count)
        at += count
        filled += count
        continue
      }
      let extra = tag & 3 == 1 ? 1 : tag & 3 == 2 ? 2 : 4
      guard block.count - at >= extra else { return false }
      var offset = 0
      for i in 0..<extra { offset |= Int(block[at + i]) << (8 * i) }
      at += extra
      var count = (tag >> 2) + 1
      if extra == 1 {
        count = ((tag >> 2) & 7) + 4
        offset |= (tag >> 5) << 8
      }
      guard offset > 0, offset <= filled, count <= length - filled else { return false }
      // Byte by byte: the piece may overlap what it makes.
      for i in filled..<(filled + count) { out[i] = out[i - offset] }
      filled += count
    }
    return filled == length
  }

  private static func literalLength(
    _ tag: Int, _ block: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) -> Int? {
    let short = tag >> 2
    if short < 60 { return short + 1 }
    let extra = short - 59
    guard block.count - at >= extra else { return nil }
    var length = 0
    for i in 0..<extra { length |= Int(block[at + i]) << (8 * i) }
    at += extra
    return length + 1
  }
}
