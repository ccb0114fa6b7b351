import Model

/// What goes wrong, or is changed, at one moment of a world.
enum Incident: Sendable, Hashable {
  /// A target misbehaves for a while.
  case target(Int, TargetFault, PromDuration)
  /// Requests to a receiver fare badly for a while, so many in a hundred.
  case receiver(Int, ReceiverFault, percent: Int, PromDuration)
  case disk(DiskFault, PromDuration)
  /// Somebody sets the clock, forward or back.
  case clockStep(PromDuration)
  /// The process is suspended.
  case suspension(PromDuration)
  case reload(ReloadKind, seed: UInt64)
  /// The process dies at one of the next events, after it has carried out some of its effects.
  case crash(afterEvents: Int, keepingPercent: Int, downtime: PromDuration)
  /// The process is told to stop and is started again.
  case restart(downtime: PromDuration)
}

/// An incident and when it happens, since the beginning of the world.
struct PlannedIncident: Sendable, Hashable {
  var at: PromDuration
  var incident: Incident
}

/// How a target misbehaves.
enum TargetFault: String, Sendable, Hashable, CaseIterable {
  case refused, timeout, unavailable, garbage, truncated, withoutType, oversized, slow, silent
  case stalled, empty, answersTwice
}

/// How a receiver, or the way to it, misbehaves.
enum ReceiverFault: String, Sendable, Hashable, CaseIterable {
  case refused, serverError, overloaded, slow, answerLost, answersTwice, timeout
  /// A final refusal: the notification is lost, and rightly so.
  case rejected
}

/// How the disk misbehaves.
enum DiskFault: String, Sendable, Hashable, CaseIterable {
  case refused, slow, flaky
}

/// What a reload changes.
enum ReloadKind: String, Sendable, Hashable, CaseIterable {
  case nothing, addRule, removeRule, changeExpr, changeFor, changeKeep, changeLabels
  case changeAnnotations, changeInterval, changeLimit, changeOffset, addGroup, removeGroup
  case reorder, duplicate, targets, scrapeInterval, webhooks, webhookGrouping, alertmanagers
  case externalLabels, keep
  // Rules that cannot be loaded, or groups, or that can again.
  case breakRule, breakGroup, mend

  /// Those that leave every rule loadable.
  static let sound = allCases.filter { ![.breakRule, .breakGroup, .mend].contains($0) }
  static let quarantine: [ReloadKind] = [.breakRule, .breakRule, .breakGroup, .mend, .mend]
}

extension Incident {
  /// A few words for the timeline.
  var summary: String {
    switch self {
    case .target(let index, let fault, let time): "target \(index) \(fault.rawValue) for \(time)"
    case .receiver(let index, let fault, let percent, let time):
      "receiver \(index) \(fault.rawValue) \(percent)% for \(time)"
    case .disk(let fault, let time): "disk \(fault.rawValue) for \(time)"
    case .clockStep(let step):
      step < .zero ? "clock back by \(PromDuration.zero - step)" : "clock forward by \(step)"
    case .suspension(let time): "suspended for \(time)"
    case .reload(let kind, _): "reload: \(kind.rawValue)"
    case .crash(let events, let percent, let time):
      "crash after \(events) events, \(percent)% of the effects, down for \(time)"
    case .restart(let time): "restart, down for \(time)"
    }
  }
}
