import Model
import Rules

extension GroupScheduler {
  /// Finds what makes each group be evaluated from now on.
  func obey(_ settings: [TriggerSettings], at now: Timestamp) {
    followers = []
    for group in groups {
      if settings.trigger(for: group.definition) == .onScrape {
        if group.following == nil { group.following = ScrapeFollowing() }
        group.following?.forgetFeeders()
        followers.append(group)
      } else {
        group.following = nil
        deadlines.remove(.scraped(group.definition.key))
      }
    }
  }

  /// Notes a scrape that is in the store now, for the groups that follow scrapes.
  ///
  /// An evaluation that waits already sees this scrape too, unless its query offset hides it.
  func note(_ scrape: CommittedScrape, at now: Timestamp) {
    for group in followers {
      let due = group.following?.note(scrape, of: group.runner, in: environment.store, at: now)
      if let due { deadlines.set(.scraped(group.definition.key), at: due) }
    }
  }

  /// The groups among `waiting` that are evaluated now behind scrapes.
  ///
  /// One that is evaluated for a slot in the same breath comes later, if the slot does not see all.
  func takeFollowers(
    _ waiting: [GroupWork], besides slots: [(group: GroupWork, slot: Timestamp)], at now: Timestamp
  ) -> [(group: GroupWork, slot: Timestamp)] {
    var taken: [(group: GroupWork, slot: Timestamp)] = []
    for group in waiting where group.following?.owedFrom != nil {
      let isBusy = slots.contains { $0.group === group }
      let last = group.runner.lastEvaluation
      if isBusy || last.map({ $0 >= now }) ?? false {
        deadlines.set(.scraped(group.definition.key), at: now + .milliseconds(1))
        continue
      }
      group.following?.settle(at: now)
      group.following?.countIteration()
      taken.append((group, now))
      // What a query offset still hides.
      if let later = group.following?.owedFrom {
        let pause = ScrapeFollowing.pause(interval: group.definition.interval)
        deadlines.set(.scraped(group.definition.key), at: max(later, now + pause))
      }
    }
    return taken
  }
}
