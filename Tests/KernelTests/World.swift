import JSON
import Model
import PromQL
import Rules
import Template

@testable import Kernel

/// A kernel in virtual time: scripted targets and receivers, no sockets, no clock.
final class World {
  let kernel: Kernel
  private(set) var now: Timestamp
  /// What a target answers.
  var scrape: (_ url: String, _ at: Timestamp) -> ScrapeOutcome.Result = { _, _ in
    .failure("connection refused")
  }
  /// What a receiver answers; nil keeps the request pending.
  var deliver: (_ request: DeliveryRequest, _ at: Timestamp) -> DeliveryOutcome.Result? = { _, _ in
    .answered(status: 200, retryAfter: nil, body: "")
  }
  private(set) var logs: [LogRecord] = []
  private(set) var deliveries: [(at: Timestamp, request: DeliveryRequest)] = []
  private(set) var scrapes: [(at: Timestamp, url: String)] = []
  private(set) var pending: [DeliveryID] = []
  private(set) var saved: [AlertCheckpoint] = []
  /// All that was saved.
  private(set) var batches: [StateBatch] = []
  private(set) var deadLetters: [DeadLetter] = []
  private(set) var isDrained = false

  /// A round time: a multiple of every usual interval.
  static let epoch = Timestamp(seconds: 1_700_006_400)

  init(_ settings: Settings, at start: Timestamp = World.epoch, seed: UInt64 = 1) {
    kernel = Kernel(storage: settings.storage, seed: seed, savesAlerts: true)
    now = start
    send(.reload(settings))
  }

  /// Gives the kernel an event and carries out what it wants.
  func send(_ event: Event) {
    var queue: [Event] = [event]
    while !queue.isEmpty {
      for effect in kernel.handle(queue.removeFirst(), at: now) {
        if let answer = carryOut(effect) { queue.append(answer) }
      }
    }
  }

  private func carryOut(_ effect: Effect) -> Event? {
    switch effect {
    case .log(let record): logs.append(record)
    case .persist(let batch):
      batches.append(batch)
      if let alerts = batch.alerts { saved.append(alerts) }
    case .drained: isDrained = true
    case .deadLetter(let letter): deadLetters.append(letter)
    case .scrape(let id, let request):
      scrapes.append((now, request.url))
      let result = scrape(request.url, now)
      return .scraped(
        id, ScrapeOutcome(result: result, started: now, duration: .milliseconds(5)))
    case .deliver(let id, let request):
      deliveries.append((now, request))
      guard let result = deliver(request, now) else {
        pending.append(id)
        return nil
      }
      return .delivered(id, DeliveryOutcome(result: result, duration: .milliseconds(3)))
    }
    return nil
  }

  /// Lets time pass, stopping at every deadline.
  func run(until end: Timestamp) {
    var idle = 0
    while let next = kernel.nextDeadline, next <= end {
      // A deadline that does not move is a bug of the kernel; better a failure than a test that
      // hangs.
      idle = next <= now ? idle + 1 : 0
      precondition(idle < 1_000, "the kernel's deadline does not move")
      now = max(now, next)
      send(.tick)
    }
    now = end
  }

  func run(for duration: PromDuration) { run(until: now + duration) }

  /// Lets time pass without the kernel being called, as when the machine sleeps.
  func sleep(for duration: PromDuration) { now = now + duration }

  func answerPending(_ result: DeliveryOutcome.Result) {
    let ids = pending
    pending = []
    for id in ids { send(.delivered(id, DeliveryOutcome(result: result, duration: .zero))) }
  }

  /// The newest value of a series, as an instant query sees it; nil if there is none.
  func value(_ selector: String, at time: Timestamp? = nil) throws -> Double? {
    let found = try values(selector, at: time)
    return found.first?.value
  }

  func values(
    _ query: String, at time: Timestamp? = nil
  ) throws -> [(labels: LabelSet, value: Double)] {
    let time = time ?? now
    let prepared = try kernel.prepareQuery(
      try PromQLParser.parse(query), from: time, through: time)
    guard case .vector(let samples) = try prepared.instant(at: time).value else { return [] }
    return samples.compactMap {
      guard case .float(let value) = $0.value else { return nil }
      return ($0.labels, value)
    }
  }

  func text(_ body: String) -> ScrapeOutcome.Result {
    .body(Array(body.utf8), contentType: "text/plain; version=0.0.4")
  }

  /// Log lines of a component, message first.
  func messages(_ component: String) -> [String] {
    logs.filter { $0.component == component }.map(\.message)
  }
}

/// Settings and rules for tests in few words.
enum Sample {
  static func alert(
    _ name: String, _ expr: String, for hold: PromDuration = .zero,
    keep: PromDuration = .zero, labels: [String: String] = [:], annotations: [String: String] = [:]
  ) throws -> RuleDefinition {
    .alert(
      AlertRule(
        name: name, expr: try PromQLParser.parse(expr), holdDuration: hold, keepFiringFor: keep,
        labels: try fields(labels, name), annotations: try fields(annotations, name)))
  }

  static func record(
    _ name: String, _ expr: String, labels: LabelSet = .empty
  ) throws -> RuleDefinition {
    .recording(RecordingRule(name: name, expr: try PromQLParser.parse(expr), labels: labels))
  }

  private static func fields(
    _ texts: [String: String], _ alert: String
  ) throws -> [AlertRule.Field] {
    try texts.sorted { ByteOrder.less($0.key, $1.key) }.map {
      AlertRule.Field(
        name: $0.key, text: $0.value,
        template: try Template.alertField($0.value, alertName: alert))
    }
  }

  static func group(
    _ name: String = "g", interval: PromDuration = .seconds(15), limit: Int = 0,
    offset: PromDuration? = nil, rules: [RuleDefinition]
  ) -> RuleGroupDefinition {
    RuleGroupDefinition(
      file: "rules.yml", name: name, interval: interval, queryOffset: offset, limit: limit,
      rules: rules)
  }

  static func scrape(
    _ job: String = "app", targets: [String] = ["app:80"], interval: PromDuration = .seconds(15)
  ) -> ScrapeSettings {
    var settings = ScrapeSettings(jobName: job, interval: interval, timeout: .seconds(10))
    settings.staticTargets = [TargetGroup(source: "0", targets: targets)]
    return settings
  }

  static func webhook(_ name: String = "ops") -> WebhookSettings {
    WebhookSettings(name: name, url: .inline("http://\(name)/alerts"))
  }

  static func alertmanager(_ address: String = "am:9093") -> AlertmanagerSettings {
    var settings = AlertmanagerSettings()
    settings.targets = [TargetGroup(source: "0", targets: [address])]
    return settings
  }
}

extension DeliveryRequest {
  /// The body as JSON.
  var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
}
