import Kernel
import Model
import Rules

/// One world: a kernel in virtual time among scripted targets and receivers, on a disk that fails,
/// with a clock that somebody sets, reloaded, suspended and killed as the plan says.
///
/// The world plays the part of the daemon's shell: it calls `Kernel.handle`, carries out the
/// effects and feeds their outcomes back. Checkers look at every step.
final class World {
  /// What is going to happen.
  ///
  /// `life` is the process that asked for it: a later one never hears.
  enum Action {
    case incident(Incident)
    case peace
    case start
    case leave(life: Int, DeliveryID, DeliveryRequest)
    case arrive(Message)
    case written(life: Int)
    case write(life: Int)
    case event(life: Int, Event)
    case look
  }

  /// Little enough to be reached.
  static let journalBounds = Journal.Bounds(entries: 1_000, mentions: 2_000)

  /// A kill that is under way: it comes at one of the next events.
  struct Doom {
    var events: Int
    var keepingPercent: Int
    var downtime: PromDuration
  }

  let plan: WorldPlan
  let chance: Chance
  var clock = VirtualClock()
  var queue = EventQueue<Action>()
  var disk: Disk
  var network: Network
  var settings: Settings
  /// Nil while the process is down.
  var kernel: Kernel?
  var life = 0
  var suspendedUntil: Int64 = 0
  var doom: Doom?
  var isStopping = false
  private var stopsWhenWritten = false
  /// Requests that leave once what was to be saved before them is saved.
  private var followers: [(DeliveryID, DeliveryRequest)] = []
  private var downtimeAfterStop = PromDuration.zero
  private var serial = 0
  let scripts: [TargetScript]
  var receivers: [String: ReceiverMemory] = [:]
  let checks: Checks
  /// Nil where nobody asks for it: it costs a quarter of the time.
  var digest: Digest?
  let timeline: Timeline
  private(set) var events = 0
  private(set) var crashes = 0
  private(set) var reloads = 0
  /// Since when everything works and only time passes.
  private(set) var peaceSince: Timestamp?

  init(_ plan: WorldPlan, timeline: Timeline, digests: Bool) {
    self.plan = plan
    digest = digests ? Digest() : nil
    self.timeline = timeline
    chance = Chance(seed: SeededGenerator.mixed(plan.seed))
    disk = Disk(chance: chance.of("disk"))
    network = Network(chance: chance.of("network"))
    let targets = chance.of("targets")
    scripts = (0..<SettingsWriter.targetCount).map { TargetScript(index: $0, chance: targets) }
    var writer = SettingsWriter(seed: chance.bits(1), serial: 0)
    settings = writer.settings()
    checks = Checks(settings: settings, chance: chance.of("checks"))
    checks.tampering = plan.tampering
  }

  // MARK: the run

  /// Lives the whole plan and says what it came to.
  func live() -> Verdict {
    for planned in plan.incidents {
      queue.add(.incident(planned.incident), at: planned.at.milliseconds)
    }
    queue.add(.peace, at: WorldPlan.turmoil.milliseconds)
    queue.add(.look, at: 10_000)
    queue.add(.start, at: 0)
    let end = (WorldPlan.turmoil + WorldPlan.peace).milliseconds
    while checks.problems.isEmpty, let time = nextTime(), time <= end { advance(to: time) }
    if checks.problems.isEmpty { clock.advance(to: end) }
    checks.settle(self)
    return Verdict(
      seed: plan.seed, problems: checks.problems, digest: digest?.text ?? "", events: events,
      evaluations: checks.evaluations, deliveries: checks.deliveries, crashes: crashes,
      reloads: reloads)
  }

  /// When something happens next: a planned action, or a deadline of the kernel.
  private func nextTime() -> Int64? {
    let wake = kernel?.nextDeadline.map { deadline in
      max(clock.time + max(0, (deadline - clock.now).milliseconds), suspendedUntil)
    }
    return [wake, queue.first].compactMap { $0 }.min()
  }

  private func advance(to time: Int64) {
    clock.advance(to: time)
    if let first = queue.first, first <= clock.time, let action = queue.take() {
      perform(action)
    } else if let deadline = kernel?.nextDeadline, deadline <= clock.now {
      send(.tick)
    }
  }

  private func perform(_ action: Action) {
    switch action {
    case .incident(let incident):
      timeline.note("INCIDENT", incident.summary, at: clock.time)
      happen(incident)
    case .peace: makePeace()
    case .start: start()
    case .leave(let life, let id, let request): leave(life, id, request)
    case .arrive(let message): arrive(message)
    case .written(let life): written(life)
    case .write(let life): if life == self.life && !disk.isWriting { write() }
    case .event(let life, let event):
      if life != self.life { return }
      if suspendedUntil > clock.time {
        queue.add(action, at: suspendedUntil)
      } else {
        send(event)
      }
    case .look:
      checks.look(self)
      queue.add(.look, at: clock.time + 10_000)
    }
  }

  private func makePeace() {
    timeline.note("PEACE", "everything works from now on", at: clock.time)
    peaceSince = clock.now
    network.heal()
    disk.heal()
    suspendedUntil = min(suspendedUntil, clock.time)
    doom = nil
  }

  // MARK: the process

  private func start() {
    life += 1
    isStopping = false
    suspendedUntil = clock.time
    clock.restart()
    let tolerance = settings.global.outageTolerance
    if let time = disk.state?.continuation(at: clock.now, tolerance: tolerance) {
      clock.goOn(from: time)
    }
    let kernel = Kernel(
      storage: settings.storage, seed: chance.bits(Int64(life), 7), savesAlerts: true,
      journalBounds: plan.tampering?.journalBounds ?? Self.journalBounds)
    kernel.parallelWork = plan.parallelWork
    kernel.evaluationsWorthHelp = 0
    self.kernel = kernel
    timeline.note("START", "life \(life)", at: clock.time)
    checks.begin(kernel, settings, at: clock.now)
    send(.reload(given))
    guard self.kernel === kernel, var saved = disk.state else { return }
    checks.willRestore(disk, settings, at: clock.now)
    saved.alerts = saved.alerts.map { checks.tampering?.restored($0, at: clock.now) ?? $0 }
    send(.restore(saved))
  }

  func kill(downtime: PromDuration) {
    timeline.note("CRASH", "down for \(downtime)", at: clock.time)
    crashes += 1
    end(downtime: downtime)
  }

  private func end(downtime: PromDuration) {
    kernel = nil
    doom = nil
    life += 1
    if disk.isFailing { checks.amnesiaAt = clock.now }
    disk.crash()
    followers = []
    checks.disturb(until: clock.now + downtime)
    queue.add(.start, at: clock.time + downtime.milliseconds)
  }

  /// Gives the kernel an event and carries out what it wants.
  func send(_ event: Event) {
    guard let kernel else { return }
    events += 1
    var effects = kernel.handle(event, at: clock.now)
    if let tampering = plan.tampering {
      effects = tampering.distort(effects, at: clock.now, checks.tamperingState)
      for id in checks.tamperingState.takeSwallowed() {
        let fine = DeliveryOutcome(
          result: .answered(status: 200, retryAfter: nil, body: ""), duration: .zero)
        queue.add(.event(life: life, .delivered(id, fine)), at: clock.time + 5)
      }
    }
    checks.handled(event, effects, kernel, settings, at: clock.now)
    for effect in effects {
      digest?.add(effect, at: clock.now)
      timeline.note(effect, at: clock.time)
    }
    if var doom {
      doom.events -= 1
      self.doom = doom
      if doom.events <= 0 {
        let kept = effects.count * doom.keepingPercent / 100
        for effect in effects.prefix(kept) { carryOut(effect) }
        return kill(downtime: doom.downtime)
      }
    }
    for effect in effects { carryOut(effect) }
  }

  private func carryOut(_ effect: Effect) {
    switch effect {
    case .scrape(let id, let request): scrape(id, request)
    case .deliver(let id, let request):
      // A request leaves only after what was to be saved before it.
      if disk.isWriting {
        followers.append((id, request))
      } else {
        leave(life, id, request)
      }
    case .persist(let batch):
      if disk.take(Disk.Write(batch: batch, memory: checks.memory)) { write() }
    case .drained: if isStopping { drained() }
    default: break
    }
  }

  private func write() {
    queue.add(.written(life: life), at: disk.begin(at: clock.time))
  }

  private func written(_ life: Int) {
    guard life == self.life, disk.isWriting else { return }
    let outcome = disk.finish(at: clock.time)
    timeline.note("disk", "\(outcome)", at: clock.time)
    let waiting = followers
    followers = []
    for (id, request) in waiting { leave(life, id, request) }
    switch outcome {
    case .failed, .failedAgain: queue.add(.write(life: life), at: clock.time + disk.pause)
    case .written, .recovered: if disk.hasWork { write() }
    }
    if case .failed = outcome { tell(.storage(problem: "no space left on device")) }
    if case .recovered = outcome { tell(.storage(problem: nil)) }
    if stopsWhenWritten && !disk.isWriting { exit() }
  }

  /// Posts an event of the shell's own to the kernel.
  private func tell(_ event: Event) {
    queue.add(.event(life: life, event), at: max(clock.time, suspendedUntil))
  }

  func stop(downtime: PromDuration) {
    if kernel == nil || isStopping { return }
    if suspendedUntil > clock.time {
      return queue.add(.incident(.restart(downtime: downtime)), at: suspendedUntil)
    }
    isStopping = true
    downtimeAfterStop = downtime
    checks.stopping(at: clock.now)
    send(.stop)
  }

  private func drained() {
    timeline.note("STOPPED", "down for \(downtimeAfterStop)", at: clock.time)
    // A process that ends in good order waits for its last write.
    stopsWhenWritten = true
    if !disk.isWriting { exit() }
  }

  private func exit() {
    stopsWhenWritten = false
    isStopping = false
    end(downtime: downtimeAfterStop)
  }

  /// The settings as the kernel gets them.
  private var given: Settings { plan.tampering?.distort(settings) ?? settings }

  // MARK: targets and receivers

  private func scrape(_ id: TargetID, _ request: ScrapeRequest) {
    guard let index = scripts.indices.first(where: { request.url == "http://t\($0):80/metrics" })
    else { return }
    let answer = TargetAnswer(
      scripts[index], fault: network.fault(ofTarget: index, at: clock.time),
      timeout: request.timeout, latency: network.scrapeLatency(index, at: clock.time),
      time: clock.time, stalledAt: clock.time / 120_000 * 120_000, wall: clock.wall)
    guard let latency = answer.latency else { return }
    let outcome = ScrapeOutcome(
      result: answer.result, started: clock.now, duration: .milliseconds(latency))
    for copy in 0..<answer.copies {
      queue.add(
        .event(life: life, .scraped(id, outcome)), at: clock.time + latency + Int64(copy) * 700)
    }
  }

  private func leave(_ life: Int, _ id: DeliveryID, _ request: DeliveryRequest) {
    guard life == self.life else { return }
    let message = checks.message(id, request)
    let index = Self.receiverIndex(request.receiver)
    let fate = network.fate(of: request, receiver: index, at: clock.time)
    checks.left(message, index: index, fate: fate, at: clock.now)
    if let after = fate.arrivesAfter, fate.isAccepted {
      queue.add(.arrive(message), at: clock.time + after)
    }
    let outcome = DeliveryOutcome(
      result: fate.result, duration: .milliseconds(fate.answersAfter))
    for copy in 0..<fate.answers {
      queue.add(
        .event(life: life, .delivered(id, outcome)),
        at: clock.time + fate.answersAfter + Int64(copy) * 300)
    }
  }

  private func arrive(_ message: Message) {
    timeline.note("accepted", "\(message.receiver) \(message.key)", at: clock.time)
    let problem = receivers[message.receiver, default: ReceiverMemory()]
      .accept(message, at: clock.now)
    if let problem { checks.report("delivery/key", problem) }
  }

  /// The number by which faults name a receiver.
  static func receiverIndex(_ name: String) -> Int {
    let hooks = SettingsWriter.webhookNames
    if let index = hooks.firstIndex(where: { ByteOrder.equal($0, name) }) { return index }
    let index = SettingsWriter.alertmanagerNames.firstIndex {
      ByteOrder.equal("http://\($0)/api/v2/alerts", name)
    }
    return hooks.count + (index ?? 0)
  }

  // MARK: what happens to the process

  private func happen(_ incident: Incident) {
    let time = clock.time
    switch incident {
    case .target(let index, let fault, let duration):
      network.fail(target: index, fault, until: time + duration.milliseconds)
    case .receiver(let index, let fault, let percent, let duration):
      network.fail(receiver: index, fault, percent: percent, until: time + duration.milliseconds)
      checks.disturb(receiver: index, until: clock.now + duration)
    case .disk(let fault, let duration):
      disk.fail(fault, until: time + duration.milliseconds)
    case .clockStep(let step):
      clock.step(by: step)
      checks.disturb(until: clock.now)
      checks.wait(longer: max(.zero, step))
    case .suspension(let duration):
      if kernel == nil { return }
      suspendedUntil = time + duration.milliseconds
      // Peace ends it.
      let rest = min(duration, WorldPlan.turmoil - .milliseconds(time))
      checks.disturb(until: clock.now + rest)
      checks.wait(longer: rest)
    case .reload(let kind, let seed): reload(kind, seed: seed)
    case .crash(let events, let percent, let downtime):
      if kernel == nil || isStopping { return }
      doom = Doom(events: events + 1, keepingPercent: percent, downtime: downtime)
    case .restart(let downtime): stop(downtime: downtime)
    }
  }

  private func reload(_ kind: ReloadKind, seed: UInt64) {
    if kernel != nil && suspendedUntil > clock.time {
      return queue.add(.incident(.reload(kind, seed: seed)), at: suspendedUntil)
    }
    serial += 100
    var writer = SettingsWriter(seed: seed, serial: serial)
    let before = settings
    writer.change(&settings, kind)
    reloads += 1
    guard let kernel, !isStopping else { return }
    // What is due at this moment would happen in any case.
    send(.tick)
    guard self.kernel === kernel else { return }
    let print = kind == .nothing ? Fingerprint(kernel) : nil
    checks.reload(before, settings, at: clock.now, isStart: false)
    checks.expectsSilence = kind == .nothing
    send(.reload(given))
    checks.expectsSilence = false
    if let print, self.kernel === kernel, let change = print.difference(from: Fingerprint(kernel)) {
      checks.report("reload/nothing", "a reload that changes nothing changed \(change)")
    }
  }
}
