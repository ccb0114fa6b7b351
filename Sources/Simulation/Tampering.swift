import Kernel
import Model

/// A kernel that is distorted on purpose, to see whether the checkers notice.
package enum Tampering: String, Sendable, CaseIterable {
  /// One notification in five is swallowed.
  case dropsNotifications
  /// Firing alerts are told as resolved.
  case resolvesEarly
  /// A restart begins every `for` anew.
  case restartsFor
  /// A repeated notification gets another key.
  case changesKeys
  /// A restart forgets the firing alerts.
  case forgetsFiring
  /// Notifications say that an alert began at another time.
  case shiftsStarts
  /// No rule has a policy for a lack of data.
  case losesData
  /// No rule has a policy for errors.
  case hidesErrors
  /// `for` runs on while a target is down.
  case neverFreezes
  /// A rule that is broken is gone.
  case removesBroken
  /// The journal keeps everything.
  case keepsJournal
  /// What happened is not always saved.
  case losesEntries

  var journalBounds: Journal.Bounds? {
    self == .keepsJournal ? Journal.Bounds(entries: .max, mentions: .max) : nil
  }

  /// What becomes of the settings.
  func distort(_ settings: Settings) -> Settings {
    var settings = settings
    for i in settings.policies.indices {
      switch self {
      case .losesData: settings.policies[i].policy.onNoData = .resolve
      case .hidesErrors: settings.policies[i].policy.onError = .hold
      case .neverFreezes: settings.policies[i].policy.forWhileTargetDown = .run
      default: break
      }
    }
    if self == .removesBroken {
      for i in settings.groups.indices { settings.groups[i].quarantined = [] }
    }
    return settings
  }

  /// What becomes of the effects.
  func distort(_ effects: [Effect], at now: Timestamp, _ state: TamperingState) -> [Effect] {
    effects.compactMap { effect in
      if case .persist(var batch) = effect, self == .losesEntries, batch.journal.count > 2 {
        batch.journal.remove(at: 1)
        return .persist(batch)
      }
      guard case .deliver(let id, var request) = effect else { return effect }
      state.deliveries += 1
      switch self {
      case .dropsNotifications where state.deliveries % 5 == 0:
        state.swallowed.append(id)
        return nil
      case .resolvesEarly:
        request.body = Self.replace(
          "\"status\":\"firing\"", "\"status\":\"resolved\"", request.body)
      case .changesKeys:
        for i in request.headers.indices where request.headers[i].name == "Idempotency-Key" {
          request.headers[i].value += "-\(state.deliveries)"
        }
      case .shiftsStarts:
        request.body = Self.replace("\"startsAt\":\"2023", "\"startsAt\":\"2022", request.body)
      default: break
      }
      return .deliver(id, request)
    }
  }

  /// What becomes of the state that a restart gets.
  func restored(_ saved: AlertCheckpoint, at now: Timestamp) -> AlertCheckpoint {
    var saved = saved
    for i in saved.rules.indices {
      if self == .restartsFor {
        for k in saved.rules[i].alerts.indices where saved.rules[i].alerts[k].state == .pending {
          saved.rules[i].alerts[k].activeAt = now
        }
      } else if self == .forgetsFiring {
        saved.rules[i].alerts.removeAll { $0.state == .firing }
      }
    }
    return saved
  }

  private static func replace(_ old: String, _ new: String, _ body: [UInt8]) -> [UInt8] {
    let parts = String(decoding: body, as: UTF8.self).split(
      separator: old, omittingEmptySubsequences: false)
    return Array(parts.joined(separator: new).utf8)
  }
}

/// What a distortion remembers.
final class TamperingState {
  var deliveries = 0
  /// Swallowed requests; the kernel is told that they were accepted.
  var swallowed: [DeliveryID] = []

  func takeSwallowed() -> [DeliveryID] {
    defer { swallowed = [] }
    return swallowed
  }
}
