import JSON
import Model

/// The body of `POST /api/v2/alerts`.
///
/// - Note: Bytes as Prometheus' client writes them: members in the order of its generated types,
///   times with three decimals, `<`, `>` and `&` escaped.
enum AlertmanagerPayload {
  static func bytes(_ alerts: [AlertNotification]) -> [UInt8] {
    var json = JSONWriter(escapesHTML: true)
    json.array { json in
      for alert in alerts { write(alert, to: &json) }
    }
    return json.bytes
  }

  private static func write(_ alert: AlertNotification, to json: inout JSONWriter) {
    json.object { json in
      if !alert.annotations.isEmpty {
        json.key("annotations")
        json.object { json in
          for label in alert.annotations { json.field(label.name, label.value) }
        }
      }
      json.field("endsAt", time(alert.endsAt))
      json.field("startsAt", time(alert.startsAt))
      if !alert.generatorURL.isEmpty { json.field("generatorURL", alert.generatorURL) }
      json.key("labels")
      json.object { json in
        for label in alert.labels.labels { json.field(label.name, label.value) }
      }
    }
  }

  /// RFC 3339 with exactly three decimals.
  static func time(_ t: Timestamp) -> String {
    let ms = String(t.milliseconds.flooredDivision(by: 1000).remainder)
    let padded = String(repeating: "0", count: 3 - ms.utf8.count) + ms
    let whole = Timestamp(milliseconds: t.milliseconds.flooredDivision(by: 1000).quotient * 1000)
    return String(whole.rfc3339.dropLast()) + "." + padded + "Z"
  }
}
