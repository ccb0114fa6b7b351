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
  let pusher: Pusher
  private var nextSweep: Timestamp?
  var memoryLimit = MemoryLimitState()
  let savesState: Bool
  var saving = StateSaving()
  /// What happened last.
  package internal(set) var journal: Journal
  private var time = KernelTime()
  private var isStopping = false
  private var isDrained = false
  /// Reloads taken so far.
  package private(set) var reloads: UInt64 = 0
  /// Transitions since the start, by rule and new state.
  var transitionCounts: [TransitionKey: UInt64] = [:]

  /// Makes a kernel without rules, targets or receivers; `Event.reload` brings them.
  ///
  /// - Parameters:
  ///   - storage: how samples are kept until the first reload says otherwise.
  ///   - seed: of the jitter of retries, of notifications' keys and of the hash that recognises
  ///     scraped lines; a daemon takes a random one.
  ///   - stopwatch: seconds on a clock that only moves forward, for durations in reports and
  ///     metrics; a pure run
  ///     leaves it out.
  ///   - savesAlerts: whether changes of state yield `Effect.persist`.
  ///   - journalBounds: how much of what happened stays in memory.
  package init(
    storage: StorageSettings = StorageSettings(), seed: UInt64 = 0, savesAlerts: Bool = false,
    journalBounds: Journal.Bounds = Journal.Bounds(),
    stopwatch: @escaping () -> Double = { 0 }
  ) {
    savesState = savesAlerts
    journal = Journal(bounds: journalBounds)
    store = Store(
      StoreSettings(keep: storage.keep == .all ? .all : .rules, retention: storage.retention))
    environment = RuleEnvironment(store: store, stopwatch: stopwatch)
    scheduler = GroupScheduler(environment: environment)
    scraper = Scraper(store: store, seed: seed, stopwatch: stopwatch)
    outbox = Outbox(seed: seed, survives: savesAlerts)
    pusher = Pusher(store: store)
    settings.storage = storage
  }

  /// Sees every evaluation of a rule; a simulation sets it.
  package var inspector: RuleInspector? {
    get { environment.inspector }
    set { environment.inspector = newValue }
  }

  /// Who evaluates independent rules side by side; nil evaluates one after the other.
  ///
  /// Effects are the same with and without.
  package var parallelWork: (any ParallelWork)? {
    get { scheduler.batch.work }
    set { scheduler.batch.work = newValue }
  }

  /// Whether rules of a group evaluate what they have in common once; a matter of speed only.
  package var sharesExpressions: Bool {
    get { environment.sharesExpressions }
    set { environment.sharesExpressions = newValue }
  }

  /// Seconds of expected work from which `parallelWork` is asked for help.
  package var evaluationsWorthHelp: Double {
    get { scheduler.batch.worthwhile }
    set { scheduler.batch.worthwhile = newValue }
  }

  /// When the kernel wants to be called at the latest; nil while it waits for nothing.
  package var nextDeadline: Timestamp? {
    [
      scheduler.nextDeadline, scraper.nextDeadline, outbox.nextDeadline, nextSweep,
      saving.deadline, pusher.nextDeadline,
    ].compactMap { $0 }.min().map(time.reading)
  }

  /// Takes one event, then everything that is due at `clock`.
  ///
  /// The clock may be set back or forward between two calls; see `KernelTime`.
  package func handle(_ event: Event, at clock: Timestamp) -> [Effect] {
    let now = time.advance(to: clock)
    var effects = EffectList()
    switch event {
    case .tick: break
    case .reload where isStopping, .discovered where isStopping, .restore where isStopping,
      .discoveredAlertmanagers where isStopping:
      // It would start evaluations and scrapes anew.
      break
    case .reload(let new): reload(new, at: now, &effects)
    case .discovered(let job, let mechanism, let groups):
      scraper.discover(job: job, mechanism: mechanism, groups: groups, at: now, &effects)
    case .scraped(let id, var outcome):
      outcome.started = outcome.started + time.lead
      scraper.finish(id, outcome, at: now, &effects)
    case .discoveredAlertmanagers(let config, let mechanism, let groups):
      outbox.discover(config: config, mechanism: mechanism, groups: groups, at: now, &effects)
    case .delivered(let id, let outcome): outbox.finish(id, outcome, at: now, &effects)
    case .restore(let saved): restore(saved, at: now, &effects)
    case .storage(let problem): noteStorage(problem, at: now, &effects)
    case .stop:
      // What is due comes first: after a suspension alerts that still fire would count as expired.
      if !isStopping { run(isQuiet: true, at: now, &effects) }
      stop(at: now)
    }
    var isQuiet = false
    if case .tick = event { isQuiet = true }
    if case .reload = event {} else if reloads > 0 { saving.begins = true }
    run(isQuiet: isQuiet, at: now, &effects)
    return effects.effects
  }

  private func run(isQuiet: Bool, at now: Timestamp, _ effects: inout EffectList) {
    pusher.run(at: now)
    scraper.run(at: now, &effects)
    for scrape in scraper.takeCommitted() { scheduler.note(scrape, at: now) }
    let outcomes = scheduler.run(at: now, &effects)
    for outcome in outcomes { take(outcome, at: now, &effects) }
    let place = effects.effects.count
    outbox.run(at: now, &effects)
    for record in effects.takeRecords() { journal.append(record.event, at: record.time ?? now) }
    if savesState && saving.begins {
      save(isQuiet: isQuiet && outcomes.isEmpty, before: place, at: now, &effects)
    }
    if let due = nextSweep, due <= now {
      store.sweep(now: now)
      keepWithinMemory(at: now, &effects)
      nextSweep = now + Self.sweepInterval
    }
    if isStopping && !isDrained && outbox.isDrained {
      isDrained = true
      if savesState && saving.begins { effects.append(.persist(lastBatch(at: now))) }
      effects.append(.drained)
    }
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
    environment.policies = new.policies
    outbox.update(new, at: now, &effects)
    scheduler.beginning = new.global.groupsBegin
    let intervals = scheduler.intervals
    let orphans = scheduler.update(
      new.groups, holding: new.heldFiles, patience: Patience(from: now, for: patience), at: now)
    scheduler.obey(new.triggers, at: now)
    for (rule, group) in orphans { resolve(rule, of: group, at: now, &effects) }
    renew(sinceIntervals: intervals, at: now, &effects)
    logQuarantine(&effects)
    scraper.update(new, at: now, &effects)
    if nextSweep == nil { nextSweep = now + Self.sweepInterval }
    reloads += 1
    if savesState { saving.touch(at: now) }
    effects.log(
      .info, "config", "Configuration applied",
      [
        ("groups", "\(scheduler.groups.count)"),
        ("rules", "\(scheduler.groups.reduce(0) { $0 + $1.runner.rules.count })"),
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
    let groups = new.groups + (new.heldFiles.isEmpty ? [] : scheduler.groups.map(\.definition))
    let latest = groups.map { $0.queryOffset ?? new.global.ruleQueryOffset }.max() ?? .zero
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

  /// Tells the firing alerts of groups again that are evaluated less often from now on: what
  /// receivers were told is valid for four of the old intervals.
  private func renew(
    sinceIntervals old: [String: PromDuration], at now: Timestamp, _ effects: inout EffectList
  ) {
    for group in scheduler.groups {
      let interval = group.definition.interval
      guard let before = old[group.definition.key], before < interval else { continue }
      for rule in group.runner.rules {
        let due = rule.renew(at: now, next: group.nextSlot, interval: interval)
        outbox.notify(due, query: rule.queryText, at: now, &effects)
      }
    }
  }

  private func stop(at now: Timestamp) {
    if isStopping { return }
    isStopping = true
    if savesState { saving.touch(at: now) }
    scheduler.stop()
    scraper.stop()
    nextSweep = nil
    outbox.stop(at: now)
  }
}
