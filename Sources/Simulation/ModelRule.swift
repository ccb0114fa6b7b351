import Model
import Rules

/// An alert as the model knows it.
struct ModelAlert: Hashable, Sendable {
  var state = AlertState.pending
  var value: Double
  var annotations: [Label]
  var activeAt: Timestamp
  var firedAt: Timestamp?
  var resolvedAt: Timestamp?
  var keptSince: Timestamp?
  /// Why no evaluation has to have seen it for a while; nil: it has to be in every result.
  var waits: Wait?

  /// What an alert's data are waited for after.
  enum Wait: Hashable, Sendable { case restart, reload }
}

/// What the model says of one step of one alert.
struct ModelTransition: Hashable, Sendable {
  var labels: LabelSet
  var from: AlertState
  var to: AlertState
}

/// A rule and its alerts: the state machine once more, written from its description with a
/// dictionary and no shortcuts.
struct ModelRule: Sendable {
  /// What the model cannot know and takes from the kernel.
  struct Circumstances {
    var limit: Int
    var forgetsOnBreach: Bool
    /// Whether an alert that waits since a restart may be given up, and whether all must be.
    var mayGiveUp: Bool
    var mustGiveUp: Bool
    /// The alerts that the kernel ended in this step, or keeps firing.
    var givenUp: Set<LabelSet>
    /// Whether the kernel says that the evaluation failed.
    var kernelFailed: Bool
  }

  let definition: RuleDefinition
  var alerts: [LabelSet: ModelAlert] = [:]
  /// Whether the last evaluation failed.
  var isFailing = false
  /// When an evaluation failed last.
  var failedAt: Timestamp?

  var hasWaiting: Bool { alerts.values.contains { $0.waits != nil } }

  var hold: PromDuration {
    if case .alert(let rule) = definition { rule.holdDuration } else { .zero }
  }

  private var keep: PromDuration {
    if case .alert(let rule) = definition { rule.keepFiringFor } else { .zero }
  }

  /// The rule was changed: its alerts may have to wait for their data.
  mutating func awaitData() {
    for labels in alerts.keys.sorted() where alerts[labels]?.keptSince == nil {
      if alerts[labels]?.waits == nil { alerts[labels]?.waits = .reload }
    }
  }

  /// One evaluation; nil if it must have failed.
  mutating func step(
    _ observed: [AlertCandidate], _ given: Circumstances, at slot: Timestamp
  ) -> [ModelTransition]? {
    var next = alerts
    var transitions: [ModelTransition] = []
    var present: Set<LabelSet> = []
    for candidate in observed {
      if !present.insert(candidate.labels).inserted { return nil }
      if var known = next[candidate.labels], known.state != .inactive {
        known.value = candidate.value
        known.annotations = candidate.annotations
        known.waits = nil
        next[candidate.labels] = known
      } else {
        next[candidate.labels] = ModelAlert(
          value: candidate.value, annotations: candidate.annotations, activeAt: slot)
        transitions.append(
          ModelTransition(labels: candidate.labels, from: .inactive, to: .pending))
      }
    }
    var active = 0
    for labels in next.keys.sorted() {
      guard var alert = next[labels] else { continue }
      let before = alert.state
      let isActive = settle(&alert, present.contains(labels), labels, given, at: slot)
      next[labels] = isActive == nil ? nil : alert
      if isActive == true { active += 1 }
      if alert.state != before || isActive == nil && before == .pending {
        let after = isActive == nil ? .inactive : alert.state
        if before != after {
          transitions.append(ModelTransition(labels: labels, from: before, to: after))
        }
      }
    }
    if given.limit > 0 && (hasWaiting ? given.kernelFailed : active > given.limit) {
      if given.forgetsOnBreach { alerts = [:] }
      return nil
    }
    alerts = next
    return transitions
  }

  /// Moves one alert; nil: it is forgotten, else whether it is active.
  private func settle(
    _ alert: inout ModelAlert, _ isPresent: Bool, _ labels: LabelSet, _ given: Circumstances,
    at slot: Timestamp
  ) -> Bool? {
    if isPresent {
      alert.keptSince = nil
    } else {
      if let wait = alert.waits, alert.state != .inactive {
        let mayGiveUp = wait == .reload || given.mayGiveUp
        let isOver = given.mustGiveUp || mayGiveUp && given.givenUp.contains(labels)
        if !isOver { return true }
        alert.waits = nil
      }
      var isKept = false
      if alert.state == .firing && keep > .zero {
        alert.keptSince = alert.keptSince ?? slot
        isKept = slot - (alert.keptSince ?? slot) < keep
      }
      if alert.state == .pending { return nil }
      if alert.state == .inactive {
        let age = slot - (alert.resolvedAt ?? .distantPast)
        return age > .minutes(15) ? nil : false
      }
      if !isKept {
        alert.state = .inactive
        alert.resolvedAt = slot
        return false
      }
    }
    if alert.state == .pending && slot - alert.activeAt >= hold {
      alert.state = .firing
      alert.firedAt = slot
    } else if alert.state == .firing && slot - alert.activeAt < hold {
      alert.state = .pending
      alert.firedAt = nil
      alert.keptSince = nil
    }
    return true
  }
}
