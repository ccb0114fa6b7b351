import Model

/// Makes damaged inputs from good ones, byte by byte.
struct ByteMutator {
  var random: SeededGenerator
  /// Pieces that mean something in the language under test.
  let pieces: [[UInt8]]

  /// One of the texts with one to four damages; some also get a part of another text.
  mutating func mutant(of texts: [[UInt8]]) -> [UInt8] {
    var bytes = random.pick(texts)
    for _ in 0...random.pick(4) {
      let at = bytes.isEmpty ? 0 : random.pick(bytes.count)
      let end = min(bytes.count, at + 1 + random.pick(12))
      switch random.pick(8) {
      case 0: bytes.removeSubrange(at..<end)
      case 1: bytes.insert(contentsOf: Array(bytes[at..<end]), at: at)
      case 2 where !bytes.isEmpty: bytes[at] = UInt8(random.pick(256))
      case 3 where !bytes.isEmpty: bytes[at] ^= 1 << UInt8(random.pick(8))
      case 4: bytes.removeSubrange(at...)
      case 5:
        let other = random.pick(texts)
        let from = other.isEmpty ? 0 : random.pick(other.count)
        bytes.replaceSubrange(at..<end, with: other[from..<min(other.count, from + 40)])
      default: bytes.insert(contentsOf: random.pick(pieces), at: at)
      }
    }
    return bytes
  }
}
