import Model
import Rules

/// A stretch of time in which nobody watched.
struct Outage {
  let began: Timestamp
  let ended: Timestamp
  /// How long a sample stands for its series: so long an outage hides nothing.
  let lookback: PromDuration
  /// The least time a long `for` waits after a longer one.
  let grace: PromDuration

  /// An alert as it comes out of the outage.
  ///
  /// One that was firing goes on firing. One that waited for its `for` goes on waiting: after an
  /// outage within the lookback as if there had been none, for a scrape before it stands for the
  /// whole of it; after a longer one without that time.
  ///
  /// - Note: The latter is Prometheus' `RestoreForState`: the rest of `for` begins now, and is at
  ///   least the grace period where `for` is. Prometheus does not restore shorter ones at all.
  func survived(by alert: AlertInstance, hold: PromDuration) -> AlertInstance {
    let rest = hold - (began - alert.activeAt)
    guard alert.state == .pending, ended - began > lookback, rest > .zero else { return alert }
    var alert = alert
    alert.activeAt = ended + (hold >= grace ? max(rest, grace) : rest) - hold
    return alert
  }
}

extension RuleDefinition {
  /// The `for` of an alert rule; zero for others.
  var holdDuration: PromDuration {
    guard case .alert(let rule) = self else { return .zero }
    return rule.holdDuration
  }
}
