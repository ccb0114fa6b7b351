import Model
import Rules
import Testing

@testable import Kernel

/// The four timelines of the alert-generator compliance suite in virtual time: samples every 15 s,
/// groups every 30 s, a resend delay of a minute, an Alertmanager that writes down what it is told
/// and when.
private final class Timeline {
  static let step = PromDuration.seconds(15)
  static let interval = PromDuration.seconds(30)

  let world: World
  /// Sample 0 is written here; a multiple of the interval, so that it lies on no slot in general.
  let zero = World.epoch
  private var feeds: [(labels: LabelSet, value: (Int) -> Double?)] = []
  private var fed = -1

  /// One message about one alert.
  struct Message {
    let at: Timestamp
    let labels: LabelSet
    let annotations: [String: String]
    let startsAt: String
    let endsAt: String

    /// Whether it says that the alert is over.
    var isResolved: Bool { endsAt <= AlertmanagerPayload.time(at) }
  }

  init(_ rules: [RuleDefinition]) {
    var settings = Settings()
    settings.groups = [
      RuleGroupDefinition(
        file: "compliance.yml", name: "g", interval: Self.interval,
        labels: ["rulegroup": "g"], rules: rules)
    ]
    settings.alertmanagers = [Sample.alertmanager()]
    settings.storage.keep = .all
    world = World(settings, at: zero)
  }

  /// Adds a series by its values from the sample numbers given on; nil ends it.
  func feed(_ labels: LabelSet, _ runs: [(from: Int, value: Double?)]) {
    feeds.append((labels, { k in runs.last { $0.from <= k }?.value ?? nil }))
  }

  /// Writes samples and lets the kernel run up to sample `k` (exclusive of what comes at that
  /// time).
  func run(until k: Int) {
    while fed < k {
      fed += 1
      world.run(until: zero + Self.step * Int64(fed) - .milliseconds(1))
      for feed in feeds {
        if let value = feed.value(fed) {
          _ = try? world.kernel.store.append(
            feed.labels, at: zero + Self.step * Int64(fed), .float(value), always: true)
        }
      }
    }
  }

  /// The first evaluation at or after sample `k`.
  func slot(_ k: Int, plus: PromDuration = .zero) -> Timestamp {
    let schedule = SlotSchedule(
      interval: Self.interval, hash: StableHash.of("group", "compliance.yml", "g"))
    return schedule.slot(after: zero + Self.step * Int64(k) + plus - .milliseconds(1))
  }

  /// The states of a rule's alerts after the evaluation that sees sample `k`, as `state value` by
  /// label.
  func states(_ rule: Int, by label: String = "alertname") -> [String] {
    world.kernel.rulesReport[0].rules[rule].alerts.map {
      "\($0.labels.value(of: label)) \($0.state.rawValue) \(NumberText.plain($0.value))"
    }
  }

  var messages: [Message] {
    world.deliveries.flatMap { delivery in
      (delivery.request.json.array ?? []).map { alert in
        func texts(_ key: String) -> [(String, String)] {
          (alert[key]?.object ?? []).map { ($0.key, $0.value.string ?? "") }
        }
        return Message(
          at: delivery.at, labels: LabelSet(texts("labels")),
          annotations: Dictionary(texts("annotations")) { $1 },
          startsAt: alert["startsAt"]?.string ?? "", endsAt: alert["endsAt"]?.string ?? "")
      }
    }
  }

  /// Checks that messages of one kind come at `first` and then as often as the resend delay wants,
  /// up to `end`.
  func expectResends(_ messages: [Message], from first: Timestamp, to end: Timestamp) {
    let times = messages.map(\.at)
    #expect(times.first == first)
    for (a, b) in zip(times, times.dropFirst()) { #expect(b - a == .seconds(90)) }
    #expect((times.last ?? .zero) + .seconds(90) >= end)
    #expect((times.last ?? .zero) <= end)
  }
}

@Suite struct ComplianceTimelineTests {
  @Test func pendingAndFiringAndResolved() throws {
    let t = Timeline([
      try Sample.alert(
        "PFR", #"suite{alertname="PFR"} > 10"#, for: .minutes(6),
        labels: ["foo": "bar", "rulegroup": "g"],
        annotations: ["description": "fixed", "summary": "The value is {{$value}} {{.Value}}"])
    ])
    t.feed(
      ["__name__": "suite", "alertname": "PFR"],
      [
        (0, 3), (1, 5), (4, 9), (8, 11), (21, 15), (53, 19), (69, 9), (89, 15), (134, 8),
        (150, nil),
      ])
    func state(after k: Int) -> [String] {
      t.run(until: k + 2)
      return t.states(0)
    }
    #expect(state(after: 5).isEmpty)
    #expect(state(after: 8) == ["PFR pending 11"])
    let activeAt = t.world.kernel.alertsReport[0].activeAt
    #expect(activeAt == t.slot(8))
    #expect(state(after: 21) == ["PFR pending 15"])
    #expect(t.world.kernel.alertsReport[0].activeAt == activeAt)
    #expect(
      t.world.kernel.alertsReport[0].annotations.map(\.value) == ["fixed", "The value is 15 15"])
    #expect(state(after: 33) == ["PFR firing 15"])
    #expect(state(after: 53) == ["PFR firing 19"])
    #expect(state(after: 69).isEmpty)
    #expect(state(after: 89) == ["PFR pending 15"])
    #expect(state(after: 114) == ["PFR firing 15"])
    #expect(state(after: 134).isEmpty)
    t.run(until: 150 + 80)
    checkMessages(t)
  }

  private func checkMessages(_ t: Timeline) {
    let all = t.messages
    let fired = t.slot(8) + .minutes(6)
    let resolved = t.slot(69)
    let firedAgain = t.slot(89) + .minutes(6)
    let resolvedAgain = t.slot(134)
    let first = all.filter { !$0.isResolved && $0.at < resolved }
    t.expectResends(first, from: fired, to: resolved)
    #expect(Set(first.map(\.startsAt)) == [AlertmanagerPayload.time(fired)])
    for message in first {
      let value = message.at < t.slot(53) ? "15" : "19"
      #expect(message.annotations["summary"] == "The value is \(value) \(value)")
      #expect(message.endsAt == AlertmanagerPayload.time(message.at + .minutes(4)))
    }
    let ended = all.filter { $0.isResolved && $0.at < firedAgain }
    t.expectResends(ended, from: resolved, to: t.slot(89))
    #expect(Set(ended.map(\.startsAt)) == [AlertmanagerPayload.time(fired)])
    #expect(Set(ended.map(\.endsAt)) == [AlertmanagerPayload.time(resolved)])
    #expect(Set(ended.map { $0.annotations["summary"] }) == ["The value is 19 19"])
    let second = all.filter { !$0.isResolved && $0.at >= firedAgain }
    t.expectResends(second, from: firedAgain, to: resolvedAgain)
    let last = all.filter { $0.isResolved && $0.at >= firedAgain }
    t.expectResends(last, from: resolvedAgain, to: resolvedAgain + .minutes(15))
    #expect(all.count == first.count + ended.count + second.count + last.count)
  }

  @Test func pendingAndResolvedAndAlwaysInactive() throws {
    let t = Timeline([
      try Sample.alert(
        "PR", #"suite{alertname="PR"} > 10"#, for: .minutes(3), labels: ["foo": "bar"]),
      try Sample.alert(
        "AI", #"suite{alertname="AI"} > 99"#, for: .minutes(3), labels: ["ba_dum": "tss"]),
    ])
    let runs: [(from: Int, value: Double?)] = [
      (0, 3), (1, 5), (4, 9), (8, 11), (19, 9), (20, nil),
    ]
    t.feed(["__name__": "suite", "alertname": "PR"], runs)
    t.feed(["__name__": "suite", "alertname": "AI"], runs)
    t.run(until: 12)
    #expect(t.states(0) == ["PR pending 11"])
    for k in 22...60 {
      t.run(until: k)
      #expect(t.states(0).isEmpty)
      #expect(t.states(1).isEmpty)
    }
    #expect(t.messages.isEmpty)
  }

  @Test func zeroForAndSmallFor() throws {
    let t = Timeline([
      try Sample.alert(
        "ZF", #"suite{alertname="ZF"} > 10"#, labels: ["foo": "bar"],
        annotations: [
          "q": #"{{range query "tmpl" | sortByLabel "id"}}{{.Labels.id}}:{{.Value}},{{end}}"#
        ]),
      try Sample.alert(
        "SF", #"suite{alertname="SF"} > 13"#, for: .seconds(15), labels: ["ba_dum": "tss"]),
    ])
    let runs: [(from: Int, value: Double?)] = [
      (0, 3), (1, 5), (4, 9), (8, 15), (21, 9), (93, 11), (106, 9), (107, nil),
    ]
    t.feed(["__name__": "suite", "alertname": "ZF"], runs)
    t.feed(["__name__": "suite", "alertname": "SF"], runs)
    for i in 1...3 {
      t.feed(
        ["__name__": "tmpl", "id": "10\(i)"],
        [(0, Double(i)), (28, Double(2 * i)), (130, nil)])
    }
    t.run(until: 127)
    let all = t.messages
    let zero = all.filter { $0.labels.value(of: "alertname") == "ZF" }
    t.expectResends(
      zero.filter { !$0.isResolved && $0.at < t.slot(21) }, from: t.slot(8), to: t.slot(21))
    let ended = zero.filter { $0.isResolved && $0.at < t.slot(93) }
    t.expectResends(ended, from: t.slot(21), to: t.slot(21) + .minutes(15))
    let again = zero.filter { !$0.isResolved && $0.at > t.slot(21) }
    t.expectResends(again, from: t.slot(93), to: t.slot(106))
    #expect(zero.first?.annotations["q"] == "101:1,102:2,103:3,")
    #expect(again.first?.annotations["q"] == "101:2,102:4,103:6,")
    let small = all.filter { $0.labels.value(of: "alertname") == "SF" }
    t.expectResends(
      small.filter { !$0.isResolved }, from: t.slot(8) + Timeline.interval, to: t.slot(21))
    #expect(small.filter { !$0.isResolved }.allSatisfy { $0.at < t.slot(21) })
  }

  @Test func newAlertsAndOrderCheck() throws {
    let both =
      #"(ALERTS{alertname="R1",alertstate="firing",variant="one"} + ignoring(variant) "#
      + #"ALERTS{alertname="R1",alertstate="firing",variant="two"}) == 2"#
    let t = Timeline([
      try Sample.alert(
        "R1", #"suite{alertname="R1"} > 10"#, for: .minutes(3), labels: ["foo": "bar"]),
      try Sample.alert(
        "R2", both, labels: ["foo": "baz", "ba_dum": "tss"],
        annotations: [
          "description":
            "Based on ALERTS. Old alertname was {{$labels.alertname}}. foo was {{.Labels.foo}}."
        ]),
    ])
    t.feed(
      ["__name__": "suite", "alertname": "R1", "variant": "one"],
      [(0, 1), (8, 11), (73, 9), (94, nil)])
    t.feed(
      ["__name__": "suite", "alertname": "R1", "variant": "two"],
      [(0, 1), (32, 11), (65, 9), (86, nil)])
    t.run(until: 46)
    #expect(t.states(0, by: "variant") == ["one firing 11", "two firing 11"])
    #expect(t.states(1) == ["R2 firing 2"])
    let second = t.world.kernel.rulesReport[0].rules[1].alerts[0]
    #expect(second.activeAt == t.slot(32) + .minutes(3))
    #expect(
      second.labels.description
        == #"{alertname="R2", alertstate="firing", ba_dum="tss", foo="baz"}"#)
    #expect(
      second.annotations.map(\.value) == ["Based on ALERTS. Old alertname was R1. foo was bar."])
    t.run(until: 67)
    #expect(t.states(1).isEmpty)
    #expect(t.states(0, by: "variant") == ["one firing 11"])
    t.run(until: 75)
    #expect(t.states(0).isEmpty)
    t.run(until: 90)
    let one = t.messages.filter { $0.labels.value(of: "variant") == "one" }
    t.expectResends(
      one.filter { !$0.isResolved }, from: t.slot(8) + .minutes(3), to: t.slot(73))
    let ofSecond = t.messages.filter { $0.labels.value(of: "alertname") == "R2" }
    #expect(ofSecond.first?.at == t.slot(32) + .minutes(3))
    #expect(ofSecond.first { $0.isResolved }?.at == t.slot(65))
  }
}
