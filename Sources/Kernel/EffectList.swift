import Model

/// The effects of one event in the order in which they were decided.
struct EffectList {
  private(set) var effects: [Effect] = []
  /// What the journal shall remember; without a time of its own it happened now.
  private(set) var records: [(time: Timestamp?, event: JournalEntry.Event)] = []

  mutating func append(_ effect: Effect) { effects.append(effect) }

  mutating func insert(_ effect: Effect, at place: Int) { effects.insert(effect, at: place) }

  /// Whether there are requests to receivers from a place on.
  func delivers(from place: Int) -> Bool {
    effects[place...].contains { if case .deliver = $0 { true } else { false } }
  }

  /// Remembers something in the journal.
  mutating func record(_ event: JournalEntry.Event, at time: Timestamp? = nil) {
    records.append((time, event))
  }

  /// The records so far; they are gone then.
  mutating func takeRecords() -> [(time: Timestamp?, event: JournalEntry.Event)] {
    defer { records = [] }
    return records
  }

  /// Writes a failed scrape down in the file that was named for it.
  mutating func append(failure: String, job: String, target: String, to file: String) {
    var record = LogRecord(
      .error, "scrape", failure, [("job_name", job), ("target", target)])
    record.file = file
    effects.append(.log(record))
  }

  mutating func log(
    _ level: LogRecord.Level, _ component: String, _ message: String,
    _ fields: [(name: String, value: String)] = []
  ) {
    effects.append(.log(LogRecord(level, component, message, fields)))
  }
}
