import Foundation
import GRDB
import Kernel
import Model

/// Values as JSON texts, the same for the same value in every process.
enum StoredJSON {
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "+Inf", negativeInfinity: "-Inf", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func value<Value: Decodable>(_ text: String) throws -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "+Inf", negativeInfinity: "-Inf", nan: "NaN")
    do {
      return try decoder.decode(Value.self, from: Data(text.utf8))
    } catch {
      throw StateFileProblem(isTheFile: true, "it holds an unreadable \(Value.self)")
    }
  }
}

extension StateFile {
  private static let alertmanager = "alertmanager"
  private static let webhook = "webhook"

  /// Replaces what has changed of the outbox: an Alertmanager's queue, a webhook's group.
  static func write(_ checkpoint: OutboxCheckpoint, known: inout Ledger, _ db: Database) throws {
    if known.outbox == nil { try db.execute(sql: "DELETE FROM outbox") }
    let before = known.outbox ?? [:]
    var after: [Ledger.Key: String] = [:]
    let insert = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?)")
    func put(_ kind: String, _ receiver: String, _ part: String, _ position: Int, _ body: String)
      throws
    {
      let key = Ledger.Key(owner: "\(kind) \(receiver)", part: part, ordinal: position)
      after[key] = body
      if before[key].map({ ByteOrder.equal($0, body) }) ?? false { return }
      try insert.execute(arguments: [kind, receiver, part, position, body])
    }
    for (position, queue) in checkpoint.alertmanagers.enumerated() {
      try put(alertmanager, queue.url, "", position, try StoredJSON.text(queue.alerts))
    }
    for (position, webhook) in checkpoint.webhooks.enumerated() {
      for group in webhook.groups {
        try put(Self.webhook, webhook.name, group.key, position, try StoredJSON.text(group))
      }
    }
    let delete = try db.cachedStatement(
      sql: "DELETE FROM outbox WHERE kind || ' ' || receiver = ? AND part = ? AND position = ?")
    for key in before.keys where after[key] == nil {
      try delete.execute(arguments: [key.owner, key.part, key.ordinal])
    }
    known.outbox = after
  }

  static func readOutbox(_ db: Database) throws -> OutboxCheckpoint {
    var checkpoint = OutboxCheckpoint()
    let rows = try Row.fetchCursor(
      db, sql: "SELECT kind, receiver, part, body FROM outbox ORDER BY kind, position, part")
    while let row = try rows.next() {
      let receiver: String = row["receiver"]
      if row["kind"] == alertmanager {
        checkpoint.alertmanagers.append(
          AlertmanagerCheckpoint(url: receiver, alerts: try StoredJSON.value(row["body"])))
        continue
      }
      let group: WebhookGroupCheckpoint = try StoredJSON.value(row["body"])
      if let last = checkpoint.webhooks.last, ByteOrder.equal(last.name, receiver) {
        checkpoint.webhooks[checkpoint.webhooks.count - 1].groups.append(group)
      } else {
        checkpoint.webhooks.append(WebhookCheckpoint(name: receiver, groups: [group]))
      }
    }
    return checkpoint
  }
}
