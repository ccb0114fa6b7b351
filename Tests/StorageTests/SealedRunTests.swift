import Model
import TestSupport
import Testing

@testable import Storage

/// Sealed cells come back bit for bit, and their summary is that of the cells.
@Suite struct SealedRunTests {
  /// Seals and reads cells; compares bits and summary.
  private func roundTrip(_ cells: [Double], _ scratch: SealScratch) -> Bool {
    var writer = ByteWriter(capacity: 64)
    defer { writer.deallocate() }
    let summary = SealedRun.encode(cells, cells.count, scratch: scratch, into: &writer)
    let expected = Self.summary(cells)
    let isEmpty = cells.allSatisfy {
      $0.bitPattern == Cell.absent || $0.bitPattern == Cell.elsewhere
    }
    guard let summary else { return isEmpty && writer.count == 0 }
    writer.reserve(8)
    var out = [Double](repeating: 7, count: cells.count)
    SealedRun.decode(writer.base, cells.count, packed: scratch.packed, into: &out)
    let same = zip(cells, out).allSatisfy {
      let bits = $0.bitPattern == Cell.elsewhere ? Cell.absent : $0.bitPattern
      return bits == $1.bitPattern
    }
    return same && summary == expected
      && (expected.count == 0 || SealedRun.summary(writer.base, cells.count) == expected)
      && writer.count <= SealedRun.bound(cells.count)
  }

  /// The summary by its definition.
  private static func summary(_ cells: [Double]) -> SealSummary {
    var s = SealSummary()
    let values = cells.enumerated().filter { !Cell.isSpecial($0.element.bitPattern) }
    s.hasStale = cells.contains { $0.bitPattern == Cell.stale }
    s.hasAbsent = cells.contains {
      $0.bitPattern == Cell.absent || $0.bitPattern == Cell.elsewhere
    }
    guard let first = values.first, let last = values.last else { return s }
    s.count = values.count
    s.first = first.element
    s.last = last.element
    s.firstIndex = first.offset
    s.lastIndex = last.offset
    s.min = first.element
    s.max = first.element
    for (a, b) in zip(values, values.dropFirst()) {
      let (a, b) = (a.element, b.element)
      if b < a {
        s.resets += 1
        s.correction += a
      }
      if a != b && !(a.isNaN && b.isNaN) { s.changes += 1 }
      if b < s.min || s.min.isNaN { s.min = b }
      if b > s.max || s.max.isNaN { s.max = b }
    }
    for value in values { SealSummary.add(value.element, &s.sum, &s.compensation) }
    return s
  }

  @Test func everyShortSequence() {
    let alphabet: [UInt64] = [
      Cell.absent, Cell.stale, Cell.elsewhere, 0, (1.0).bitPattern, (-0.0).bitPattern,
      SpecialValue.normalBits, (0.5).bitPattern, (1e300).bitPattern,
    ]
    let scratch = SealScratch(capacity: 8)
    for length in 1...5 {
      var digits = [Int](repeating: 0, count: length)
      var isDone = false
      while !isDone {
        let cells = digits.map { Double(bitPattern: alphabet[$0]) }
        if !roundTrip(cells, scratch) {
          Issue.record("\(cells.map { String($0.bitPattern, radix: 16) })")
          return
        }
        var i = 0
        while i < length, digits[i] == alphabet.count - 1 {
          digits[i] = 0
          i += 1
        }
        if i == length { isDone = true } else { digits[i] += 1 }
      }
    }
  }

  @Test(arguments: 0..<40)
  func randomSequences(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let scratch = SealScratch(capacity: 300)
    for _ in 0..<60 {
      let n = Int(random.next() % 300) + 1
      let kind = random.next() % 9
      let gaps = random.next() % 3 == 0
      var value = Double(random.next() % 1_000_000)
      let cells = (0..<n).map { _ -> Double in
        if gaps && random.next() % 9 == 0 {
          return Double(bitPattern: [Cell.absent, Cell.stale][Int(random.next() % 2)])
        }
        switch kind {
        case 0: break
        case 1: value += Double(random.next() % 300)
        case 2: value = random.next() % 50 == 0 ? 0 : value + Double(random.next() % 7)
        case 3: value = ((value + Double(random.next() % 777) / 100) * 100).rounded() / 100
        case 4: value = Double(random.next() % 1_000_000) * 4096
        case 5: value = Double(bitPattern: random.next())
        case 6: value = Double(random.next() >> 11) / 9_007_199_254_740_992
        case 7: value = Double(Int64(bitPattern: random.next()) >> 12)
        default: value = Double(random.next() % 3) * 1e-9
        }
        return Cell.isSpecial(value.bitPattern) ? 0 : value
      }
      #expect(roundTrip(cells, scratch), "seed \(seed) kind \(kind) n \(n)")
    }
  }

  @Test func everyPackedWidth() {
    let scratch = SealScratch(capacity: 100)
    for width in 0...52 {
      for n in [1, 2, 7, 8, 9, 63, 64, 65, 100] {
        let top = width == 0 ? 0.0 : Double((1 << width) - 1)
        let cells = (0..<n).map { Double($0 % 2) * top + Double($0 % 3 == 0 ? 1 : 0) }
        #expect(roundTrip(cells, scratch), "width \(width) n \(n)")
      }
    }
  }

  @Test func typicalDataIsSmall() {
    let scratch = SealScratch(capacity: 64)
    func size(_ cells: [Double]) -> Int {
      var writer = ByteWriter(capacity: 64)
      defer { writer.deallocate() }
      _ = SealedRun.encode(cells, cells.count, scratch: scratch, into: &writer)
      return writer.count
    }
    #expect(size([Double](repeating: 42, count: 64)) <= 16)
    #expect(size((0..<64).map { Double($0 * 15) }) <= 64)
    #expect(size((0..<64).map { Double($0 * 37 % 100 + $0 * 100) }) <= 130)
  }
}
