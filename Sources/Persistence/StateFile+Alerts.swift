import GRDB
import JSON
import Kernel
import Model
import Rules

extension StateFile {
  /// Replaces the alerts of every rule that has others than the file.
  static func write(
    _ checkpoint: AlertCheckpoint, known: inout Ledger, _ db: Database
  ) throws {
    if known.alerts == nil { try db.execute(sql: "DELETE FROM alert") }
    let before = known.alerts ?? [:]
    var after: [Ledger.Key: RuleCheckpoint] = [:]
    let delete = try db.cachedStatement(
      sql: "DELETE FROM alert WHERE \"group\" = ? AND rule = ? AND ordinal = ?")
    let insert = try db.cachedStatement(
      sql: "INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    for rule in checkpoint.rules {
      let key = Ledger.Key(owner: rule.group, part: rule.rule, ordinal: rule.ordinal)
      after[key] = rule
      if let old = before[key] {
        if old.alerts == rule.alerts { continue }
        try delete.execute(arguments: [rule.group, rule.rule, rule.ordinal])
      }
      for alert in rule.alerts { try insert.execute(arguments: row(alert, of: rule)) }
    }
    for (key, old) in before where after[key] == nil {
      try delete.execute(arguments: [old.group, old.rule, old.ordinal])
    }
    known.alerts = after
  }

  static func readAlerts(_ db: Database) throws -> [RuleCheckpoint] {
    var rules: [RuleCheckpoint] = []
    let rows = try Row.fetchCursor(
      db, sql: "SELECT * FROM alert ORDER BY \"group\", rule, ordinal, rowid")
    while let row = try rows.next() {
      let alert = try alert(row)
      if let last = rules.last, ByteOrder.equal(last.group, row["group"]),
        ByteOrder.equal(last.rule, row["rule"]), last.ordinal == row["ordinal"]
      {
        rules[rules.count - 1].alerts.append(alert)
      } else {
        rules.append(
          RuleCheckpoint(
            group: row["group"], rule: row["rule"], ordinal: row["ordinal"], alerts: [alert]))
      }
    }
    return rules
  }

  private static func row(_ alert: AlertInstance, of rule: RuleCheckpoint) -> StatementArguments {
    [
      rule.group, rule.rule, rule.ordinal, text(alert.labels.labels), text(alert.annotations),
      // Text, not a number: SQLite turns NaN into NULL.
      alert.state.rawValue, NumberText.general(alert.value),
      alert.activeAt.milliseconds, alert.firedAt?.milliseconds, alert.resolvedAt?.milliseconds,
      alert.lastSentAt?.milliseconds, alert.validUntil?.milliseconds,
      alert.keepFiringSince?.milliseconds, alert.basis.rawValue,
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
      validUntil: time("valid_until"), keepFiringSince: time("keep_firing_since"),
      basis: AlertBasis(rawValue: row["basis"]) ?? .condition)
  }

  /// Names and values as a JSON object, readable with any SQLite tool.
  private static func text(_ labels: [Label]) -> String {
    var writer = JSONWriter()
    writer.object { json in for label in labels { json.field(label.name, label.value) } }
    return writer.text
  }

  private static func labels(_ text: String) throws -> [Label] {
    do {
      return (try JSONValue(parsing: text).object ?? []).map {
        Label(name: $0.key, value: $0.value.string ?? "")
      }
    } catch {
      throw StateFileProblem(isTheFile: true, "it holds unreadable labels")
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
