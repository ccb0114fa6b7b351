import Kernel
import Model
import Rules

/// The page at `/`: alerts, rules, targets, receivers and what happened lately, without script or
/// outside resources.
struct StatusPage: Sendable {
  let context: ServerContext

  /// All that is read of the kernel, in one visit.
  private struct Snapshot: Sendable {
    var groups: [RuleGroupReport]
    var targets: TargetsReport
    var receivers: [ReceiverReport]
    var droppedAlertmanagers: [String]
    var configText: String
  }

  func html() async -> [UInt8] {
    let now = context.gate.visit { kernel in
      Snapshot(
        groups: kernel.rulesReport, targets: kernel.targetsReport,
        receivers: kernel.receiversReport,
        droppedAlertmanagers: kernel.alertmanagersReport.dropped,
        configText: kernel.settings.configText)
    }
    let alerts = now.groups.flatMap { group in group.rules.flatMap(\.alerts) }
    let firing = alerts.filter { $0.state == .firing }.count
    var page = Self.head(title: firing > 0 ? "(\(firing)) Tocsin" : "Tocsin")
    page += header(now.groups, alerts, now.targets.active)
    page += "<main><h2 id=alerts>Alerts</h2>"
    page += alertTable(alerts.sorted(by: Self.activeFirst))
    page += "<h2 id=rules>Rules</h2>"
    page += now.groups.isEmpty ? note("No rule is loaded.") : now.groups.map(groupTable).joined()
    page += "<h2 id=targets>Targets</h2>" + targetTable(now.targets.active)
    page += dropped(now.targets)
    page +=
      "<h2 id=receivers>Receivers</h2>"
      + receiverTable(now.receivers, dropped: now.droppedAlertmanagers)
    page += await historySections()
    page += statusSection(configText: now.configText)
    page += "</main><footer>Tocsin \(escape(context.build.version)) · "
    page += "as of \(context.now().rfc3339.prefix(19))Z · <a href=/metrics>metrics</a>"
    for name in ["rules", "alerts", "targets", "transitions", "notifications/log"] {
      page += " · <a href=/api/v1/\(name)>\(name) as JSON</a>"
    }
    page += "</footer></body></html>\n"
    return Array(page.utf8)
  }

  // MARK: the sections

  private func header(
    _ groups: [RuleGroupReport], _ alerts: [AlertReport], _ targets: [TargetReport]
  ) -> String {
    let firing = alerts.filter { $0.state == .firing }.count
    let pending = alerts.count - firing
    let rules = groups.reduce(0) { $0 + $1.rules.count }
    let failing = groups.reduce(0) { $0 + $1.rules.filter { $0.health == .err }.count }
    let down = targets.filter { $0.health == .down }.count
    var out = "<header><h1>Tocsin</h1><nav>"
    out += "<a href=#alerts><b class=\(firing > 0 ? "firing" : "up")>\(firing)</b> firing</a>"
    out += "<a href=#alerts><b class=\(pending > 0 ? "pending" : "up")>\(pending)</b> pending</a>"
    out +=
      "<a href=#rules><b>\(rules)</b> rule\(rules == 1 ? "" : "s")\(bad(failing, "failing"))</a>"
    out += "<a href=#targets><b>\(targets.count)</b> target\(targets.count == 1 ? "" : "s")"
    out += "\(bad(down, "down"))</a>"
    out += "<a href=#transitions>history</a><a href=#status>status</a>"
    return out + "</nav></header>"
  }

  private func bad(_ count: Int, _ what: String) -> String {
    count == 0 ? "" : ", <b class=firing>\(count) \(what)</b>"
  }

  private static func activeFirst(_ a: AlertReport, _ b: AlertReport) -> Bool {
    if a.state != b.state { return a.state == .firing }
    return a.activeAt != b.activeAt ? a.activeAt < b.activeAt : a.labels < b.labels
  }

  func note(_ text: String) -> String { "<p class=note>\(text)</p>" }

  private func alertTable(_ alerts: [AlertReport]) -> String {
    if alerts.isEmpty { return note("No alert is pending or firing.") }
    let now = context.now()
    var out = "<table class=alerts><tr><th>State<th>Alert<th class=n>Value<th class=n>Since"
    out += "<th>Annotations</tr>"
    for alert in alerts {
      let labels = alert.labels.labels.filter { $0.name != LabelName.alertName }
      out += "<tr><td>\(badge(alert.state.rawValue))"
      out += "<td><strong>\(escape(alert.rule))</strong>\(chips(labels))"
      out += "<td class=n data-is=value>\(escape(NumberText.general(alert.value)))"
      out +=
        "<td class=n data-is=since title=\"\(alert.activeAt.rfc3339)\">\(age(alert.activeAt, now))"
      if alert.keepFiringSince != nil { out += "<br><small>kept firing</small>" }
      switch alert.basis {
      case .condition: break
      case .noData: out += "<br><small>no data</small>"
      case .error: out += "<br><small>rule fails</small>"
      case .targetDown: out += "<br><small>target down</small>"
      }
      out += "<td>" + alert.annotations.filter { !$0.value.isEmpty }.map(annotation).joined()
      out += "</tr>"
    }
    return out + "</table>"
  }

  private func annotation(_ annotation: Label) -> String {
    let value = escape(annotation.value)
    let isLink = ["http://", "https://"].contains { annotation.value.hasPrefix($0) }
    let text = isLink ? "<a href=\"\(value)\" rel=noreferrer>\(value)</a>" : value
    return "<div class=text><i>\(escape(annotation.name))</i> \(text)</div>"
  }

  private func groupTable(_ group: RuleGroupReport) -> String {
    let now = context.now()
    var out = "<h3>\(escape(group.name)) <small>\(escape(group.file)) · every \(group.interval)"
    if let last = group.lastEvaluation { out += " · evaluated \(age(last, now)) ago" }
    out += "</small></h3><table class=rules><tr><th>State<th>Rule<th>Expression<th class=n>For</tr>"
    for rule in group.rules {
      let isAlert = rule.kind == .alerting
      out += "<tr><td>\(badge(isAlert ? rule.state.rawValue : "recording"))"
      out += "<td><strong>\(escape(rule.name))</strong>\(chips(rule.labels))"
      out += "<td><code>\(escape(rule.query))</code>"
      if rule.health == .err {
        let kind = badge(rule.quarantine == nil ? "error" : "quarantined")
        out += "<div class=text>\(kind) \(escape(rule.lastError))</div>"
      }
      for warning in rule.warnings { out += "<div class=text>\(escape(warning))</div>" }
      out += "<td class=n data-is=for>"
      if isAlert && rule.holdDuration > .zero { out += rule.holdDuration.description }
      out += "</tr>"
    }
    return out + "</table>"
  }

  private func targetTable(_ targets: [TargetReport]) -> String {
    if targets.isEmpty { return note("No target is configured.") }
    let now = context.now()
    let hidden = [LabelName.job]
    var out = "<table><tr><th>Health<th>Job<th>Target<th class=n>Scraped<th class=n>Samples</tr>"
    for target in targets {
      out += "<tr><td>\(badge(target.health.rawValue))"
      out += "<td>\(escape(target.labels.value(of: LabelName.job)))"
      out += "<td><code>\(escape(SecretText.redacted(url: target.url)))</code>"
      out += chips(target.labels.labels.filter { !hidden.contains($0.name) })
      if !target.lastError.isEmpty { out += "<div class=text>\(escape(target.lastError))</div>" }
      let scraped = target.lastScrape.map { age($0, now) + " ago" } ?? "not yet"
      out += "<td class=n data-is=scraped>\(scraped)"
      out += "<td class=n data-is=samples>\(target.lastSamples)</tr>"
    }
    return out + "</table>"
  }

  // MARK: small parts

  func badge(_ state: String) -> String { "<b class=\(state)>\(state)</b>" }

  func chips(_ labels: [Label]) -> String {
    if labels.isEmpty { return "" }
    let all = labels.map { "<code>\(escape($0.name))=\(escape($0.value))</code>" }
    return "<div class=chips>\(all.joined(separator: " "))</div>"
  }

  /// Whole seconds since a time, in Prometheus' form.
  func age(_ t: Timestamp, _ now: Timestamp) -> String {
    PromDuration.seconds(max(0, (now - t).milliseconds / 1000)).description
  }

  func escape(_ text: String) -> String {
    var out = ""
    for c in text.unicodeScalars {
      switch c {
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "&": out += "&amp;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      default: out.unicodeScalars.append(c)
      }
    }
    return out
  }
}
