import Engine
import Kernel
import Model
import PromQL
import Rules

/// All checkers of a world and what they remember.
///
/// They see the kernel as the rest of the program does: its effects, its reports, its store; and
/// through `RuleInspector` what the evaluations yielded. From that the model says what must be.
final class Checks {
  /// What was seen of a group's slots.
  struct Slots {
    var interval: PromDuration
    var last: Timestamp?
    /// No slot at or before this one counts as missed.
    var floor: Timestamp
    var missed = 0
    var iterations = 0
    /// The group has had no rules for a while: its evaluations cannot be seen.
    var isBlind = false
  }

  private static let problemLimit = 20

  private(set) var problems: [Verdict.Problem] = []
  private(set) var evaluations = 0
  var deliveries = 0
  let chance: Chance
  var tampering: Tampering?
  let tamperingState = TamperingState()

  var model = AlertModel()
  var sightings: [RuleSighting] = []
  /// Those of this step whose series are compared with the model.
  var sampled: [RuleSighting] = []
  var slots: [String: Slots] = [:]
  /// Phases by group and interval: the same in every life.
  var phases: [String: Int64] = [:]
  /// Notifications on their way: who asked for them.
  var requests: [DeliveryID: (lane: String, message: Message)] = [:]
  /// By receiver and group the key of the notification that has not been accepted yet.
  var outstanding: [String: String] = [:]
  var seenKeys: Set<String> = []
  /// Keys of notifications that a receiver did not want: their text is told again under them.
  var refusedKeys: Set<String> = []
  /// Keys of notifications that an earlier process has left.
  var inheritedKeys: Set<String> = []
  /// By receiver and key: a time that the receiver named.
  var notBefore: [String: Timestamp] = [:]
  var waived: Set<Waiver> = []
  /// Alert names that several rules have had at a time.
  var sharedNames: Set<String> = []
  /// When it was changed last how much a webhook is told of the end of alerts.
  var changedAt: [String: Timestamp] = [:]
  /// When a webhook was configured for the first time, or again.
  var addedAt: [String: Timestamp] = [:]
  var everFired: Set<EpisodeName> = []
  /// Of pending alerts whose `for` may stand still: how long they have waited, and until when.
  var waited: [LabelSet: (time: PromDuration, until: Timestamp)] = [:]
  /// When the process was disturbed last: killed, suspended, its clock set.
  var disturbedUntil = Timestamp.distantPast
  var disturbances: [(from: Timestamp, until: Timestamp)] = []
  var receiverTroubles: [Int: [(from: Timestamp, until: Timestamp)]] = [:]
  var reloadedAt = Timestamp.distantPast
  /// When the labels that all notifications carry were changed last.
  var relabeledAt = Timestamp.distantPast
  var startedAt = Timestamp.distantPast
  /// When a process ended last that could not save what it knew.
  var amnesiaAt = Timestamp.distantPast
  /// Until when a restored alert that is not in the result has to wait at most.
  var patience = Timestamp.distantPast
  /// Until when it has to wait at least, unless every target was scraped: time in which something
  /// could be evaluated.
  var leastPatience = Timestamp.distantPast
  var expectsSilence = false
  private var isRestoring = false
  /// What the last process was told to do.
  private var lastSettings = Settings()
  /// The last entry of the journal that was handed out to be saved.
  private var journaled: UInt64?
  /// Targets that have not been scraped since the process found alerts of an earlier one.
  var unheard: Set<String> = []
  var now = Timestamp.distantPast
  var looks = 0
  private var results = 0

  init(settings: Settings, chance: Chance) { self.chance = chance }

  func report(_ check: String, _ text: @autoclosure () -> String) {
    if problems.count < Self.problemLimit {
      problems.append(Verdict.Problem(check: check, text: text()))
    }
  }

  // MARK: lives

  /// A process starts; nothing is known to it yet.
  func begin(_ kernel: Kernel, _ settings: Settings, at now: Timestamp) {
    self.now = now
    startedAt = now
    requests = [:]
    outstanding = [:]
    // What an answer asked for may not have been saved.
    notBefore = [:]
    waited = [:]
    slots = [:]
    unheard = []
    journaled = nil
    model = AlertModel(episodesOf: model)
    let before = lastSettings
    reload(Settings(), settings, at: now, isStart: true)
    noteChanges(from: before, to: settings)
    kernel.inspector = RuleInspector(
      sawResult: { [unowned self, unowned kernel] in self.sawResult($0, at: $1, $2, kernel) },
      sawEvaluation: { [unowned self] in sightings.append($0) })
  }

  /// What has been saved comes back.
  func willRestore(_ disk: Disk, _ settings: Settings, at now: Timestamp) {
    outstanding = disk.outstanding
    let left = disk.state?.outbox?.webhooks.flatMap(\.groups) ?? []
    inheritedKeys = Set(left.compactMap { $0.outstanding?.key })
    guard let (saved, time) = disk.model else { return }
    model = saved
    model.reload(settings, at: now, isStart: true)
    if now - time > settings.global.outageTolerance {
      model.forgetAlerts()
    } else {
      model.restore(savedAt: time, at: now)
      isRestoring = true
    }
    let intervals = settings.scrapes.map(\.interval)
    leastPatience =
      now + (intervals.max() ?? .zero) * 3 + (settings.groups.map(\.interval).max() ?? .zero)
    unheard = Set(
      settings.scrapes.flatMap(\.staticTargets).flatMap(\.targets).map { "http://\($0)/metrics" })
    beginPatience(settings, at: now)
  }

  private func beginPatience(_ settings: Settings, at now: Timestamp) {
    let scrape = settings.scrapes.map(\.interval).max() ?? .zero
    let group = settings.groups.map(\.interval).max() ?? .zero
    patience = max(patience, now + scrape * 4 + group * 2 + .seconds(30))
  }

  /// Time passes in which nothing can be evaluated.
  func wait(longer time: PromDuration) {
    patience = patience + time + longestInterval
    // Slots are up to an interval old, on both sides; after a step back time goes more slowly.
    let least = PromDuration.milliseconds(time.milliseconds / 10 * 9) - longestInterval * 2
    leastPatience = leastPatience + max(.zero, least)
  }

  /// What goes with a batch that is handed out now.
  var memory: Disk.Memory { Disk.Memory(model: model, outstanding: outstanding) }

  func reload(_ old: Settings, _ new: Settings, at now: Timestamp, isStart: Bool) {
    reloadedAt = now
    lastSettings = new
    if old.global.externalLabels != new.global.externalLabels { relabeledAt = now }
    beginPatience(new, at: now)
    model.reload(new, at: now, isStart: isStart)
    sharedNames.formUnion(model.sharedNames)
    for definition in new.groups {
      let before = old.groups.first { ByteOrder.equal($0.key, definition.key) }
      if let before, before.isSame(as: definition) { continue }
      let known = slots[definition.key]
      let group = model.groups[definition.key]
      slots[definition.key] = Slots(
        interval: group?.definition.interval ?? definition.interval, last: known?.last,
        floor: max(now, known?.last ?? now), missed: known?.missed ?? 0,
        iterations: known?.iterations ?? 0,
        isBlind: known?.isBlind ?? false || group?.rules.isEmpty != false)
    }
    let keys = Set(new.groups.map(\.key))
    for key in slots.keys where !keys.contains(key) { slots[key] = nil }  // In any order.
    if !isStart { noteChanges(from: old, to: new) }
    for webhook in old.webhooks {
      let after = new.webhooks.first { ByteOrder.equal($0.name, webhook.name) }
      if after != nil { continue }
      outstanding = outstanding.filter { !$0.key.hasPrefix(webhook.name + " ") }
    }
  }

  /// Notes which webhooks are new, or hear more or less of the end of alerts than before.
  private func noteChanges(from old: Settings, to new: Settings) {
    for webhook in new.webhooks {
      let before = old.webhooks.first { ByteOrder.equal($0.name, webhook.name) }
      if before == nil { addedAt[webhook.name] = now }
      if before?.sendResolved != webhook.sendResolved || before?.maxAlerts != webhook.maxAlerts {
        changedAt[webhook.name] = now
      }
    }
  }

  /// A process that leaves tries everything once more.
  func stopping(at now: Timestamp) {
    disturb(until: now + .seconds(15))
    notBefore = [:]
  }

  func disturb(until: Timestamp) {
    disturbances.append((now, until))
    disturbedUntil = max(disturbedUntil, until)
  }

  func disturb(receiver: Int, until: Timestamp) {
    receiverTroubles[receiver, default: []].append((now, until))
  }

  // MARK: steps

  /// Looks at one step of the kernel.
  func handled(
    _ event: Event, _ effects: [Effect], _ kernel: Kernel, _ settings: Settings, at now: Timestamp
  ) {
    self.now = now
    let seen = sightings
    sightings = []
    for sighting in seen { check(sighting, kernel, settings) }
    if isRestoring || !seen.isEmpty {
      compareReports(
        kernel, isRestored: isRestoring, groups: isRestoring ? nil : Set(seen.map(\.group.key)))
      isRestoring = false
    }
    for sighting in sampled { checkSeries(sighting, kernel) }
    sampled = []
    if case .delivered(let id, let outcome) = event { answered(id, outcome) }
    if case .restore = event { journaled = nil }
    for effect in effects {
      switch effect {
      case .deliver(let id, let request): asked(id, request)
      case .persist(let batch): checkJournal(batch.journal)
      case .scrape where expectsSilence, .deliver where expectsSilence:
        report("reload/nothing", "a reload that changes nothing led to \(effect)")
      default: break
      }
    }
  }

  /// What is handed out to be saved leaves nothing out.
  private func checkJournal(_ entries: [JournalEntry]) {
    for entry in entries {
      if let journaled, entry.sequence != journaled + 1 {
        report("journal/gap", "entry \(entry.sequence) is saved after entry \(journaled)")
      }
      journaled = entry.sequence
    }
  }

  /// Now and then a standing plan is compared with one compiled on the spot, bit for bit.
  private func sawResult(
    _ expr: Expr, at time: Timestamp, _ result: Result<RuleInspector.Elements, RuleProblem>,
    _ kernel: Kernel
  ) {
    results += 1
    evaluations += 1
    guard chance.happens(8, Int64(results), 1) else { return }
    if let difference = FreshEvaluation.difference(expr, at: time, result, in: kernel) {
      report("plan/standing", "\(expr) at \(time): \(difference)")
    }
  }
}
