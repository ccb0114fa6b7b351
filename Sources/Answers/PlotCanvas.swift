/// A field of terminal cells, each with 2 × 4 dots.
struct PlotCanvas {
  let width: Int
  let height: Int
  /// The dots of each cell as the bits of Unicode's braille patterns.
  private var dots: [UInt8]
  /// Which series set a dot of the cell last.
  private var owners: [Int?]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    dots = Array(repeating: 0, count: width * height)
    owners = Array(repeating: nil, count: width * height)
  }

  /// Bits by row and column within a cell.
  private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  /// Sets a dot; `y` counts from the bottom.
  mutating func set(x: Int, y: Int, owner: Int) {
    guard x >= 0, x < width * 2, y >= 0, y < height * 4 else { return }
    let fromTop = height * 4 - 1 - y
    let cell = fromTop / 4 * width + x / 2
    dots[cell] |= Self.bits[fromTop % 4][x % 2]
    owners[cell] = owner
  }

  /// Sets the dots of a straight line.
  mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int), owner: Int) {
    let steps = max(abs(b.x - a.x), abs(b.y - a.y), 1)
    for i in 0...steps {
      let part = Double(i) / Double(steps)
      set(
        x: a.x + Int((Double(b.x - a.x) * part).rounded()),
        y: a.y + Int((Double(b.y - a.y) * part).rounded()), owner: owner)
    }
  }

  /// The cells of a row from the top; nil where it is empty.
  func row(_ row: Int) -> [(pattern: Unicode.Scalar, owner: Int)?] {
    (0..<width).map { column in
      let cell = row * width + column
      guard let owner = owners[cell], let scalar = Unicode.Scalar(0x2800 + UInt32(dots[cell]))
      else { return nil }
      return (scalar, owner)
    }
  }
}
