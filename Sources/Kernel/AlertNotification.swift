import Model
import Rules

/// One alert as a receiver is told of it: external labels added, relabelled.
package struct AlertNotification: Hashable, Sendable, Codable {
  package var labels: LabelSet
  package var annotations: [Label]
  package var startsAt: Timestamp
  /// When it was resolved, or until when it may be believed.
  package var endsAt: Timestamp
  package var generatorURL: String
  /// Whether the rule said that it fires; its `endsAt` is then only the expiry of that word.
  package var isFiring: Bool

  package init(
    labels: LabelSet, annotations: [Label], startsAt: Timestamp, endsAt: Timestamp,
    generatorURL: String, isFiring: Bool
  ) {
    self.labels = labels
    self.annotations = annotations
    self.startsAt = startsAt
    self.endsAt = endsAt
    self.generatorURL = generatorURL
    self.isFiring = isFiring
  }

  /// Makes the notification of an alert that is due.
  ///
  /// - Note: As Prometheus: it starts when it fired, and ends when it was resolved or when its word
  ///   expires.
  init(_ alert: AlertInstance, generatorURL: String) {
    labels = alert.labels
    annotations = alert.annotations
    startsAt = alert.firedAt ?? alert.activeAt
    endsAt = alert.resolvedAt ?? alert.validUntil ?? alert.activeAt
    self.generatorURL = generatorURL
    isFiring = alert.state == .firing
  }

  /// Whether the alert is over, be it that it was resolved or that nobody confirmed it for too
  /// long.
  package func isResolved(at now: Timestamp) -> Bool { endsAt <= now }

  /// Alertmanager's name for the alert.
  var fingerprint: UInt64 { labels.fingerprint }

  /// The order of Alertmanager's lists: by job, by instance, then by all labels.
  static func isBefore(_ a: AlertNotification, _ b: AlertNotification) -> Bool {
    for name in [LabelName.job, LabelName.instance] {
      switch (a.labels[name], b.labels[name]) {
      case (nil, nil): continue
      case (nil, _): return false
      case (_, nil): return true
      case (let x?, let y?):
        if !ByteOrder.equal(x, y) { return ByteOrder.less(x, y) }
      }
    }
    let counts = (a.labels.count, b.labels.count)
    if counts.0 != counts.1 { return counts.0 < counts.1 }
    return precedes(a.labels, b.labels)
  }

  /// `LabelSet.Before` of Prometheus' common library: at the first name that one side lacks or
  /// whose values differ, names ascending.
  private static func precedes(_ a: LabelSet, _ b: LabelSet) -> Bool {
    let left = a.labels
    let right = b.labels
    var i = 0
    while i < left.count && i < right.count {
      if !ByteOrder.equal(left[i].name, right[i].name) {
        // The smaller name is missing on the other side; the side without it comes first.
        return !ByteOrder.less(left[i].name, right[i].name)
      }
      if !ByteOrder.equal(left[i].value, right[i].value) {
        return ByteOrder.less(left[i].value, right[i].value)
      }
      i += 1
    }
    return false
  }
}

/// Where an expression can be looked at: Prometheus' `/graph` link.
enum GeneratorLink {
  static func url(externalURL: String, query: String) -> String {
    externalURL + "/graph?g0.expr=" + GoURL.queryEscape(query) + "&g0.tab=1"
  }
}
