import Kernel
import Model

/// Dice without memory: what falls at a place depends on the seed and the place alone.
///
/// So a world from which some incidents are taken away stays the same everywhere else, and a
/// failing world can be made smaller.
struct Chance: Sendable {
  let seed: UInt64

  /// Dice of their own for one part of the world.
  func of(_ part: String) -> Chance { Chance(seed: seed ^ StableHash.of(part)) }

  func of(_ number: Int) -> Chance {
    Chance(seed: SeededGenerator.mixed(seed &+ UInt64(bitPattern: Int64(number)) &* Self.odd))
  }

  func bits(_ place: Int64, _ other: Int64 = 0) -> UInt64 {
    let first = SeededGenerator.mixed(seed &+ UInt64(bitPattern: place) &* Self.odd)
    return SeededGenerator.mixed(first ^ (UInt64(bitPattern: other) &* Self.odd))
  }

  /// A number in `0 ..< sides`.
  func roll(_ sides: Int, _ place: Int64, _ other: Int64 = 0) -> Int {
    Int(bits(place, other) % UInt64(sides))
  }

  /// Whether something happens that happens `percent` times in a hundred.
  func happens(_ percent: Int, _ place: Int64, _ other: Int64 = 0) -> Bool {
    roll(100, place, other) < percent
  }

  func pick<T>(_ items: [T], _ place: Int64, _ other: Int64 = 0) -> T {
    items[roll(items.count, place, other)]
  }

  private static let odd: UInt64 = 0x9e37_79b9_7f4a_7c15
}

extension SeededGenerator {
  /// Whether something happens that happens `percent` times in a hundred.
  mutating func happens(_ percent: Int) -> Bool { pick(100) < percent }

  mutating func element<T>(of items: [T]) -> T { items[pick(items.count)] }

  /// A duration of whole milliseconds in `least ..< most`.
  mutating func duration(_ least: PromDuration, _ most: PromDuration) -> PromDuration {
    least + .milliseconds(Int64(pick(Int(max(1, (most - least).milliseconds)))))
  }
}
