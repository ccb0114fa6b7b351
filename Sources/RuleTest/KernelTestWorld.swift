import Engine
import Kernel
import Model
import Rules
import Storage

/// A daemon without a network, on a virtual clock: groups run at their own intervals with their
/// offsets, and what receivers are told is written down.
///
/// Groups count their intervals from the test's start. Samples are there at the instant they are
/// dated; a failed scrape ends its series as in the daemon. Receivers take everything at once.
final class KernelTestWorld: TestWorld {
  private let test: UnitTestFile.TestGroup
  private let own: UnitTestFile.OwnKeys
  private let settings: Settings
  private let makeInspector: ((Store, EngineSettings) -> RuleInspector)?
  private var kernel: Kernel
  private var saved = RestoredState()
  private var feed: SampleFeed
  private var restarts: ArraySlice<UnitTestFile.Restart>
  private var time: Timestamp
  private var problems: [String] = []
  private(set) var notifications: [TestNotification] = []

  var store: Store { kernel.store }
  let engine: EngineSettings

  init(
    test: UnitTestFile.TestGroup, own: UnitTestFile.OwnKeys, settings: Settings,
    inspector: ((Store, EngineSettings) -> RuleInspector)? = nil
  ) {
    self.test = test
    self.own = own
    var engine = EngineSettings()
    engine.lookback = settings.global.lookback
    self.engine = engine
    self.settings = Self.completed(settings, for: test)
    makeInspector = inspector
    kernel = Kernel(storage: self.settings.storage, savesAlerts: !own.restarts.isEmpty)
    feed = SampleFeed(test: test, failures: own.failures)
    restarts = own.restarts[...]
    time = test.start - .milliseconds(1)
    begin(after: nil)
  }

  /// Puts what a test says over what its tocsin.yml says.
  private static func completed(
    _ settings: Settings, for test: UnitTestFile.TestGroup
  ) -> Settings {
    var settings = settings
    settings.global.externalLabels = test.externalLabels
    settings.global.externalURL = test.externalURL
    settings.global.groupsBegin = test.start
    settings.storage.keep = .all
    settings.storage.retention = .days(100_000)
    var alertmanager = AlertmanagerSettings()
    alertmanager.targets = [TargetGroup(source: "0", targets: ["alertmanager:9093"])]
    settings.alertmanagers = [alertmanager]
    return settings
  }

  private func begin(after saved: RestoredState?) {
    watch()
    handle(.reload(settings))
    if let saved { handle(.restore(saved)) }
  }

  private func watch() {
    let inner = makeInspector?(kernel.store, engine)
    kernel.inspector = RuleInspector(
      sawResult: { inner?.sawResult($0, $1, $2) },
      sawEvaluation: { [unowned self] sighting in
        inner?.sawEvaluation(sighting)
        if let problem = sighting.evaluation.problem {
          let elapsed = GoText.duration(milliseconds: (sighting.slot - test.start).milliseconds)
          problems.append(
            "    rule: \(sighting.evaluation.rule), time: \(elapsed), err: \(problem)")
        }
      })
  }

  // MARK: time

  func advance(to end: Timestamp) -> [String] {
    while let restart = restarts.first, test.start + restart.time <= end {
      restarts.removeFirst()
      live(to: test.start + restart.time)
      restartKernel(after: restart.downtime)
    }
    live(to: end)
    defer { problems = [] }
    return problems
  }

  private func live(to end: Timestamp) {
    while time < end {
      let due = kernel.nextDeadline ?? end
      time = max(time, min(due, end))
      if let problem = feed.append(through: time, to: kernel.store) { problems.append(problem) }
      handle(.tick)
      if time == end { return }
      // A deadline that stays where it is would never end.
      if due <= time, let next = kernel.nextDeadline, next <= time {
        time = time + .milliseconds(1)
      }
    }
  }

  private func restartKernel(after downtime: PromDuration) {
    handle(.stop)
    saved.isClean = true
    time = time + downtime
    feed.skip(through: time - .milliseconds(1))
    kernel = Kernel(storage: settings.storage, savesAlerts: true)
    begin(after: saved)
    if let problem = feed.append(through: time, to: kernel.store) { problems.append(problem) }
  }

  /// Gives the kernel an event and answers what it asks for.
  private func handle(_ event: Event) {
    var events = [event]
    while !events.isEmpty {
      for effect in kernel.handle(events.removeFirst(), at: time) {
        switch effect {
        case .deliver(let id, let request):
          notifications += TestNotification.read(request, at: time)
          let outcome = DeliveryOutcome(
            result: .answered(status: 200, retryAfter: nil, body: ""), duration: .zero)
          events.append(.delivered(id, outcome))
        case .persist(let batch): save(batch)
        case .scrape, .deadLetter, .log, .drained: break
        }
      }
    }
  }

  private func save(_ batch: StateBatch) {
    saved.alerts = batch.alerts ?? saved.alerts
    saved.outbox = batch.outbox ?? saved.outbox
    saved.lastSequence = batch.journal.last?.sequence ?? saved.lastSequence
    guard let samples = batch.samples else { return }
    var all = saved.samples ?? StoreChanges()
    all.merge(samples)
    saved.samples = all
  }

  // MARK: what it has come to

  func alerts(named name: String) -> [AlertInstance] {
    kernel.checkpoint(at: time).rules.flatMap(\.alerts).filter {
      ByteOrder.equal($0.labels.value(of: LabelName.alertName), name)
    }
  }

  /// What receivers were told between two times, repetitions of the same left out.
  func news(from: Timestamp, through: Timestamp) -> [TestNotification] {
    var seen: Set<TestNotification.Subject> = []
    var out: [TestNotification] = []
    for one in notifications where seen.insert(one.subject).inserted {
      if one.time >= from && one.time <= through { out.append(one) }
    }
    return out
  }
}
