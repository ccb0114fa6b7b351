import Engine
import Model
import Rules
import Storage

/// The whole daemon without I/O, clock or `async`: events go in with the time, effects come out.
///
/// The kernel owns the store, the rules, the targets and the outbox. Its caller sleeps until
/// `nextDeadline` or the next event, calls `handle`, carries out the effects and feeds their
/// outcomes back as events. The same events at the same times with the same seed yield the same
/// effects in every process. One owner at a time: there are no locks inside. An ad-hoc query takes
/// what it needs with `prepareQuery` and runs beside the kernel.
package final class Kernel {
  /// How often the store is tidied.
  private static let sweepInterval = PromDuration.seconds(30)

  package let store: Store
  package private(set) var settings = Settings()
  let environment: RuleEnvironment
  let scheduler: GroupScheduler
  let scraper: Scraper
  let outbox: Outbox
  private var nextSweep: Timestamp?
  private let savesAlerts: Bool
  private var saving = CheckpointSchedule()
  private var isStopping = false
  private var isDrained = false
  var reloads: UInt64 = 0
  /// Transitions since the start, by rule and new state.
  var transitionCounts: [TransitionKey: UInt64] = [:]

  /// Makes a kernel without rules, targets or receivers; `Event.reload` brings them.
  ///
  /// - Parameters:
  ///   - storage: how samples are kept until the first reload says otherwise.
  ///   - seed: of the jitter of retries.
  ///   - stopwatch: seconds on a clock that only moves forward, for durations in reports and
  ///     metrics; a pure run
  ///     leaves it out.
  ///   - savesAlerts: whether changes of alert state yield `Effect.persist`.
  package init(
    storage: StorageSettings = StorageSettings(), seed: UInt64 = 0, savesAlerts: Bool = false,
    stopwatch: @escaping () -> Double = { 0 }
  ) {
    self.savesAlerts = savesAlerts
    store = Store(
      StoreSettings(keep: storage.keep == .all ? .all : .rules, retention: storage.retention))
    environment = RuleEnvironment(store: store, stopwatch: stopwatch)
    scheduler = GroupScheduler(environment: environment)
    scraper = Scraper(store: store)
    outbox = Outbox(seed: seed)
    settings.storage = storage
  }

  /// When the kernel wants to be called at the latest; nil while it waits for nothing.
  package var nextDeadline: Timestamp? {
    [
      scheduler.nextDeadline, scraper.nextDeadline, outbox.nextDeadline, nextSweep,
      saving.deadline,
    ].compactMap { $0 }.min()
  }

  /// Takes one event, then everything that is due at `now`.
  package func handle(_ event: Event, at now: Timestamp) -> [Effect] {
    var effects = EffectList()
    switch event {
    case .tick: break
    case .reload where isStopping, .discovered where isStopping, .restore where isStopping:
      // It would start evaluations and scrapes anew.
      break
    case .reload(let new): reload(new, at: now, &effects)
    case .discovered(let job, let mechanism, let groups):
      scraper.discover(job: job, mechanism: mechanism, groups: groups, at: now, &effects)
    case .scraped(let id, let outcome): scraper.finish(id, outcome, at: now, &effects)
    case .delivered(let id, let outcome): outbox.finish(id, outcome, at: now, &effects)
    case .restore(let saved): restore(saved, at: now, &effects)
    case .stop: stop(at: now)
    }
    run(at: now, &effects)
    return effects.effects
  }

  private func run(at now: Timestamp, _ effects: inout EffectList) {
    scraper.run(at: now, &effects)
    let outcomes = scheduler.run(at: now, &effects)
    for outcome in outcomes { take(outcome, at: now, &effects) }
    outbox.run(at: now, &effects)
    if savesAlerts { save(outcomes.isEmpty, at: now, &effects) }
    if let due = nextSweep, due <= now {
      store.sweep(now: now)
      nextSweep = now + Self.sweepInterval
    }
    if isStopping && !isDrained && outbox.isDrained {
      isDrained = true
      if savesAlerts { effects.append(.persist(checkpoint(at: now))) }
      effects.append(.drained)
    }
  }

  /// Saves alert state that has changed, soon but not at every turn.
  private func save(_ isQuiet: Bool, at now: Timestamp, _ effects: inout EffectList) {
    if !isQuiet { saving.touch(at: now) }
    guard let due = saving.deadline, due <= now else { return }
    let checkpoint = checkpoint(at: now)
    if saving.shouldSave(checkpoint) { effects.append(.persist(checkpoint)) }
  }

  /// Tells log and receivers what an evaluation of a group did.
  private func take(_ outcome: GroupOutcome, at now: Timestamp, _ effects: inout EffectList) {
    for evaluation in outcome.evaluations {
      log(evaluation, of: outcome.group, &effects)
      outbox.notify(evaluation.due, query: evaluation.query, at: now, &effects)
    }
  }

  private func reload(_ new: Settings, at now: Timestamp, _ effects: inout EffectList) {
    keep(new)
    settings = new
    environment.externalLabels = new.global.externalLabels
    environment.externalURL = new.global.externalURL
    environment.queryOffset = new.global.ruleQueryOffset
    environment.resendDelay = new.global.resendDelay
    environment.resendsOnFailure = new.global.resendsOnFailure
    environment.onLimitBreach = new.global.holdsStateOnLimit ? .hold : .forget
    environment.engine.lookback = new.global.lookback
    environment.engine.maxSamples = new.global.maxSamples
    environment.engine.delayedNameRemoval = new.global.delayedNameRemoval
    environment.engine.startTimestamps = new.global.startTimestamps
    outbox.update(new, at: now, &effects)
    let orphans = scheduler.update(new.groups, at: now)
    for (rule, group) in orphans { resolve(rule, of: group, at: now, &effects) }
    scraper.update(new, at: now, &effects)
    if nextSweep == nil { nextSweep = now + Self.sweepInterval }
    reloads += 1
    if savesAlerts { saving.touch(at: now) }
    effects.log(
      .info, "config", "Configuration applied",
      [
        ("groups", "\(scheduler.groups.count)"),
        ("rules", "\(scheduler.groups.reduce(0) { $0 + $1.definition.rules.count })"),
        ("targets", "\(scraper.targetCount)"), ("webhooks", "\(outbox.webhooks.count)"),
        ("alertmanagers", "\(outbox.queues.count)"),
      ])
  }

  /// Tells the store what to keep, and for how long beyond the rules' windows.
  private func keep(_ new: Settings) {
    let old = settings.storage
    if new.storage.keep != old.keep || new.storage.retention != old.retention {
      store.keep(new.storage.keep == .all ? .all : .rules, retention: new.storage.retention)
    }
    let latest = new.groups.map { $0.queryOffset ?? new.global.ruleQueryOffset }.max() ?? .zero
    store.allowLateness(.minutes(1) + max(.zero, latest))
  }

  /// A rule is gone: its firing alerts are resolved at the receivers, which Prometheus leaves to
  /// expiry.
  private func resolve(
    _ rule: RuleRunner, of group: RuleGroupDefinition, at now: Timestamp,
    _ effects: inout EffectList
  ) {
    let (transitions, due) = rule.resolveAll(at: now)
    for transition in transitions {
      log(transition, rule: rule.definition.name, of: group, &effects)
    }
    outbox.notify(due, query: rule.queryText, at: now, &effects)
  }

  private func stop(at now: Timestamp) {
    if isStopping { return }
    isStopping = true
    if savesAlerts { saving.touch(at: now) }
    scheduler.stop()
    scraper.stop()
    nextSweep = nil
    outbox.stop(at: now)
  }
}
