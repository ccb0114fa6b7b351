import JSON
import Kernel
import Model

/// One alert in a message as it reached a receiver.
struct TestNotification: Sendable {
  /// What makes a message news: anything else is a repetition.
  struct Subject: Hashable {
    var receiver: String
    var isFiring: Bool
    var labels: LabelSet
    var annotations: LabelSet
    var startsAt: Timestamp?
  }

  var time: Timestamp
  var subject: Subject
  /// Nil while firing.
  var endsAt: Timestamp?

  /// The alerts of a request, in either form.
  static func read(_ request: DeliveryRequest, at time: Timestamp) -> [TestNotification] {
    guard let body = try? JSONValue(parsing: request.body) else { return [] }
    if let alerts = body.array {
      return alerts.map { alert in
        let ends = alert["endsAt"]?.string.flatMap { Timestamp(rfc3339: $0) }
        let isFiring = ends.map { $0 > time } ?? true
        return read(alert, receiver: "alertmanager", isFiring: isFiring, ends: ends, at: time)
      }
    }
    return (body["alerts"]?.array ?? []).map { alert in
      read(
        alert, receiver: request.receiver, isFiring: alert["status"]?.string == "firing",
        ends: alert["endsAt"]?.string.flatMap { Timestamp(rfc3339: $0) }, at: time)
    }
  }

  private static func read(
    _ alert: JSONValue, receiver: String, isFiring: Bool, ends: Timestamp?, at time: Timestamp
  ) -> TestNotification {
    TestNotification(
      time: time,
      subject: Subject(
        receiver: receiver, isFiring: isFiring, labels: map(alert["labels"]),
        annotations: map(alert["annotations"]),
        startsAt: alert["startsAt"]?.string.flatMap { Timestamp(rfc3339: $0) }),
      endsAt: isFiring ? nil : ends)
  }

  private static func map(_ value: JSONValue?) -> LabelSet {
    LabelSet(
      labels: (value?.object ?? []).map { Label(name: $0.key, value: $0.value.string ?? "") })
  }
}
