import GRDB
import JSON
import Kernel
import Model
import Rules

/// What is wrong with a state file, in words for the log.
package struct StateFileProblem: Error, Sendable, CustomStringConvertible {
  /// Whether another file in its place would do: this one is damaged, or not ours.
  package var isTheFile: Bool
  package var description: String

  init(isTheFile: Bool = false, _ description: String) {
    self.isTheFile = isTheFile
    self.description = description
  }

  init(_ error: any Error) {
    if let problem = error as? StateFileProblem {
      self = problem
    } else if let error = error as? DatabaseError {
      let code = error.resultCode
      isTheFile = code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
      description = Self.words(for: code) ?? error.message ?? "\(code)"
    } else {
      isTheFile = false
      description = "\(error)"
    }
  }

  private static func words(for code: ResultCode) -> String? {
    switch code {
    case .SQLITE_BUSY, .SQLITE_LOCKED: "another process has it open"
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: "it is damaged, or no state file"
    default: nil
    }
  }
}

/// The SQLite file that carries alert state over a restart.
///
/// One table, rewritten in one transaction per checkpoint: after `kill -9` the file holds the last
/// whole one. Write-ahead logging keeps a checkpoint to one synchronous write. One process at a
/// time holds the file.
package final class StateFile: Sendable {
  /// `TOCS`: marks the file as ours.
  private static let applicationID: Int32 = 0x544f_4353

  private let database: DatabaseQueue

  /// Opens or creates the file; one that is damaged or foreign is a problem for the caller to set
  /// aside.
  package init(path: String) throws(StateFileProblem) {
    do {
      var configuration = GRDB.Configuration()
      configuration.prepareDatabase { db in
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
      }
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.write { db in try Self.claim(db) }
      let migrations = Self.migrations
      if try database.read({ try migrations.hasBeenSuperseded($0) }) {
        throw StateFileProblem(isTheFile: true, "it was written by a newer Tocsin")
      }
      try migrations.migrate(database)
    } catch {
      throw StateFileProblem(error)
    }
  }

  /// Marks a new file; refuses one that somebody else filled.
  private static func claim(_ db: Database) throws {
    if try Int32.fetchOne(db, sql: "PRAGMA application_id") == applicationID { return }
    if try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") != 0 {
      throw StateFileProblem(isTheFile: true, "it is the database of another program")
    }
    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
  }

  private static var migrations: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("alerts") { db in
      try db.create(table: "alert") { table in
        table.column("group", .text).notNull()
        table.column("rule", .text).notNull()
        table.column("ordinal", .integer).notNull()
        table.column("labels", .text).notNull()
        table.column("annotations", .text).notNull()
        table.column("state", .text).notNull()
        table.column("value", .text).notNull()
        table.column("active_at", .integer).notNull()
        table.column("fired_at", .integer)
        table.column("resolved_at", .integer)
        table.column("last_sent_at", .integer)
        table.column("valid_until", .integer)
        table.column("keep_firing_since", .integer)
      }
      try db.create(table: "checkpoint") { table in
        table.column("time", .integer).notNull()
      }
    }
    return migrator
  }

  /// Replaces what is saved.
  package func save(_ checkpoint: AlertCheckpoint) throws(StateFileProblem) {
    do {
      try database.write { db in
        try db.execute(sql: "DELETE FROM alert")
        try db.execute(sql: "DELETE FROM checkpoint")
        try db.execute(
          sql: "INSERT INTO checkpoint VALUES (?)", arguments: [checkpoint.time.milliseconds])
        let insert = try db.makeStatement(
          sql: "INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        for rule in checkpoint.rules {
          for alert in rule.alerts { try insert.execute(arguments: Self.row(alert, of: rule)) }
        }
      }
    } catch {
      throw StateFileProblem(error)
    }
  }

  /// What was saved last; nil if nothing was.
  package func load() throws(StateFileProblem) -> AlertCheckpoint? {
    do {
      return try database.read { db in
        guard let time = try Int64.fetchOne(db, sql: "SELECT time FROM checkpoint") else {
          return nil
        }
        var rules: [RuleCheckpoint] = []
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM alert ORDER BY rowid")
        while let row = try rows.next() {
          let alert = try Self.alert(row)
          if let last = rules.last, last.group == row["group"], last.rule == row["rule"],
            last.ordinal == row["ordinal"]
          {
            rules[rules.count - 1].alerts.append(alert)
          } else {
            rules.append(
              RuleCheckpoint(
                group: row["group"], rule: row["rule"], ordinal: row["ordinal"], alerts: [alert]))
          }
        }
        return AlertCheckpoint(time: Timestamp(milliseconds: time), rules: rules)
      }
    } catch {
      throw StateFileProblem(error)
    }
  }

  private static func row(_ alert: AlertInstance, of rule: RuleCheckpoint) -> StatementArguments {
    [
      rule.group, rule.rule, rule.ordinal, text(alert.labels.labels), text(alert.annotations),
      // Text, not a number: SQLite turns NaN into NULL.
      alert.state.rawValue, NumberText.general(alert.value),
      alert.activeAt.milliseconds, alert.firedAt?.milliseconds, alert.resolvedAt?.milliseconds,
      alert.lastSentAt?.milliseconds, alert.validUntil?.milliseconds,
      alert.keepFiringSince?.milliseconds,
    ]
  }

  private static func alert(_ row: Row) throws -> AlertInstance {
    guard let state = AlertState(rawValue: row["state"]) else {
      throw StateFileProblem(isTheFile: true, "it holds an unknown alert state")
    }
    func time(_ column: String) -> Timestamp? {
      (row[column] as Int64?).map { Timestamp(milliseconds: $0) }
    }
    guard let value = number(row["value"]) else {
      throw StateFileProblem(isTheFile: true, "it holds an unreadable value")
    }
    return AlertInstance(
      labels: LabelSet(labels: try labels(row["labels"])), state: state,
      annotations: try labels(row["annotations"]), value: value,
      activeAt: Timestamp(milliseconds: row["active_at"]), firedAt: time("fired_at"),
      resolvedAt: time("resolved_at"), lastSentAt: time("last_sent_at"),
      validUntil: time("valid_until"), keepFiringSince: time("keep_firing_since"))
  }

  /// Names and values as a JSON object, readable with any SQLite tool.
  private static func text(_ labels: [Label]) -> String {
    var writer = JSONWriter()
    writer.object { json in for label in labels { json.field(label.name, label.value) } }
    return writer.text
  }

  private static func labels(_ text: String) throws -> [Label] {
    (try JSONValue(parsing: text).object ?? []).map {
      Label(name: $0.key, value: $0.value.string ?? "")
    }
  }

  private static func number(_ text: String) -> Double? {
    switch text {
    case "NaN": .nan
    case "+Inf": .infinity
    case "-Inf": -.infinity
    default: Double(text)
    }
  }
}
