import JSON
import Model

/// A notification that was given up, with what it takes to send it again.
///
/// The address and credentials are not in it: they are those of the receiver of that name.
package struct DeadLetter: Sendable, Hashable {
  package var time: Timestamp
  package var receiver: String
  /// The group's key.
  package var group: String
  /// The `Idempotency-Key` under which it was tried.
  package var key: String
  /// The last failure.
  package var reason: String
  package var created: Timestamp
  package var tries: Int
  package var alerts: Int
  package var body: [UInt8]

  package init(
    time: Timestamp, receiver: String, group: String, key: String, reason: String,
    created: Timestamp, tries: Int, alerts: Int, body: [UInt8]
  ) {
    self.time = time
    self.receiver = receiver
    self.group = group
    self.key = key
    self.reason = reason
    self.created = created
    self.tries = tries
    self.alerts = alerts
    self.body = body
  }

  /// The request that sends it again, under the key it had.
  package func request(to webhook: WebhookSettings, global: GlobalSettings) -> DeliveryRequest {
    DeliveryRequest(
      receiver: webhook.name, url: webhook.url,
      headers: [
        ("Content-Type", "application/json"), ("User-Agent", global.userAgent),
        ("Idempotency-Key", key),
      ],
      body: body, http: webhook.http, timeout: webhook.timeout)
  }

  /// One line of JSON without its line feed.
  ///
  /// - Note: The body is a text, so that not a byte of it changes.
  package var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("time", time.rfc3339)
      json.field("receiver", receiver)
      json.field("group", group)
      json.field("key", key)
      json.field("reason", reason)
      json.field("created", created.rfc3339)
      json.field("tries", int: tries)
      json.field("alerts", int: alerts)
      json.field("body", String(decoding: body, as: UTF8.self))
    }
    return json.bytes
  }

  /// Reads what is needed to send a line again; nil if something of it is missing.
  package init?(json line: some Collection<UInt8>) {
    guard let json = try? JSONValue(parsing: line), let receiver = json["receiver"]?.string,
      let key = json["key"]?.string, let body = json["body"]?.string
    else { return nil }
    self.init(
      time: Self.time(json["time"]), receiver: receiver, group: json["group"]?.string ?? "",
      key: key, reason: json["reason"]?.string ?? "", created: Self.time(json["created"]),
      tries: json["tries"]?.int ?? 0, alerts: json["alerts"]?.int ?? 0, body: Array(body.utf8))
  }

  private static func time(_ value: JSONValue?) -> Timestamp {
    value?.string.flatMap { Timestamp(rfc3339: $0) } ?? .distantPast
  }
}
