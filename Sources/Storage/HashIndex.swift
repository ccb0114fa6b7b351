/// Finds numbers by the hash of what they stand for: open addressing, each number in the first free
/// cell from the one its hash names.
struct HashIndex {
  /// Number + 1 per cell, zero for an empty one; a power of two.
  private var cells: [UInt32]

  /// Makes an empty index; `size` is a power of two.
  init(size: Int) { cells = [UInt32](repeating: 0, count: size) }

  /// Cells, used or not.
  var size: Int { cells.count }
  var byteCount: Int { cells.count * MemoryLayout<UInt32>.stride }

  /// The first number under a hash, or under one that shares its cells, that is the wanted one.
  @inline(__always)
  func find(_ hash: UInt32, where isWanted: (UInt32) -> Bool) -> UInt32? {
    let mask = cells.count - 1
    var at = Int(hash) & mask
    while cells[at] != 0 {
      let number = cells[at] - 1
      if isWanted(number) { return number }
      at = (at + 1) & mask
    }
    return nil
  }

  /// Adds a number that is not there; the caller keeps cells free.
  mutating func insert(_ number: UInt32, hash: UInt32) {
    let mask = cells.count - 1
    var at = Int(hash) & mask
    while cells[at] != 0 { at = (at + 1) & mask }
    cells[at] = number + 1
  }

  /// Removes a number that is there; `hash` tells those of its neighbours.
  mutating func remove(_ number: UInt32, hash: (UInt32) -> UInt32) {
    let mask = cells.count - 1
    var at = Int(hash(number)) & mask
    while cells[at] != number + 1 { at = (at + 1) & mask }
    // Close the hole: move back what would no longer be found.
    var hole = at
    cells[hole] = 0
    at = (at + 1) & mask
    while cells[at] != 0 {
      let home = Int(hash(cells[at] - 1)) & mask
      if (at - home) & mask >= (at - hole) & mask {
        cells[hole] = cells[at]
        cells[at] = 0
        hole = at
      }
      at = (at + 1) & mask
    }
  }
}
