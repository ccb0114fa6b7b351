import Model

/// What a memory limit has changed.
package struct HistoryCut: Hashable, Sendable {
  /// How long samples stay from now on that no rule asks for.
  package var retention: PromDuration
  /// Bytes held before and after.
  package var before: Int
  package var after: Int
  /// Whether the store is within its limit now; if not, the rules' windows alone are above it.
  package var isEnough: Bool
}

extension Store {
  /// How long samples stay that no selector asks for.
  package var adHocRetention: PromDuration { min(settings.retention, adHocCap) }

  /// Drops history that no rule asks for, the oldest first, until the store holds at most `limit`
  /// bytes; lets it grow again when there is room.
  ///
  /// A rule's windows are never touched. Zero is no limit.
  ///
  /// - Returns: what was dropped, or nil.
  package func keepWithin(_ limit: Int, now: Timestamp) -> HistoryCut? {
    if limit <= 0 {
      if adHocCap < settings.retention { cap(settings.retention) }
      adHocCap = .maximum
      return nil
    }
    let before = statistics.bytes
    if before <= limit {
      if adHocCap < settings.retention, before < limit / 4 * 3 {
        cap(min(settings.retention, max(.minutes(1), adHocCap + adHocCap)))
      }
      return nil
    }
    if adHocRetention == .zero { return nil }
    var after = before
    while after > limit, adHocRetention > .zero {
      let half = PromDuration(milliseconds: adHocRetention.milliseconds / 2)
      cap(half < .minutes(1) ? .zero : half)
      sweep(now: now)
      after = statistics.bytes
    }
    return HistoryCut(
      retention: adHocRetention, before: before, after: after, isEnough: after <= limit)
  }

  private func cap(_ retention: PromDuration) {
    adHocCap = retention
    retentionVersion &+= 1
  }
}

extension PromDuration {
  /// Longer than anything is kept.
  static let maximum = PromDuration.days(36_500)
}
