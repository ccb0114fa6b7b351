import Model
import Rules
import Testing

@testable import Kernel

/// Walks the alert of one target through scrapes drawn as marbles, a scrape and an evaluation each.
///
/// Input: `x` the condition holds, `-` it does not, `0` the series is missing, `d` the target is
/// down, `e` the expression fails. States: p pending, f firing, n and N the same for a lack of
/// data, e and E for a failure, t pending while the target is down, . none.
private final class PolicyTimeline {
  let world: World
  private var next: Character = "-"
  private let schedule: SlotSchedule

  init(
    _ policy: AlertPolicy?, for hold: PromDuration = .zero, keep: PromDuration = .zero,
    expr: String = "x > 5", matchers: [Matcher] = []
  ) throws {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.webhooks = [Sample.webhook()]
    settings.groups = [
      Sample.group(rules: [
        try Sample.alert("A", expr, for: hold, keep: keep, labels: ["severity": "page"])
      ])
    ]
    if let policy { settings.policies = [PolicySettings(matchers: matchers, policy: policy)] }
    world = World(settings)
    schedule = SlotSchedule(interval: .seconds(15), hash: StableHash.of("group", "rules.yml", "g"))
    world.scrape = { [unowned self] _, _ in
      switch next {
      case "x": world.text("x 7\ny 1\n")
      case "-": world.text("x 3\ny 1\n")
      case "e": world.text("x{i=\"1\"} 7\nx{i=\"2\"} 8\ny 1\n")
      case "0": world.text("y 1\n")
      default: .failure("connection refused")
      }
    }
    // From here on a scrape comes between any two evaluations.
    world.run(until: schedule.slot(after: world.now + .seconds(30)))
  }

  func run(_ input: String) -> String {
    var states = ""
    for character in input {
      next = character
      world.run(for: .seconds(15))
      states += state
    }
    return states
  }

  var state: String {
    let alerts = world.kernel.alertsReport
    if alerts.isEmpty { return "." }
    switch alerts[0].basis {
    case .noData: return alerts[0].state == .firing ? "N" : "n"
    case .targetDown: return "t"
    case .error: return alerts[0].state == .firing ? "E" : "e"
    case .condition: return alerts[0].state == .firing ? "f" : "p"
    }
  }

  var told: [String] {
    world.deliveries.map { $0.request.json["status"]?.string ?? "" }
  }
}

@Suite struct PolicyTimelineTests {
  @Test func withoutAPolicyMissingDataResolve() throws {
    let line = try PolicyTimeline(nil)
    #expect(line.run("--xx0x-xxddx") == "..ff.f.ff..f")
  }

  @Test func holdKeepsAnAlertUntilThereAreDataAgain() throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: .hold))
    #expect(line.run("--xx000xx--x0d-") == "..ffNNNff..fNN.")
    line.world.run(for: .minutes(2))
    #expect(line.told == ["firing", "resolved", "firing", "resolved"])
  }

  @Test func holdDoesNotLetAPendingAlertFire() throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: .hold), for: .seconds(45))
    #expect(line.run("xx0000xxx-") == "ppnnnnfff.")
  }

  @Test func heldAlertsStayKnownToReceivers() throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: .hold))
    _ = line.run("x")
    for _ in 0..<40 { #expect(line.run("0") == "N") }
    #expect(line.told == ["firing"])
    #expect(line.run("-") == ".")
    line.world.run(for: .minutes(2))
    #expect(line.told == ["firing", "resolved"])
  }

  @Test func keepFiringForRunsThroughALackOfData() throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: .hold), keep: .seconds(45))
    // The condition had cleared before: nothing is held.
    #expect(line.run("xx-00000") == "fffff...")
  }

  @Test func fireBeginsAnAlertWhenDataVanish() throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: .fire), for: .seconds(30))
    #expect(line.run("---0000--") == "...nnNN..")
    #expect(line.world.kernel.alertsReport.isEmpty)
    #expect(line.run("--d") == "..n")
  }

  @Test func fireSaysNothingOfWhatWasNeverThere() throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: .fire), expr: "nothing > 5")
    #expect(line.run("--00xx") == "......")
  }

  @Test(arguments: [AlertPolicy.OnNoData.hold, .fire])
  func aTargetThatIsGoneTakesItsAlertsAlong(policy: AlertPolicy.OnNoData) throws {
    let line = try PolicyTimeline(AlertPolicy(onNoData: policy))
    #expect(line.run("xxx") == "fff")
    var settings = line.world.kernel.settings
    settings.scrapes[0].staticTargets = [TargetGroup(source: "0", targets: ["other:80"])]
    line.world.send(.reload(settings))
    _ = line.run("----")
    #expect(line.state == ".")
  }

  @Test func onErrorHoldStandsStill() throws {
    let line = try PolicyTimeline(
      AlertPolicy(onError: .hold), for: .seconds(30), expr: "sum by (job) (x) > 5 and on (job) x")
    #expect(line.run("xx") == "pp")
    let failing = try PolicyTimeline(
      AlertPolicy(onError: .hold), expr: "x * on (job) group_left () x > 10")
    #expect(failing.run("--xxee-") == "..ffff.")
  }

  @Test func onErrorFireMakesTheRuleItselfAnAlert() throws {
    let line = try PolicyTimeline(
      AlertPolicy(onError: .fire), for: .seconds(30), expr: "x * on (job) group_left () x > 100")
    #expect(line.run("--eee--") == "..eeE..")
    #expect(line.run("eee") == "eeE")
    let alert = line.world.kernel.alertsReport[0]
    #expect(alert.labels.description == #"{alertname="A", severity="page"}"#)
    #expect(line.world.kernel.rulesReport[0].rules[0].health == .err)
    #expect(line.told == ["firing", "resolved", "firing"])
  }

  @Test func onErrorFireCarriesPendingAlertsOn() throws {
    let line = try PolicyTimeline(
      AlertPolicy(onError: .fire), for: .seconds(30), expr: "x * on (job) group_left () x > 9")
    #expect(line.run("-xe") == ".pe")
    #expect(line.run("e-") == "E.")
    line.world.run(for: .minutes(2))
    #expect(line.told == ["firing", "resolved"])
  }

  @Test func aFrozenForDoesNotCountTimeWithoutTheTarget() throws {
    let line = try PolicyTimeline(
      AlertPolicy(forWhileTargetDown: .freeze), for: .seconds(45))
    #expect(line.run("-xxddddxxx-") == ".ppttttpff.")
    let running = try PolicyTimeline(nil, for: .seconds(45))
    #expect(running.run("-xxddddxxxx") == ".pp....pppf")
  }

  @Test func freezeOutlivesTheSeriesOfTheTarget() throws {
    let line = try PolicyTimeline(
      AlertPolicy(forWhileTargetDown: .freeze), for: .seconds(45))
    #expect(line.run("xx") == "pp")
    for _ in 0..<60 { #expect(line.run("d") == "t") }
    #expect(line.run("xxx") == "pff")
  }

  @Test func freezeLeavesFiringAlertsAndAlertsOfUpAlone() throws {
    let line = try PolicyTimeline(AlertPolicy(forWhileTargetDown: .freeze))
    #expect(line.run("xxdd") == "ff..")
    let up = try PolicyTimeline(
      AlertPolicy(forWhileTargetDown: .freeze), for: .seconds(30), expr: "up == 0")
    #expect(up.run("-dddd") == ".ppff")
  }

  @Test func policiesAreForTheRulesTheyMatch() throws {
    let other = try PolicyTimeline(
      AlertPolicy(onNoData: .hold), matchers: [Matcher("severity", equals: "ticket")])
    #expect(other.run("x0") == "f.")
    #expect(other.world.kernel.rulesReport[0].rules[0].policy == nil)
    let mine = try PolicyTimeline(
      AlertPolicy(onNoData: .hold),
      matchers: [Matcher("severity", equals: "page"), Matcher("alertname", equals: "A")])
    #expect(mine.run("x0") == "fN")
    #expect(mine.world.kernel.rulesReport[0].rules[0].policy?.onNoData == .hold)
  }

  @Test func aNewPolicyIsObeyedByUnchangedGroups() throws {
    let line = try PolicyTimeline(nil)
    #expect(line.run("xx") == "ff")
    let runner = line.world.kernel.scheduler.groups[0].runner
    var settings = line.world.kernel.settings
    settings.policies = [PolicySettings(policy: AlertPolicy(onNoData: .hold))]
    line.world.send(.reload(settings))
    #expect(line.world.kernel.scheduler.groups[0].runner === runner)
    #expect(line.run("00-") == "NN.")
  }
}
