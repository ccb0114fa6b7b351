import Model
import Rules

/// An alert that means nothing, on the way that a real one takes: templates, external labels,
/// relabelling, grouping, payload.
///
/// It is marked: by the label `drill="true"`, which also keeps it apart from the alert it imitates,
/// by an annotation, and by a word before the texts that people read first.
package struct FireDrill: Sendable {
  /// Why there is nothing to send.
  package struct Problem: Error, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// What is asked for.
  package struct Order: Sendable {
    /// A webhook's name, or an Alertmanager's URL or `host:port`.
    package var receiver: String
    /// The rule whose alert is imitated.
    package var rule: String?
    /// What the rule's expression would bring; without a rule, the alert's labels.
    package var labels: [Label]
    package var value: Double
    /// Whether the end of the alert is told too.
    package var resolves: Bool

    package init(
      receiver: String, rule: String? = nil, labels: [Label] = [], value: Double = 1,
      resolves: Bool = false
    ) {
      self.receiver = receiver
      self.rule = rule
      self.labels = labels
      self.value = value
      self.resolves = resolves
    }
  }

  /// The alert as the receiver is told of it.
  package private(set) var labels = LabelSet.empty
  package private(set) var annotations: [Label] = []
  package private(set) var kind = DeliveryRecord.Kind.webhook
  /// What to send, in order: that it fires, and that it is over if that was ordered.
  package private(set) var requests: [DeliveryRequest] = []
  /// What is not as it should be but does not keep the drill from going out.
  package private(set) var remarks: [String] = []

  /// Plans a drill at `now`; nothing of it touches a running daemon.
  package init(_ order: Order, settings: Settings, at now: Timestamp) throws(Problem) {
    var only = try Self.only(order.receiver, of: settings)
    kind = only.webhooks.isEmpty ? .alertmanager : .webhook
    // Pauses are for real news.
    if kind == .webhook { only.webhooks[0].groupWait = .zero }
    var (alert, query) = try imitation(order, only, at: now)
    let outbox = Outbox(seed: 0)
    var effects = EffectList()
    outbox.update(only, at: now, &effects)
    checkMatchers(outbox, alert, query, &only, at: now)
    outbox.update(only, at: now, &effects)
    try send(alert, query, by: outbox, at: now)
    guard order.resolves else { return }
    alert.state = .inactive
    let end = now + .seconds(1)
    alert.resolvedAt = end
    let next = end + (only.webhooks.first?.groupInterval ?? .zero)
    outbox.notify([alert], query: query, at: end, &effects)
    take(outbox, at: next)
  }

  /// Whom a drill can be sent to: webhooks by name, Alertmanagers by URL without secrets.
  package static func receivers(of settings: Settings) -> [String] {
    settings.webhooks.map(\.name) + urls(settings).map { SecretText.redacted(url: $0.url) }
  }

  private static func urls(
    _ settings: Settings
  ) -> [(url: String, address: String, block: Int, target: String)] {
    settings.alertmanagers.enumerated().flatMap { index, block in
      block.targets.flatMap(\.targets).flatMap { target in
        var one = block
        one.targets = [TargetGroup(source: "0", targets: [target])]
        return AlertmanagerAddresses(one).urls.map { ($0, address(in: $0), index, target) }
      }
    }
  }

  private static func address(in url: String) -> String {
    let rest = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: true)
    return rest.count > 1 ? String(rest[1]) : url
  }

  /// The settings with nobody else to tell.
  private static func only(
    _ receiver: String, of settings: Settings
  ) throws(Problem) -> Settings {
    var only = settings
    only.scrapes = []
    only.webhooks = settings.webhooks.filter { ByteOrder.equal($0.name, receiver) }
    only.alertmanagers = []
    if only.webhooks.isEmpty {
      let found = urls(settings).first {
        ByteOrder.equal($0.url, receiver) || ByteOrder.equal($0.address, receiver)
          || ByteOrder.equal(SecretText.redacted(url: $0.url), receiver)
      }
      guard let found else {
        let known = receivers(of: settings)
        throw Problem(
          description: "no receiver \(GoText.quote(receiver))"
            + (known.isEmpty
              ? ": none is configured" : "; there is " + known.joined(separator: ", ")))
      }
      var block = settings.alertmanagers[found.block]
      block.targets = [TargetGroup(source: "0", targets: [found.target])]
      block.fileDiscovery = []
      block.httpDiscovery = []
      block.dnsDiscovery = []
      only.alertmanagers = [block]
    }
    return only
  }

  // MARK: the alert

  private mutating func imitation(
    _ order: Order, _ settings: Settings, at now: Timestamp
  ) throws(Problem) -> (AlertInstance, query: String) {
    var labels = LabelSet(labels: order.labels)
    var annotations: [Label] = []
    var query = "vector(1)"
    if let name = order.rule {
      let rules = settings.groups.flatMap(\.rules).compactMap { rule -> AlertRule? in
        guard case .alert(let rule) = rule, ByteOrder.equal(rule.name, name) else { return nil }
        return rule
      }
      guard let rule = rules.first else {
        throw Problem(description: "no alert rule \(GoText.quote(name))")
      }
      if rules.count > 1 {
        remarks.append("\(rules.count) rules have this name; the first is used")
      }
      let drill = RuleDrill(
        of: rule, element: labels, value: order.value,
        externalLabels: settings.global.externalLabels,
        externalURL: settings.global.externalURL, at: now)
      (labels, annotations, query) = (drill.labels, drill.annotations, rule.expr.description)
      remarks += drill.problems.map { "a template failed: \($0)" }
    } else {
      labels = Self.fitting(settings.webhooks.first?.matchers ?? [], labels)
      labels = LabelSet([(LabelName.alertName, "TocsinFireDrill")]).merging(labels)
      annotations = [Label(name: "summary", value: "Notifications reach this receiver")]
    }
    let alert = AlertInstance(
      labels: labels.setting("drill", to: "true"), state: .firing,
      annotations: Self.marked(annotations), value: order.value, activeAt: now, firedAt: now,
      lastSentAt: now, validUntil: now + .minutes(5))
    return (alert, query)
  }

  /// Labels that matchers ask for, where they name a value.
  private static func fitting(_ matchers: [Matcher], _ labels: LabelSet) -> LabelSet {
    matchers.reduce(labels) { labels, matcher in
      guard labels[matcher.name] == nil, let value = matcher.literalValues?.first else {
        return labels
      }
      return labels.setting(matcher.name, to: value)
    }
  }

  private static func marked(_ annotations: [Label]) -> [Label] {
    let read = ["summary", "title", "description", "message"]
    let texts = annotations.map { label in
      let isRead = read.contains { label.name.hasPrefix($0) } && !label.value.isEmpty
      return isRead ? Label(name: label.name, value: "[DRILL] " + label.value) : label
    }
    let mark = Label(
      name: "drill", value: "This is a fire drill, sent by `tocsin notify test`. Nothing is wrong.")
    return (texts + [mark]).sorted { ByteOrder.less($0.name, $1.name) }
  }

  // MARK: the way out

  /// A webhook that would not hear of such an alert hears of the drill nevertheless.
  private mutating func checkMatchers(
    _ outbox: Outbox, _ alert: AlertInstance, _ query: String, _ only: inout Settings,
    at now: Timestamp
  ) {
    guard let webhook = only.webhooks.first, let labels = outbox.labels(toldOf: alert) else {
      return
    }
    let failing = webhook.matchers.filter { !$0.matches(labels) }
    if failing.isEmpty { return }
    let list = failing.map(\.description).joined(separator: ", ")
    remarks.append("in earnest this alert would not reach the receiver: \(list) does not match")
    only.webhooks[0].matchers = []
  }

  private mutating func send(
    _ alert: AlertInstance, _ query: String, by outbox: Outbox, at now: Timestamp
  ) throws(Problem) {
    var effects = EffectList()
    outbox.notify([alert], query: query, at: now, &effects)
    take(outbox, at: now)
    if requests.isEmpty {
      throw Problem(description: "alert_relabel_configs drops the alert: nothing to send")
    }
    labels = outbox.labels(toldOf: alert) ?? alert.labels
    annotations = alert.annotations
  }

  /// Takes what may leave at a time, as accepted.
  private mutating func take(_ outbox: Outbox, at now: Timestamp) {
    var effects = EffectList()
    outbox.run(at: now, &effects)
    for case .deliver(let id, let request) in effects.effects {
      requests.append(request)
      let accepted = DeliveryOutcome.Result.answered(status: 200, retryAfter: nil, body: "")
      outbox.finish(id, DeliveryOutcome(result: accepted, duration: .zero), at: now, &effects)
    }
  }
}
