import Kernel
import Model
import Rules

/// Writes the settings of a world and changes them as people do.
struct SettingsWriter {
  /// The names that receivers and their faults go by.
  static let webhookNames = ["ops", "chat", "pager"]
  static let alertmanagerNames = ["am0:9093", "am1:9093"]
  static let targetCount = 4

  private var random: SeededGenerator
  private var rules: RuleWriter

  init(seed: UInt64, serial: Int) {
    random = SeededGenerator(seed: seed)
    rules = RuleWriter(seed: random.next(), serial: serial)
  }

  mutating func settings() -> Settings {
    var settings = Settings()
    settings.groups = rules.groups()
    settings.scrapes = [scrape("app", targets: 0..<Self.targetCount)]
    settings.webhooks = Self.webhookNames.prefix(1 + random.pick(3)).map { webhook($0) }
    settings.alertmanagers = [alertmanagers(random.pick(3))]
    settings.global.holdsStateOnLimit = random.happens(60)
    settings.global.resendsOnFailure = random.happens(80)
    settings.global.resendDelay = .seconds(random.element(of: [10, 30, 60, 60]))
    settings.global.ruleQueryOffset = .seconds(random.element(of: [0, 0, 0, 10]))
    settings.global.notificationBatchSize = random.element(of: [256, 2])
    settings.global.externalURL = "http://tocsin.example"
    if random.happens(40) { settings.global.externalLabels = ["cluster": "c1"] }
    settings.policies = RuleWriter.policies
    settings.alertRelabeling = [Self.drops("none")]
    if random.happens(30) { settings.alertRelabeling.append(Self.drops("debug")) }
    if random.happens(30) { settings.storage.keep = .all }
    return settings
  }

  /// Changes one thing.
  mutating func change(_ settings: inout Settings, _ kind: ReloadKind) {
    switch kind {
    case .nothing: break
    case .targets: changeTargets(&settings)
    case .scrapeInterval: settings.scrapes = [scrape("app", targets: 0..<Self.targetCount)]
    case .webhooks:
      settings.webhooks = Self.webhookNames.prefix(random.pick(4)).map { name in
        settings.webhooks.first { ByteOrder.equal($0.name, name) } ?? webhook(name)
      }
    case .webhookGrouping:
      settings.webhooks = settings.webhooks.map { webhook($0.name) }
    case .alertmanagers: settings.alertmanagers = [alertmanagers(random.pick(3))]
    case .externalLabels:
      settings.global.externalLabels = ["cluster": "c\(random.pick(3))"]
    case .keep: settings.storage.keep = settings.storage.keep == .all ? .rules : .all
    case .addGroup: settings.groups.append(rules.group())
    case .breakRule, .breakGroup, .mend: changeQuarantine(&settings, kind)
    default: changeRules(&settings, kind)
    }
  }

  /// The groups that reloads may touch.
  private static func places(_ settings: Settings) -> [Int] {
    settings.groups.indices.filter {
      let name = settings.groups[$0].name
      return !ByteOrder.equal(name, RuleWriter.watchGroup)
        && !ByteOrder.equal(name, RuleWriter.policyGroup)
    }
  }

  private mutating func changeQuarantine(_ settings: inout Settings, _ kind: ReloadKind) {
    let places = Self.places(settings).filter {
      let group = settings.groups[$0]
      return kind == .mend ? !group.quarantined.isEmpty : !group.rules.isEmpty
    }
    if places.isEmpty { return }
    let place = random.element(of: places)
    switch kind {
    case .breakRule: rules.breakRule(of: &settings.groups[place])
    case .breakGroup: rules.breakAll(of: &settings.groups[place])
    default: rules.mend(&settings.groups[place])
    }
  }

  private mutating func changeRules(_ settings: inout Settings, _ kind: ReloadKind) {
    let places = Self.places(settings)
    guard !places.isEmpty else { return }
    let place = random.element(of: places)
    var group = settings.groups[place]
    // Nothing in a group runs as it is written that cannot be loaded as a whole.
    if group.headProblem != nil && kind != .removeGroup { return }
    switch kind {
    case .removeGroup:
      settings.groups.remove(at: place)
      return
    case .addRule: group.rules.insert(rules.rule(), at: random.pick(group.rules.count + 1))
    case .changeInterval: group.interval = rules.interval()
    case .changeLimit: group.limit = random.happens(50) ? 1 + random.pick(3) : 0
    case .changeOffset: group.queryOffset = rules.offset()
    default: changeRule(of: &group, kind)
    }
    RuleWriter.number(&group)
    settings.groups[place] = group
  }

  private mutating func changeRule(of group: inout RuleGroupDefinition, _ kind: ReloadKind) {
    if group.rules.isEmpty { return }
    let place = random.pick(group.rules.count)
    if kind == .removeRule {
      group.rules.remove(at: place)
      return
    }
    if kind == .duplicate {
      group.rules.append(group.rules[place])
      return
    }
    if kind == .reorder {
      group.rules.swapAt(place, random.pick(group.rules.count))
      return
    }
    guard case .alert(var rule) = group.rules[place] else { return }
    switch kind {
    case .changeExpr: rule.expr = rules.condition(after: [])
    case .changeFor: rule.holdDuration = rules.wait()
    case .changeKeep: rule.keepFiringFor = rules.wait()
    case .changeLabels: rule.labels = rules.labels(of: rule.name)
    default: rule.annotations = rules.annotations(of: rule.name)
    }
    group.rules[place] = .alert(rule)
  }

  private mutating func changeTargets(_ settings: inout Settings) {
    let kept = (0..<Self.targetCount).filter { _ in random.happens(70) }
    guard !settings.scrapes.isEmpty else { return }
    settings.scrapes[0].staticTargets = [
      TargetGroup(source: "0", targets: kept.map { "t\($0):80" })
    ]
  }

  private mutating func scrape(_ job: String, targets: Range<Int>) -> ScrapeSettings {
    let interval = random.element(of: [5, 10, 15, 15, 30])
    var scrape = ScrapeSettings(
      jobName: job, interval: .seconds(Int64(interval)),
      timeout: .seconds(Int64(min(interval, 10))))
    scrape.staticTargets = [TargetGroup(source: "0", targets: targets.map { "t\($0):80" })]
    scrape.bodySizeLimit = 100_000
    return scrape
  }

  private mutating func webhook(_ name: String) -> WebhookSettings {
    var webhook = WebhookSettings(name: name, url: .inline("http://\(name).example/hook"))
    webhook.groupBy = random.element(of: [["alertname"], ["..."], [], ["severity", "zone"]])
    webhook.groupWait = .seconds(random.element(of: [0, 0, 5, 30]))
    webhook.groupInterval = .seconds(random.element(of: [5, 15, 60]))
    webhook.repeatInterval = .seconds(random.element(of: [120, 600, 14_400]))
    webhook.sendResolved = random.happens(80)
    webhook.maxAlerts = random.happens(10) ? 2 : 0
    if random.happens(30) { webhook.matchers = [Matcher("severity", equals: "page")] }
    return webhook
  }

  private func alertmanagers(_ count: Int) -> AlertmanagerSettings {
    var settings = AlertmanagerSettings()
    settings.targets = [
      TargetGroup(source: "0", targets: Array(Self.alertmanagerNames.prefix(count)))
    ]
    return settings
  }

  private static func drops(_ severity: String) -> RelabelRule {
    do {
      var rule = RelabelRule(regexp: try Regexp(anchored: severity))
      rule.action = .drop
      rule.sourceLabels = ["severity"]
      return rule
    } catch {
      preconditionFailure("a plain word is a regular expression")
    }
  }
}
