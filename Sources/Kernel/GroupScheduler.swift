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

  private enum Key: Hashable {
    case group(String)
    case ending(Int)
  }

  private let environment: RuleEnvironment
  /// By file, then name.
  private(set) var groups: [GroupWork] = []
  private var endings: [Int: Ending] = [:]
  private var nextEnding = 0
  private var deadlines = DeadlineQueue<Key>()
  var evaluationDurations = DurationSummary()
  var groupDurations = DurationSummary()
  /// Evaluations that failed and were still told to the receivers, template expansions and their
  /// failures.
  var templateExpansions: UInt64 = 0
  var templateFailures: UInt64 = 0

  init(environment: RuleEnvironment) { self.environment = environment }

  var nextDeadline: Timestamp? { deadlines.first }

  /// Obeys new definitions; returns the rules that are gone, whose alerts the caller resolves.
  func update(
    _ definitions: [RuleGroupDefinition], at now: Timestamp
  ) -> [(rule: RuleRunner, group: RuleGroupDefinition)] {
    var old: [String: GroupWork] = [:]
    for group in groups { old[group.definition.key] = group }
    var orphans: [(rule: RuleRunner, group: RuleGroupDefinition)] = []
    var seen: Set<String> = []
    let distinct = definitions.filter { seen.insert($0.key).inserted }
    groups = distinct.map { definition in
      let before = old.removeValue(forKey: definition.key)
      if let before, before.runner.isSame(as: definition) { return before }
      let runner = RuleGroupRunner(
        definition, environment: environment, replacing: before?.runner)
      for rule in before?.runner.orphans ?? [] {
        orphans.append((rule, definition))
        end(rule, interval: definition.interval, at: now)
      }
      return begin(runner, before: before, at: now)
    }
    for gone in old.values.sorted(by: { isBefore($0.definition, $1.definition) }) {
      gone.runner.close()
      deadlines.remove(.group(gone.definition.key))
      for rule in gone.runner.orphans {
        orphans.append((rule, gone.definition))
        end(rule, interval: gone.definition.interval, at: now)
      }
    }
    groups.sort { isBefore($0.definition, $1.definition) }
    return orphans
  }

  private func isBefore(_ a: RuleGroupDefinition, _ b: RuleGroupDefinition) -> Bool {
    ByteOrder.equal(a.file, b.file)
      ? ByteOrder.less(a.name, b.name) : ByteOrder.less(a.file, b.file)
  }

  private func begin(
    _ runner: RuleGroupRunner, before: GroupWork?, at now: Timestamp
  ) -> GroupWork {
    let definition = runner.definition
    let schedule = SlotSchedule(
      interval: definition.interval, hash: StableHash.of("group", definition.file, definition.name))
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
    var outcomes: [GroupOutcome] = []
    while let (key, _) = deadlines.take(dueAt: now) {
      switch key {
      case .ending(let id):
        if let ending = endings.removeValue(forKey: id) { ending.rule.end(at: ending.endsAt) }
      case .group(let name):
        if let group = groups.first(where: { ByteOrder.equal($0.definition.key, name) }) {
          outcomes.append(evaluate(group, at: now, &effects))
        }
      }
    }
    return outcomes
  }

  private func evaluate(
    _ group: GroupWork, at now: Timestamp, _ effects: inout EffectList
  ) -> GroupOutcome {
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
    let evaluations = group.runner.evaluate(at: slot)
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
  func stop() { deadlines = DeadlineQueue() }
}
