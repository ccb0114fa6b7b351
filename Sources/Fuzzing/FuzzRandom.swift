/// Random numbers that a seed repeats on every machine (SplitMix64).
package struct FuzzRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// The numbers of one round: rounds do not depend on each other, so any can be replayed alone.
  init(seed: UInt64, round: UInt64) {
    state = seed &+ round &* 0xd134_2543_de82_ef95
    _ = next()
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number below `n`.
  mutating func pick(_ n: Int) -> Int { Int(next() % UInt64(n)) }

  mutating func pick<T>(_ choices: [T]) -> T { choices[pick(choices.count)] }
}
