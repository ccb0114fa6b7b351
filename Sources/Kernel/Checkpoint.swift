import Model
import Rules
import Storage

/// The alerts of one rule, as they survive a restart.
package struct RuleCheckpoint: Sendable {
  /// `file;name` of the group.
  package var group: String
  /// Kind, name and labels of the rule.
  package var rule: String
  /// Which of several rules of that identity, from 0.
  package var ordinal: Int
  package var alerts: [AlertInstance]

  package init(group: String, rule: String, ordinal: Int, alerts: [AlertInstance]) {
    self.group = group
    self.rule = rule
    self.ordinal = ordinal
    self.alerts = alerts
  }
}

/// The state of all alerts at one time.
package struct AlertCheckpoint: Sendable {
  package var time: Timestamp
  package var rules: [RuleCheckpoint]

  package init(time: Timestamp, rules: [RuleCheckpoint]) {
    self.time = time
    self.rules = rules
  }
}

extension GroupScheduler {
  /// All alerts, resolved ones within their retention included.
  func checkpoint(at time: Timestamp) -> AlertCheckpoint {
    var rules: [RuleCheckpoint] = []
    for group in groups {
      var seen: [String: Int] = [:]
      for rule in group.runner.rules {
        let ordinal = seen[rule.identity, default: 0]
        seen[rule.identity] = ordinal + 1
        let alerts = rule.alerts.instances
        if alerts.isEmpty { continue }
        rules.append(
          RuleCheckpoint(
            group: group.definition.key, rule: rule.identity, ordinal: ordinal, alerts: alerts))
      }
    }
    return AlertCheckpoint(time: time, rules: rules)
  }

  /// Puts saved alerts back into the rules they belong to; answers how many found theirs.
  ///
  /// A rule that has alerts of its own already keeps them.
  func restore(
    _ checkpoint: AlertCheckpoint, after outage: Outage, patience: Patience
  ) -> Int {
    var restored = 0
    for saved in checkpoint.rules {
      guard let group = groups.first(where: { ByteOrder.equal($0.definition.key, saved.group) })
      else { continue }
      let rules = group.runner.rules.filter { ByteOrder.equal($0.identity, saved.rule) }
      guard rules.indices.contains(saved.ordinal) else { continue }
      let rule = rules[saved.ordinal]
      let alerts = saved.alerts.map { outage.survived(by: $0, hold: rule.definition.holdDuration) }
      restored += rule.restore(alerts, patience: patience)
    }
    return restored
  }
}

extension AlertCheckpoint {
  /// How many alerts there are, resolved ones included.
  package var alertCount: Int { rules.reduce(0) { $0 + $1.alerts.count } }

  /// The same state as if all of it had happened earlier, or later.
  func moved(to time: Timestamp) -> AlertCheckpoint {
    let shift = time - self.time
    var moved = self
    moved.time = time
    for rule in moved.rules.indices {
      for place in moved.rules[rule].alerts.indices {
        moved.rules[rule].alerts[place].move(by: shift)
      }
    }
    return moved
  }

  /// Whether another checkpoint says the same but for its time and what every evaluation renews:
  /// values and annotations.
  func saysTheSame(as other: AlertCheckpoint) -> Bool {
    rules.elementsEqual(other.rules) { a, b in
      ByteOrder.equal(a.group, b.group) && ByteOrder.equal(a.rule, b.rule)
        && a.ordinal == b.ordinal
        && a.alerts.elementsEqual(b.alerts) { $0.stands(as: $1) }
    }
  }
}

extension AlertInstance {
  /// Lets all of it have happened earlier, or later.
  fileprivate mutating func move(by shift: PromDuration) {
    activeAt = activeAt + shift
    firedAt = firedAt.map { $0 + shift }
    resolvedAt = resolvedAt.map { $0 + shift }
    lastSentAt = lastSentAt.map { $0 + shift }
    validUntil = validUntil.map { $0 + shift }
    keepFiringSince = keepFiringSince.map { $0 + shift }
  }

  fileprivate func stands(as other: AlertInstance) -> Bool {
    state == other.state && activeAt == other.activeAt && firedAt == other.firedAt
      && resolvedAt == other.resolvedAt && lastSentAt == other.lastSentAt
      && validUntil == other.validUntil && keepFiringSince == other.keepFiringSince
      && labels == other.labels
  }
}

extension Kernel {
  /// All alerts as they shall survive a restart.
  package func checkpoint(at time: Timestamp) -> AlertCheckpoint { scheduler.checkpoint(at: time) }

  /// Goes on from what an earlier process has left.
  func restore(_ saved: RestoredState, at now: Timestamp, _ effects: inout EffectList) {
    if let samples = saved.samples {
      restore(samples, areStored: saved.samplesAreStored, at: now, &effects)
    }
    // Entries may have been seen that were not yet saved when the process was killed.
    let unsaved: UInt64 = saved.isClean ? 0 : 10_000
    journal.continue(after: saved.lastSequence + unsaved)
    saving.nextSequence = journal.nextSequence
    if let alerts = saved.alerts { restore(alerts, at: now, &effects) }
    if let outbox = saved.outbox {
      self.outbox.restore(
        outbox, savedAt: saved.alerts?.time ?? now, patience: patience, at: now, &effects)
    }
  }

  private func restore(
    _ samples: StoreChanges, areStored: Bool, at now: Timestamp, _ effects: inout EffectList
  ) {
    let summary = store.restore(samples, now: now, areStored: areStored)
    if summary.samples == 0 { return }
    effects.log(
      .info, "storage", "Samples restored",
      [("series", "\(summary.series)"), ("samples", "\(summary.samples)")])
  }

  /// Puts saved alerts back into their rules, unless they are too old to say anything about the
  /// present.
  ///
  /// Nothing starts over: `for`, firing and `keep_firing_for` go on from where they were.
  private func restore(
    _ saved: AlertCheckpoint, at now: Timestamp, _ effects: inout EffectList
  ) {
    let age = max(.zero, now - saved.time)
    let fields = [("saved", saved.time.rfc3339), ("age", age.description)]
    if age > settings.global.outageTolerance {
      effects.log(
        .warn, "alerts", "Saved alert state is too old and is not restored",
        fields + [
          ("alerts", "\(saved.alertCount)"),
          ("tolerance", settings.global.outageTolerance.description),
        ])
      return
    }
    // A clock that was set back is no reason to lose anything: what is ahead of it keeps its age.
    let saved = saved.time > now ? saved.moved(to: now) : saved
    let outage = Outage(
      began: saved.time, ended: now, lookback: settings.global.lookback,
      grace: settings.global.gracePeriod)
    let restored = scheduler.restore(
      saved, after: outage, patience: Patience(from: now, for: patience))
    effects.log(
      .info, "alerts", "Alert state restored",
      fields + [
        ("alerts", "\(restored)"), ("without_rule", "\(saved.alertCount - restored)"),
      ])
  }

  /// How long it takes at most until every target was scraped twice and every group evaluated after
  /// that.
  var patience: PromDuration {
    let scrape = settings.scrapes.map(\.interval).max() ?? .zero
    let group = settings.groups.map(\.interval).max() ?? .zero
    return scrape * 3 + group
  }
}
