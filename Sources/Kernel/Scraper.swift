import Exposition
import Model
import Storage

/// Counts over all scrapes since the start.
struct ScrapeCounts {
  var duplicates: UInt64 = 0
  var outOfOrder: UInt64 = 0
  var outOfBounds: UInt64 = 0
  var exceededSampleLimit: UInt64 = 0
  var exceededBodySize: UInt64 = 0
  var exceededBucketLimit: UInt64 = 0
  var skipped: UInt64 = 0
  var scrapes: UInt64 = 0
  var samples: UInt64 = 0
}

/// All targets: who is scraped when, one request at a time each.
final class Scraper {
  /// A target that is gone, whose series end after it would have missed two scrapes.
  private struct Ending {
    let target: Target
    /// The time of the first scrape that did not happen.
    let endsAt: Timestamp
  }

  private enum Key: Hashable {
    case scrape(TargetID)
    case ending(TargetID)
  }

  /// How far a scrape may lie behind its slot and still carry the slot's time.
  private static let alignment = PromDuration.milliseconds(2)

  private let store: Store
  private(set) var pools: [ScrapePool] = []
  private(set) var counts = ScrapeCounts()
  /// Time between scrapes of a target, by the interval asked for.
  private(set) var intervals: [PromDuration: DurationSummary] = [:]
  /// From request to answer.
  private(set) var durations = DurationHistogram(DurationHistogram.requests)
  private let stopwatch: () -> Double
  private var targets: [TargetID: Target] = [:]
  private var endings: [TargetID: Ending] = [:]
  private var deadlines = DeadlineQueue<Key>()
  private let buffers: ScanBuffers
  private var nextID: UInt64 = 1
  private var userAgent = ""
  private var isStopped = false
  /// Scrapes that are in the store and that nobody was told of yet.
  private var committed: [CommittedScrape] = []

  init(store: Store, seed: UInt64 = 0, stopwatch: @escaping () -> Double = { 0 }) {
    self.store = store
    buffers = ScanBuffers(seed: seed)
    self.stopwatch = stopwatch
  }

  var nextDeadline: Timestamp? { deadlines.first }
  var targetCount: Int { targets.count }

  /// Obeys new settings; targets that stay keep their state and their source.
  func update(_ settings: Settings, at now: Timestamp, _ effects: inout EffectList) {
    userAgent = settings.global.userAgent
    let old = pools
    pools = settings.scrapes.map { new in
      guard let pool = old.first(where: { ByteOrder.equal($0.settings.jobName, new.jobName) })
      else { return ScrapePool(new) }
      pool.update(new)
      return pool
    }
    for gone in old where !pools.contains(where: { $0 === gone }) {
      for target in gone.targets { end(target) }
    }
    for pool in pools { sync(pool, refresh: true, at: now, &effects) }
  }

  /// Takes the news of a discovery.
  func discover(
    job: String, mechanism: String, groups: [TargetGroup], at now: Timestamp,
    _ effects: inout EffectList
  ) {
    guard let pool = pools.first(where: { ByteOrder.equal($0.settings.jobName, job) }) else {
      return
    }
    pool.discover(mechanism: mechanism, groups: groups)
    sync(pool, refresh: false, at: now, &effects)
  }

  /// Brings the targets of a pool in line with what was discovered.
  private func sync(
    _ pool: ScrapePool, refresh: Bool, at now: Timestamp, _ effects: inout EffectList
  ) {
    let started = stopwatch()
    defer { pool.syncLengths.observe(stopwatch() - started) }
    let specs = pool.specs(&effects)
    var known: [String: Target] = [:]
    for target in pool.targets { known[target.spec.key] = target }
    let limit = pool.settings.targetLimit
    var forced: String?
    if limit > 0, specs.count > limit {
      pool.exceededTargetLimit += 1
      forced = "target_limit exceeded (number of targets: \(specs.count), limit: \(limit))"
    }
    pool.targets = specs.map { spec in
      let target: Target
      if let old = known.removeValue(forKey: spec.key) {
        target = old
        if refresh || spec.interval != old.spec.interval || spec.timeout != old.spec.timeout {
          target.update(spec, pool.settings, at: now)
          deadlines.set(.scrape(target.id), at: target.nextSlot)
        }
      } else {
        target = begin(spec, pool.settings, at: now)
      }
      target.forcedFailure = forced
      return target
    }
    for gone in known.values.sorted(by: { $0.id.raw < $1.id.raw }) { end(gone) }
  }

  /// Starts a target, or takes one up again whose end is not marked yet.
  private func begin(_ spec: TargetSpec, _ settings: ScrapeSettings, at now: Timestamp) -> Target {
    let returning = endings.values.first {
      ByteOrder.equal($0.target.spec.key, spec.key)
        && ByteOrder.equal($0.target.job, settings.jobName)
    }
    let target: Target
    if let returning {
      target = returning.target
      endings[target.id] = nil
      deadlines.remove(.ending(target.id))
      target.update(spec, settings, at: now)
      target.nextSlot = target.schedule.slot(after: now)
    } else {
      target = Target(
        id: TargetID(raw: nextID), spec: spec, settings: settings,
        source: store.openSource("target \(settings.jobName) \(spec.url)"), buffers: buffers,
        now: now)
      nextID += 1
    }
    targets[target.id] = target
    if !isStopped { deadlines.set(.scrape(target.id), at: target.nextSlot) }
    return target
  }

  /// Stops a target; its series end two intervals and a bit later.
  private func end(_ target: Target) {
    targets[target.id] = nil
    deadlines.remove(.scrape(target.id))
    target.inFlight = nil
    endings[target.id] = Ending(target: target, endsAt: target.nextSlot)
    let interval = target.spec.interval
    let pause = interval + .milliseconds(interval.milliseconds / 10)
    deadlines.set(.ending(target.id), at: target.nextSlot + pause)
  }

  /// Lets every scrape leave that is due.
  func run(at now: Timestamp, _ effects: inout EffectList) {
    while let (key, _) = deadlines.take(dueAt: now) {
      switch key {
      case .scrape(let id):
        if let target = targets[id] { scrape(target, at: now, &effects) }
      case .ending(let id):
        if let ending = endings.removeValue(forKey: id) { markEnd(ending) }
      }
    }
  }

  private func scrape(_ target: Target, at now: Timestamp, _ effects: inout EffectList) {
    let slot = target.schedule.slot(atOrBefore: now)
    target.nextSlot = slot + target.spec.interval
    deadlines.set(.scrape(target.id), at: target.nextSlot)
    if let began = target.inFlight {
      // An answer that never comes must not silence the target for good.
      if now - began <= target.spec.timeout + target.spec.interval * 2 {
        counts.skipped += 1
        return
      }
    }
    target.inFlight = slot
    if let failure = target.forcedFailure {
      let outcome = ScrapeOutcome(result: .failure(failure), started: now, duration: .zero)
      finish(target.id, outcome, at: now, &effects)
    } else {
      effects.append(.scrape(target.id, target.request(userAgent: userAgent)))
    }
  }

  /// Takes the outcome of a scrape; one that nobody waits for is ignored.
  func finish(
    _ id: TargetID, _ outcome: ScrapeOutcome, at now: Timestamp, _ effects: inout EffectList
  ) {
    guard let target = targets[id], let slot = target.inFlight else { return }
    target.inFlight = nil
    durations.observe(outcome.seconds)
    let time = aligned(outcome.started, slot: slot, interval: target.spec.interval)
    if let last = target.lastScrape {
      intervals[target.spec.interval, default: DurationSummary()].observe((time - last).seconds)
    }
    var commit = ScrapeCommit(target: target, store: store, now: now)
    let failure = commit.write(outcome, at: time)
    committed.append(
      CommittedScrape(
        source: target.source, time: time, hasTimed: !target.timedSeries.isEmpty))
    add(commit.tally)
    let tally = commit.tally
    target.note(
      refused: tally.duplicates + tally.outOfOrder + tally.outOfBounds > 0, tally, &effects)
    if let warning = commit.warning { target.warnOnce(warning, &effects) }
    target.note(
      failure, at: time, seconds: outcome.seconds, samples: commit.tally.scraped, &effects)
  }

  /// - Note: As Prometheus: within 2 ms and 1 % of the interval a scrape carries the time of its
  ///   slot.
  private func aligned(
    _ started: Timestamp, slot: Timestamp, interval: PromDuration
  ) -> Timestamp {
    let tolerance = min(Self.alignment, .milliseconds(interval.milliseconds / 100))
    let delay = started - slot
    return delay >= .zero && delay <= tolerance ? slot : started
  }

  /// The scrapes that were committed since the last call.
  func takeCommitted() -> [CommittedScrape] {
    if committed.isEmpty { return [] }
    defer { committed.removeAll(keepingCapacity: true) }
    return committed
  }

  private func add(_ tally: ScrapeTally) {
    counts.scrapes += 1
    counts.samples += UInt64(tally.scraped)
    counts.duplicates += UInt64(tally.duplicates)
    counts.outOfOrder += UInt64(tally.outOfOrder)
    counts.outOfBounds += UInt64(tally.outOfBounds)
    counts.exceededSampleLimit += tally.exceededSampleLimit ? 1 : 0
    counts.exceededBodySize += tally.exceededBodySize ? 1 : 0
    counts.exceededBucketLimit += tally.exceededBucketLimit ? 1 : 0
  }

  private func markEnd(_ ending: Ending) {
    let target = ending.target
    if let row = try? store.beginRow(target.source, at: ending.endsAt) {
      store.commit(row, markMissingStale: true)
    }
    for series in target.liveTimed {
      _ = try? store.append(to: series, at: ending.endsAt, .float(SpecialValue.stale))
    }
    store.closeSource(target.source)
  }

  /// No more scrapes; those on their way are still taken.
  func stop() {
    isStopped = true
    deadlines = DeadlineQueue()
  }
}
