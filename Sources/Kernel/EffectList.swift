import Model

/// The effects of one event in the order in which they were decided.
struct EffectList {
  private(set) var effects: [Effect] = []

  mutating func append(_ effect: Effect) { effects.append(effect) }

  mutating func log(
    _ level: LogRecord.Level, _ component: String, _ message: String,
    _ fields: [(name: String, value: String)] = []
  ) {
    effects.append(.log(LogRecord(level, component, message, fields)))
  }
}
