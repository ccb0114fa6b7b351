import Model
import Rules

/// Decides when state is worth saving: soon after it changed, never more than once a second.
struct StateSaving {
  private static let pace = PromDuration.seconds(1)
  /// While there are alerts, a checkpoint as old as this is renewed, so that its age tells when the
  /// process ended.
  private static let renewal = PromDuration.minutes(1)
  /// How often what has become obsolete is listed.
  private static let clearing = PromDuration.seconds(30)

  /// Whether to save at all: what an earlier process saved comes right after the first settings,
  /// and nothing replaces it before.
  var begins = false
  /// Why saving fails at the moment.
  var problem: String?
  /// The outbox as it was saved last.
  var outboxVersion: UInt64 = 0
  /// The first entry of the journal that is not saved.
  var nextSequence: UInt64 = 1
  private var last = AlertCheckpoint(time: Timestamp(milliseconds: 0), rules: [])
  private var looked: Timestamp?
  private var cleared: Timestamp?
  /// When to look next; nil while nothing has happened and there is nothing to renew.
  private(set) var deadline: Timestamp?
  /// Whether an alert has changed its state since the alerts were saved.
  var hasTransitions = false

  /// Something happened that may have changed what is to be saved.
  mutating func touch(at now: Timestamp) {
    let soonest = looked.map { max(now, $0 + Self.pace) } ?? now
    deadline = deadline.map { min($0, soonest) } ?? soonest
  }

  func isDue(at now: Timestamp) -> Bool { deadline.map { $0 <= now } ?? false }

  /// The time has come: the next one is a second from now, or when alerts are to be renewed.
  mutating func noteLook(at now: Timestamp) {
    looked = now
    deadline = last.rules.isEmpty ? nil : max(now + Self.pace, last.time + Self.renewal)
  }

  /// Whether to save the alerts as they stand now.
  mutating func shouldSave(_ checkpoint: AlertCheckpoint) -> Bool {
    let isOld = !checkpoint.rules.isEmpty && checkpoint.time - last.time >= Self.renewal
    hasTransitions = false
    let saves = isOld || !checkpoint.saysTheSame(as: last)
    if saves { last = checkpoint }
    return saves
  }

  /// Everything is saved anew: what is stored may be less than was handed out.
  mutating func startOver(at now: Timestamp) {
    last = AlertCheckpoint(time: Timestamp(milliseconds: 0), rules: [])
    outboxVersion = .max
    touch(at: now)
  }

  /// Whether to list what has become obsolete.
  mutating func shouldClear(at now: Timestamp) -> Bool {
    if let cleared, now - cleared < Self.clearing, now >= cleared { return false }
    defer { cleared = now }
    return cleared != nil
  }
}

extension Kernel {
  /// Hands out what is to be saved, before the requests of this turn that rely on it.
  ///
  /// - Parameter place: where the effects of the outbox begin.
  func save(isQuiet: Bool, before place: Int, at now: Timestamp, _ effects: inout EffectList) {
    let outboxChanged = outbox.version != saving.outboxVersion
    if !isQuiet || outboxChanged { saving.touch(at: now) }
    let isDue = saving.isDue(at: now)
    guard isDue || outboxChanged && effects.delivers(from: place) else { return }
    let batch = batch(withSamples: isDue, at: now)
    if !batch.isEmpty { effects.insert(.persist(batch), at: place) }
  }

  /// The last word before the process ends.
  func lastBatch(at now: Timestamp) -> StateBatch {
    var batch = batch(withSamples: true, at: now)
    batch.alerts = checkpoint(at: now)
    batch.isLast = true
    return batch
  }

  private func batch(withSamples: Bool, at now: Timestamp) -> StateBatch {
    var batch = StateBatch(time: now)
    // An alert that a notification speaks of is saved with it.
    if withSamples || saving.hasTransitions {
      let checkpoint = checkpoint(at: now)
      if saving.shouldSave(checkpoint) { batch.alerts = checkpoint }
    }
    if withSamples { saving.noteLook(at: now) }
    if withSamples && saving.problem == nil {
      let samples = store.takeChanges(listsObsolete: saving.shouldClear(at: now))
      if !samples.isEmpty { batch.samples = samples }
    }
    if outbox.version != saving.outboxVersion {
      batch.outbox = outbox.checkpoint()
      saving.outboxVersion = outbox.version
    }
    batch.journal = journal.entries(from: saving.nextSequence)
    saving.nextSequence = journal.nextSequence
    return batch
  }

  /// Hears whether saving works; says so once per change.
  func noteStorage(_ problem: String?, at now: Timestamp, _ effects: inout EffectList) {
    let before = saving.problem
    saving.problem = problem
    if let problem {
      if before != nil { return }
      effects.log(
        .error, "storage",
        "State cannot be saved: it is kept in memory only, and saving is tried again",
        [("err", problem)])
    } else {
      // Samples were dropped meanwhile, and the file may be another one: what is stored is worth
      // nothing.
      store.forgetChanges()
      saving.startOver(at: now)
      if before != nil { effects.log(.info, "storage", "State is saved again") }
    }
  }

  /// Why state cannot be saved at the moment; nil while it can, or need not.
  package var storageProblem: String? { saving.problem }

  func writeStorageMetrics(to out: inout MetricsText) {
    if !savesState { return }
    out.single(
      "tocsin_storage_degraded", .gauge,
      "Whether state is kept in memory only because it cannot be saved.",
      saving.problem == nil ? 0 : 1)
  }
}
