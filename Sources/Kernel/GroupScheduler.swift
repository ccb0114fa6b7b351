import Model
import Rules

/// A group at work with its slots and counts.
final class GroupWork {
  var runner: RuleGroupRunner
  let schedule: SlotSchedule
  var nextSlot: Timestamp
  // Counted since the group was loaded.
  var iterations: UInt64 = 0
  var missed: UInt64 = 0
  var evaluations: UInt64 = 0
  var failures: UInt64 = 0
  var lastSamples = 0
  /// Set for a group that is evaluated behind scrapes too.
  var following: ScrapeFollowing?

  init(_ runner: RuleGroupRunner, schedule: SlotSchedule, nextSlot: Timestamp) {
    self.runner = runner
    self.schedule = schedule
    self.nextSlot = nextSlot
  }

  var definition: RuleGroupDefinition { runner.definition }
}

/// What happened to a rule that should reach the log and the receivers.
struct GroupOutcome {
  let group: RuleGroupDefinition
  let evaluations: [RuleEvaluation]
}

/// All groups: who is evaluated when, and what becomes of them on reload.
final class GroupScheduler {
  /// A rule that is gone, whose series end later so that a renamed rule can take over without a
  /// gap.
  private struct Ending {
    let rule: RuleRunner
    let endsAt: Timestamp
  }

  enum Key: Hashable {
    case group(String)
    case scraped(String)
    case ending(Int)
  }

  let environment: RuleEnvironment
  /// By file, then name.
  private(set) var groups: [GroupWork] = []
  private var byKey: [String: GroupWork] = [:]
  private var endings: [Int: Ending] = [:]
  private var nextEnding = 0
  var deadlines = DeadlineQueue<Key>()
  /// The groups that follow scrapes, by file, then name.
  var followers: [GroupWork] = []
  var evaluationDurations = DurationSummary()
  var groupDurations = DurationSummary()
  /// Evaluations that failed and were still told to the receivers, template expansions and their
  /// failures.
  var templateExpansions: UInt64 = 0
  var templateFailures: UInt64 = 0
  /// How groups that are due together are evaluated.
  let batch = RuleBatch()

  /// From when all groups count their intervals; nil: each has a phase of its own.
  var beginning: Timestamp?

  init(environment: RuleEnvironment) { self.environment = environment }

  var nextDeadline: Timestamp? { deadlines.first }

  /// Obeys new definitions; returns the rules that are gone, whose alerts the caller resolves.
  ///
  /// The groups of held files that the definitions do not name run on. While `patience` lasts
  /// alerts of a changed rule stand still if its new expression selects what nobody has kept so
  /// far.
  func update(
    _ definitions: [RuleGroupDefinition], holding held: [HeldFile], patience: Patience,
    at now: Timestamp
  ) -> [(rule: RuleRunner, group: RuleGroupDefinition)] {
    let kept = groups.filter { isHeld($0, held, beside: definitions) }
    let changing = groups.filter { group in !kept.contains { $0 === group } }
    let reload = RuleGroupReload(
      from: changing.map(\.runner), to: definitions, environment: environment,
      patience: patience)
    for group in kept { group.runner.refreshPolicies() }
    // Everything is prepared; from here on nothing can fail.
    var old: [ObjectIdentifier: GroupWork] = [:]
    for group in changing { old[ObjectIdentifier(group.runner)] = group }
    groups = kept
    byKey = Dictionary(kept.map { ($0.definition.key, $0) }, uniquingKeysWith: { a, _ in a })
    for item in reload.items {
      let before = item.replaced.flatMap { old.removeValue(forKey: ObjectIdentifier($0)) }
      let work: GroupWork
      if let before, item.isUntouched {
        work = before
      } else {
        work = begin(item.runner, before: before, at: now)
      }
      groups.append(work)
      byKey[work.definition.key] = work
    }
    // In any order: each forgets its own deadline.
    for gone in old.values {
      deadlines.remove(.group(gone.definition.key))
      deadlines.remove(.scraped(gone.definition.key))
    }
    for (rule, group) in reload.orphans { end(rule, interval: group.interval, at: now) }
    groups.sort { isBefore($0.definition, $1.definition) }
    batch.forget()
    reload.finish()
    return reload.orphans
  }

  /// The time between evaluations by the groups' keys.
  var intervals: [String: PromDuration] { byKey.mapValues(\.definition.interval) }

  /// Whether a group stays because its file cannot tell what has become of it.
  func isHeld(
    _ group: GroupWork, _ held: [HeldFile], beside definitions: [RuleGroupDefinition]
  ) -> Bool {
    held.contains { ByteOrder.equal($0.file, group.definition.file) }
      && !definitions.contains { ByteOrder.equal($0.key, group.definition.key) }
  }

  private func isBefore(_ a: RuleGroupDefinition, _ b: RuleGroupDefinition) -> Bool {
    ByteOrder.equal(a.file, b.file)
      ? ByteOrder.less(a.name, b.name) : ByteOrder.less(a.file, b.file)
  }

  private func begin(
    _ runner: RuleGroupRunner, before: GroupWork?, at now: Timestamp
  ) -> GroupWork {
    let definition = runner.definition
    let schedule =
      beginning.map { SlotSchedule(interval: definition.interval, from: $0) }
      ?? SlotSchedule(
        interval: definition.interval,
        hash: StableHash.of("group", definition.file, definition.name))
    // Never a slot at or before one that has been evaluated, whatever the new phase.
    let floor = max(now, runner.lastEvaluation ?? now)
    let work = GroupWork(runner, schedule: schedule, nextSlot: schedule.slot(after: floor))
    if let before {
      work.iterations = before.iterations
      work.missed = before.missed
      work.evaluations = before.evaluations
      work.failures = before.failures
    }
    deadlines.set(.group(definition.key), at: work.nextSlot)
    return work
  }

  /// - Note: Prometheus, too, waits two intervals and then marks the series stale at the time of
  ///   the change.
  private func end(_ rule: RuleRunner, interval: PromDuration, at now: Timestamp) {
    endings[nextEnding] = Ending(rule: rule, endsAt: now)
    deadlines.set(.ending(nextEnding), at: now + interval * 2)
    nextEnding += 1
  }

  /// Evaluates every group that is due, in the order of their slots.
  func run(at now: Timestamp, _ effects: inout EffectList) -> [GroupOutcome] {
    let due = takeDue(at: now, &effects)
    let results = batch.evaluate(due.map { ($0.group.runner, $0.slot) })
    return zip(due, results).map { note($1, of: $0.group) }
  }

  /// The groups that are due with the slots they are due for, in the order of their deadlines; each
  /// waits for its next slot then.
  private func takeDue(
    at now: Timestamp, _ effects: inout EffectList
  ) -> [(group: GroupWork, slot: Timestamp)] {
    var due: [(group: GroupWork, slot: Timestamp)] = []
    var waiting: [GroupWork] = []
    while let (key, _) = deadlines.take(dueAt: now) {
      switch key {
      case .ending(let id):
        if let ending = endings.removeValue(forKey: id) { ending.rule.end(at: ending.endsAt) }
      case .group(let name):
        if let group = byKey[name] { due.append((group, advance(group, at: now, &effects))) }
      case .scraped(let name):
        if let group = byKey[name] { waiting.append(group) }
      }
    }
    for (group, slot) in due { group.following?.settle(at: slot) }
    due += takeFollowers(waiting, besides: due, at: now)
    return due
  }

  /// Moves a group to the newest slot; the ones it missed are counted, never made up for.
  private func advance(
    _ group: GroupWork, at now: Timestamp, _ effects: inout EffectList
  ) -> Timestamp {
    let slot = group.schedule.slot(atOrBefore: now)
    let missed = group.schedule.slots(from: group.nextSlot, to: slot)
    if missed > 0 {
      group.missed += UInt64(missed)
      effects.log(
        .warn, "rules", "Rule group evaluations missed",
        [
          ("file", group.definition.file), ("group", group.definition.name),
          ("missed", "\(missed)"),
        ])
    }
    group.iterations += UInt64(max(0, missed)) + 1
    group.nextSlot = slot + group.definition.interval
    deadlines.set(.group(group.definition.key), at: group.nextSlot)
    return slot
  }

  private func note(_ evaluations: [RuleEvaluation], of group: GroupWork) -> GroupOutcome {
    group.evaluations += UInt64(evaluations.count)
    group.failures += UInt64(evaluations.count { $0.problem != nil })
    group.lastSamples = evaluations.reduce(0) { $0 + $1.samples }
    groupDurations.observe(group.runner.lastDuration)
    for evaluation in evaluations {
      evaluationDurations.observe(evaluation.duration)
      templateExpansions += UInt64(evaluation.templateExpansions)
      templateFailures += UInt64(evaluation.templateProblems.count)
    }
    return GroupOutcome(group: group.definition, evaluations: evaluations)
  }

  /// No more evaluations.
  func stop() {
    deadlines = DeadlineQueue()
    followers = []
  }
}
