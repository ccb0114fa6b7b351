import Model

extension SeededGenerator {
  /// The numbers of one round: rounds do not depend on each other, so any can be replayed alone.
  init(seed: UInt64, round: UInt64) {
    self.init(seed: seed &+ round &* 0xd134_2543_de82_ef95)
    _ = next()
  }

  mutating func pick<T>(_ choices: [T]) -> T { choices[pick(choices.count)] }
}
