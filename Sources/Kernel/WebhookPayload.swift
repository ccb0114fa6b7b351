import JSON
import Model

/// The body of a webhook: Alertmanager's version 4.
///
/// - Note: Members in the order of Alertmanager's structs, maps by key, a line feed at the end.
package struct WebhookPayload: Sendable {
  package var receiver: String
  package var groupKey: String
  package var groupLabels: LabelSet
  package var externalURL: String
  /// Firing alerts still have an end in the future; it is written as Go's zero time.
  package var alerts: [AlertNotification]
  package var truncatedAlerts = 0

  package init(
    receiver: String, groupKey: String, groupLabels: LabelSet, externalURL: String,
    alerts: [AlertNotification], truncatedAlerts: Int = 0
  ) {
    self.receiver = receiver
    self.groupKey = groupKey
    self.groupLabels = groupLabels
    self.externalURL = externalURL
    self.alerts = alerts
    self.truncatedAlerts = truncatedAlerts
  }

  /// The JSON as of `now`, which decides who is firing.
  package func bytes(at now: Timestamp) -> [UInt8] {
    let isFiring = alerts.contains { !$0.isResolved(at: now) }
    var json = JSONWriter(escapesHTML: true)
    json.object { json in
      json.field("receiver", Self.quoteMeta(receiver))
      json.field("status", isFiring ? "firing" : "resolved")
      json.key("alerts")
      json.array { json in
        for alert in alerts { write(alert, at: now, to: &json) }
      }
      writeMap("groupLabels", groupLabels.labels, to: &json)
      writeMap("commonLabels", Self.common(alerts.map(\.labels.labels)), to: &json)
      writeMap("commonAnnotations", Self.common(alerts.map(\.annotations)), to: &json)
      json.field("externalURL", externalURL)
      json.field("version", "4")
      json.field("groupKey", groupKey)
      json.field("truncatedAlerts", int: truncatedAlerts)
    }
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ alert: AlertNotification, at now: Timestamp, to json: inout JSONWriter) {
    let isResolved = alert.isResolved(at: now)
    json.object { json in
      json.field("status", isResolved ? "resolved" : "firing")
      writeMap("labels", alert.labels.labels, to: &json)
      writeMap("annotations", alert.annotations, to: &json)
      json.field("startsAt", alert.startsAt.rfc3339)
      json.field("endsAt", isResolved ? alert.endsAt.rfc3339 : "0001-01-01T00:00:00Z")
      json.field("generatorURL", alert.generatorURL)
      json.field("fingerprint", StableHash.hex(alert.labels.fingerprint))
    }
  }

  private func writeMap(_ name: String, _ pairs: [Label], to json: inout JSONWriter) {
    json.key(name)
    json.object { json in
      for pair in pairs { json.field(pair.name, pair.value) }
    }
  }

  /// The pairs that are equal in all lists.
  static func common(_ lists: [[Label]]) -> [Label] {
    guard let first = lists.first else { return [] }
    return first.filter { pair in
      lists.dropFirst().allSatisfy { list in
        list.contains {
          ByteOrder.equal($0.name, pair.name) && ByteOrder.equal($0.value, pair.value)
        }
      }
    }
  }

  /// Go's `regexp.QuoteMeta`, through which Alertmanager passes the receiver's name.
  static func quoteMeta(_ text: String) -> String {
    let special = Array("\\.+*?()|[]{}^$".utf8)
    var out: [UInt8] = []
    for b in text.utf8 {
      if special.contains(b) { out.append(UInt8(ascii: "\\")) }
      out.append(b)
    }
    return String(decoding: out, as: UTF8.self)
  }
}
