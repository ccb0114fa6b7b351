import GRDB
import Kernel
import Model

/// How much of what happened is kept.
package struct HistoryRetention: Sendable {
  package var entries = 100_000
  package var age = PromDuration.days(30)
  /// Of the entries' texts.
  package var bytes = 64 << 20

  package init() {}
}

/// How much of what happened a file holds.
struct HistorySize {
  var entries = 0
  var bytes = 0
  var oldest: Int64?
  var isKnown = true
}

extension StateFile {
  static func write(_ entries: [JournalEntry], known: inout Ledger, _ db: Database) throws {
    if entries.isEmpty { return }
    let insert = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)")
    for entry in entries {
      let kind: HistoryFilter.Kind
      let scope: String
      let subject: String
      let body: String
      switch entry.event {
      case .transition(let record):
        (kind, scope) = (.transition, record.group)
        subject = record.labels.value(of: LabelName.alertName)
        body = try StoredJSON.text(record)
      case .delivery(let record):
        (kind, scope, subject) = (.delivery, record.group, record.receiver)
        body = try StoredJSON.text(record)
      }
      let size = body.utf8.count + scope.utf8.count + subject.utf8.count
      try insert.execute(
        arguments: [
          Int64(entry.sequence), entry.time.milliseconds, kind.rawValue, scope, subject, size,
          body,
        ])
      known.history.entries += 1
      known.history.bytes += size
      known.history.oldest = min(known.history.oldest ?? .max, entry.time.milliseconds)
    }
  }

  static func historySize(_ db: Database) throws -> HistorySize {
    let row = try Row.fetchOne(
      db,
      sql: "SELECT count(*) AS entries, total(size) AS bytes, min(time) AS oldest FROM journal")
    guard let row else { return HistorySize() }
    return HistorySize(
      entries: row["entries"], bytes: Int(row["bytes"] as Double), oldest: row["oldest"])
  }

  /// Deletes the oldest entries while there are too many, or they are too large or too old.
  static func trimHistory(
    to retention: HistoryRetention, now: Timestamp, known: inout Ledger, _ db: Database
  ) throws {
    if !known.history.isKnown { known.history = try historySize(db) }
    let horizon = (now - retention.age).milliseconds
    while known.history.entries > retention.entries || known.history.bytes > retention.bytes {
      let share = max(1, min(1_000, known.history.entries / 8))
      try db.execute(
        sql: """
          DELETE FROM journal WHERE sequence IN
            (SELECT sequence FROM journal ORDER BY sequence LIMIT ?)
          """, arguments: [share])
      if db.changesCount == 0 { return }
      known.history = try historySize(db)
    }
    // Not for every single entry that comes of age.
    if let oldest = known.history.oldest, oldest < horizon - 600_000 {
      try db.execute(sql: "DELETE FROM journal WHERE time < ?", arguments: [horizon])
      known.history = try historySize(db)
    }
  }

  static func lastSequence(_ db: Database) throws -> UInt64? {
    try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM journal").map { UInt64($0) }
  }

  /// The stored entries that a filter lets through, by ascending number.
  package func entries(matching filter: HistoryFilter) async throws -> [JournalEntry] {
    if filter.limit <= 0 || filter.kinds.isEmpty { return [] }
    let (condition, arguments) = Self.condition(filter)
    let order = filter.after == nil ? "DESC" : "ASC"
    let sql = """
      SELECT sequence, time, kind, body FROM journal WHERE \(condition) ORDER BY sequence \(order)
      """
    let found = try await database.read { db in
      var found: [JournalEntry] = []
      let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
      while found.count < filter.limit, let row = try rows.next() {
        let entry = try Self.entry(row)
        if filter.accepts(entry) { found.append(entry) }
      }
      return found
    }
    return filter.after == nil ? found.reversed() : found
  }

  /// What the database can tell of a filter; the rest is the filter's own to check.
  private static func condition(_ filter: HistoryFilter) -> (String, StatementArguments) {
    var terms = ["1"]
    var arguments = StatementArguments()
    func add(_ term: String, _ value: some DatabaseValueConvertible) {
      terms.append(term)
      arguments += [value]
    }
    if let after = filter.after { add("sequence > ?", Int64(clamping: after)) }
    if let before = filter.before { add("sequence < ?", Int64(clamping: before)) }
    if let from = filter.from { add("time >= ?", from.milliseconds) }
    if let through = filter.through { add("time <= ?", through.milliseconds) }
    if filter.kinds.count == 1, let kind = filter.kinds.first { add("kind = ?", kind.rawValue) }
    if let group = filter.group { add("scope = ?", group) }
    if let receiver = filter.receiver { add("kind = 'delivery' AND subject = ?", receiver) }
    if let alert = filter.alert { add("(kind = 'delivery' OR subject = ?)", alert) }
    return (terms.joined(separator: " AND "), arguments)
  }

  private static func entry(_ row: Row) throws -> JournalEntry {
    let event: JournalEntry.Event
    if row["kind"] == HistoryFilter.Kind.transition.rawValue {
      event = .transition(try StoredJSON.value(row["body"]))
    } else {
      event = .delivery(try StoredJSON.value(row["body"]))
    }
    return JournalEntry(
      sequence: UInt64(row["sequence"] as Int64), time: Timestamp(milliseconds: row["time"]),
      event: event)
  }
}
