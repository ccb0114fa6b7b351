import Model
import Rules
import Storage

/// Lets a group be evaluated right behind the scrapes of the targets that feed it.
struct ScrapeFollowing {
  /// The least and the most time between two evaluations behind scrapes.
  private static let shortestPause = PromDuration.milliseconds(10)
  private static let longestPause = PromDuration.milliseconds(250)

  private var feeders = GroupFeeders()
  /// The time from which an evaluation sees all that has been scraped; nil if one has.
  private(set) var owedFrom: Timestamp?
  /// Evaluations behind scrapes since the group was loaded.
  private(set) var iterations: UInt64 = 0

  /// Scrapes that come within so short a time are evaluated together: a fiftieth of the interval,
  /// within limits, so that a group of many targets is not evaluated for each of them.
  static func pause(interval: PromDuration) -> PromDuration {
    let share = PromDuration.milliseconds(interval.milliseconds / 50)
    return min(max(share, shortestPause), longestPause)
  }

  /// Notes a scrape; returns when the group is to be evaluated for it, nil if the target does not
  /// feed the group or an evaluation waits already.
  mutating func note(
    _ scrape: CommittedScrape, of group: RuleGroupRunner, in store: Store, at now: Timestamp
  ) -> Timestamp? {
    guard
      feeders.contain(scrape.source, withTimed: scrape.hasTimed, of: group, in: store)
    else { return nil }
    let visible = scrape.time + group.queryOffset
    let waits = owedFrom != nil
    owedFrom = max(owedFrom ?? visible, visible)
    return waits ? nil : due(of: group, at: now)
  }

  /// When the group is to be evaluated for what it owes; nil if it owes nothing.
  func due(of group: RuleGroupRunner, at now: Timestamp) -> Timestamp? {
    guard let owedFrom else { return nil }
    let pause = Self.pause(interval: group.definition.interval)
    return max(now, owedFrom, group.lastEvaluation.map { $0 + pause } ?? now)
  }

  /// The group is evaluated at a time.
  mutating func settle(at time: Timestamp) {
    if let owed = owedFrom, owed <= time { owedFrom = nil }
  }

  mutating func countIteration() { iterations += 1 }

  /// The group's rules may be others now.
  mutating func forgetFeeders() { feeders.forget() }
}

/// A scrape that is in the store.
struct CommittedScrape {
  let source: SourceID
  /// The time of its row.
  let time: Timestamp
  /// Whether it brought samples with times of their own.
  let hasTimed: Bool
}
