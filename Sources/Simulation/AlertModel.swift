import Kernel
import Model
import Rules

/// One stretch of time for which an alert fired, and who has to hear of it.
struct Episode: Sendable {
  /// As receivers see the alert.
  var labels: LabelSet
  var startsAt: Timestamp
  var endedAt: Timestamp?
  var rule: String
  /// Receivers that wanted it when it began and have stayed since.
  var receivers: [String]
  /// Forgotten rather than resolved: nobody is owed anything.
  var isForgotten = false
  /// A process started with rules among which the alert does not occur, or it has other labels
  /// since a reload: what had not been told by then cannot be told any more.
  var isBeyondTelling = false
}

/// What the alerts of all rules must be, given what the evaluations yielded: a plain value, so that
/// a crash puts back the one that goes with what was durable.
struct AlertModel: Sendable {
  struct Group: Sendable {
    /// As it runs: with the settings of its last good version while its own are broken.
    var definition: RuleGroupDefinition
    var rules: [ModelRule]
    /// What stands at each place of the file.
    var places: [ModelSuccession.Place]
  }

  private(set) var groups: [String: Group] = [:]
  private(set) var episodes: [Episode] = []
  private(set) var settings = Settings()
  private var open: [LabelSet: Int] = [:]

  init() {}

  /// A process that knows of no alert, after all that has been.
  init(episodesOf before: AlertModel) {
    episodes = before.episodes
    for place in before.open.values { episodes[place].isForgotten = true }  // In any order.
  }

  /// Every rule with its group's key, in the order of the keys.
  var rules: [(group: String, index: Int, rule: ModelRule)] {
    groups.keys.sorted(by: ByteOrder.less).flatMap { key in
      (groups[key]?.rules ?? []).enumerated().map { (key, $0.offset, $0.element) }
    }
  }

  // MARK: reload and restart

  /// Carries the alerts over as a reload must: by group, then by identity, the n-th to the n-th.
  ///
  /// - Parameter isStart: whether the state is that of an earlier process: it does not say what the
  ///   last good version of a broken rule was.
  mutating func reload(_ new: Settings, at now: Timestamp, isStart: Bool) {
    let old = groups
    groups = [:]
    for written in new.groups {
      let before = old[written.key]
      var definition = written
      if !isStart, written.headProblem != nil, let last = before?.definition {
        definition.interval = last.interval
        definition.queryOffset = last.queryOffset
        definition.limit = last.limit
      }
      let succession = ModelSuccession(from: before, to: written, isStart: isStart)
      groups[written.key] = Group(
        definition: definition, rules: succession.rules, places: succession.places)
    }
    let changed = Self.changedHooks(settings, new)
    let hasOtherLabels = settings.global.externalLabels != new.global.externalLabels
    settings = new
    let firing = Set(firingAlerts.map(\.told))
    for (labels, place) in open where !firing.contains(labels) {
      // In any order: each is touched once.
      episodes[place].endedAt = episodes[place].endedAt ?? now
      episodes[place].isBeyondTelling = isStart || hasOtherLabels
      open[labels] = nil
    }
    for (told, alert, rule) in firingAlerts where open[told] == nil {
      // The same alert under other labels: what is owed is owed under those it began with.
      open[told] = episodes.count
      episodes.append(
        Episode(
          labels: told, startsAt: alert.firedAt ?? now, rule: rule.definition.name, receivers: [],
          isForgotten: true))
    }
    for place in episodes.indices {
      let episode = episodes[place]
      episodes[place].receivers = episode.receivers.filter {
        owes($0, episode.labels) && !changed.contains($0)
      }
    }
  }

  /// The state is that of an earlier process; what is not seen again has to wait.
  ///
  /// After an outage beyond the lookback a long `for` goes on without the time of the outage, and
  /// waits for the grace period at least.
  mutating func restore(savedAt began: Timestamp, at now: Timestamp) {
    for key in groups.keys.sorted(by: ByteOrder.less) {
      for place in groups[key]?.rules.indices ?? 0..<0 {
        guard let rule = groups[key]?.rules[place] else { continue }
        for labels in rule.alerts.keys.sorted() {
          guard var alert = rule.alerts[labels] else { continue }
          alert.waits = alert.keptSince == nil ? .restart : nil
          let rest = rule.hold - (began - alert.activeAt)
          if alert.state == .pending, now - began > settings.global.lookback, rest > .zero {
            let grace = settings.global.gracePeriod
            alert.activeAt = now + (rule.hold >= grace ? max(rest, grace) : rest) - rule.hold
          }
          groups[key]?.rules[place].alerts[labels] = alert
        }
      }
    }
  }

  /// The saved state was too old, or there was none.
  mutating func forgetAlerts() {
    for key in groups.keys.sorted(by: ByteOrder.less) {
      for place in groups[key]?.rules.indices ?? 0..<0 { groups[key]?.rules[place].alerts = [:] }
    }
    for place in open.values { episodes[place].isForgotten = true }  // In any order: a flag each.
    open = [:]
  }

  // MARK: evaluation

  /// Applies one evaluation of an alert rule; nil if it must have failed.
  mutating func step(
    _ sighting: RuleSighting, _ given: ModelRule.Circumstances
  ) -> [ModelTransition]? {
    let key = sighting.group.key
    let index = sighting.evaluation.index
    guard var rule = groups[key]?.rules[index], let observed = sighting.evaluation.observed else {
      return nil
    }
    let before = rule.alerts
    let transitions = rule.step(observed, given, at: sighting.slot)
    rule.isFailing = transitions == nil
    if rule.isFailing { rule.failedAt = sighting.slot }
    groups[key]?.rules[index] = rule
    if transitions == nil && rule.alerts.isEmpty {
      forget(before.keys.sorted(), at: sighting.slot)
    }
    for transition in transitions ?? [] {
      note(transition, of: rule, before: before[transition.labels], at: sighting.slot)
    }
    return transitions
  }

  /// The expression of a rule failed: everything stands still.
  mutating func fail(_ sighting: RuleSighting) {
    groups[sighting.group.key]?.rules[sighting.evaluation.index].isFailing = true
    groups[sighting.group.key]?.rules[sighting.evaluation.index].failedAt = sighting.slot
  }

  private mutating func note(
    _ transition: ModelTransition, of rule: ModelRule, before: ModelAlert?, at slot: Timestamp
  ) {
    guard let told = told(transition.labels) else { return }
    if transition.to == .firing {
      open[told] = episodes.count
      episodes.append(
        Episode(
          labels: told, startsAt: slot, rule: rule.definition.name,
          receivers: receiverNames.filter { owes($0, told) }))
    } else if transition.from == .firing, let place = open.removeValue(forKey: told) {
      episodes[place].endedAt = slot
      // Taken back because `for` has grown: the receivers' word just expires.
      episodes[place].isForgotten = transition.to == .pending
    }
  }

  private mutating func forget(_ labels: [LabelSet], at slot: Timestamp) {
    for told in labels.compactMap(told) {
      guard let place = open.removeValue(forKey: told) else { continue }
      episodes[place].isForgotten = true
      episodes[place].endedAt = slot
    }
  }

  // MARK: what receivers see

  /// Labels as notifications carry them; nil if relabelling drops the alert.
  func told(_ labels: LabelSet) -> LabelSet? {
    settings.alertRelabeling.apply(to: settings.global.externalLabels.merging(labels))
  }

  typealias FiringAlert = (told: LabelSet, alert: ModelAlert, rule: ModelRule)

  /// All firing alerts with the labels that receivers know them by.
  var firingAlerts: [FiringAlert] {
    rules.flatMap { _, _, rule in
      rule.alerts.keys.sorted().compactMap { labels in
        guard let alert = rule.alerts[labels], alert.state == .firing, let told = told(labels)
        else { return nil }
        return (told, alert, rule)
      }
    }
  }

  /// Webhooks by name, Alertmanagers by URL.
  var receiverNames: [String] {
    settings.webhooks.map(\.name)
      + settings.alertmanagers.flatMap { block in
        block.targets.flatMap(\.targets).map { "http://\($0)/api/v2/alerts" }
      }
  }

  /// Webhooks whose settings differ: what they are owed is settled anew.
  private static func changedHooks(_ old: Settings, _ new: Settings) -> Set<String> {
    Set(
      new.webhooks.filter { hook in
        guard let before = old.webhooks.first(where: { ByteOrder.equal($0.name, hook.name) })
        else { return false }
        return before.sendResolved != hook.sendResolved || before.maxAlerts != hook.maxAlerts
          || before.groupWait != hook.groupWait || before.groupInterval != hook.groupInterval
      }.map(\.name))
  }

  /// Names that several rules share: what one of them says of an alert the other may take back.
  var sharedNames: Set<String> {
    let names = rules.map(\.rule.definition.name)
    return Set(names.filter { name in names.count { ByteOrder.equal($0, name) } > 1 })
  }

  /// Whether a receiver has to hear of every firing of an alert.
  private func owes(_ receiver: String, _ labels: LabelSet) -> Bool {
    let hook = settings.webhooks.first { ByteOrder.equal($0.name, receiver) }
    return wants(receiver, labels) && hook.map { $0.maxAlerts == 0 } ?? true
  }

  /// Whether a receiver that is configured now wants an alert.
  func wants(_ receiver: String, _ labels: LabelSet) -> Bool {
    if let webhook = settings.webhooks.first(where: { ByteOrder.equal($0.name, receiver) }) {
      return webhook.matchers.allSatisfy { $0.matches(labels) }
    }
    return receiverNames.contains { ByteOrder.equal($0, receiver) }
  }
}
