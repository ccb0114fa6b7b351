import Kernel
import Model
import Rules

/// The page at `/`: groups, rules and alerts at a glance, without script or outside resources.
struct StatusPage: Sendable {
  let context: ServerContext

  func html() -> [UInt8] {
    let (groups, targets) = context.gate.visit { ($0.rulesReport, $0.targetsReport.active) }
    let alerts = groups.flatMap { group in group.rules.flatMap(\.alerts) }
    let firing = alerts.filter { $0.state == .firing }.count
    var page = Self.head(title: firing > 0 ? "(\(firing)) Tocsin" : "Tocsin")
    page += header(groups, alerts, targets)
    page += "<main><h2 id=alerts>Alerts</h2>"
    page += alertTable(alerts.sorted(by: Self.activeFirst))
    page += "<h2 id=rules>Rules</h2>"
    page += groups.isEmpty ? note("No rule is loaded.") : groups.map(groupTable).joined()
    page += "<h2 id=targets>Targets</h2>" + targetTable(targets)
    page += "</main><footer>Tocsin \(escape(context.build.version)) · "
    page += "as of \(context.now().rfc3339.prefix(19))Z · <a href=/metrics>metrics</a>"
    for name in ["rules", "alerts", "targets"] {
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
    return out + "\(bad(down, "down"))</a></nav></header>"
  }

  private func bad(_ count: Int, _ what: String) -> String {
    count == 0 ? "" : ", <b class=firing>\(count) \(what)</b>"
  }

  private static func activeFirst(_ a: AlertReport, _ b: AlertReport) -> Bool {
    if a.state != b.state { return a.state == .firing }
    return a.activeAt != b.activeAt ? a.activeAt < b.activeAt : a.labels < b.labels
  }

  private func note(_ text: String) -> String { "<p class=note>\(text)</p>" }

  private func alertTable(_ alerts: [AlertReport]) -> String {
    if alerts.isEmpty { return note("No alert is pending or firing.") }
    let now = context.now()
    var out = "<table class=alerts><tr><th>State<th>Alert<th class=n>Value<th class=n>Since"
    out += "<th>Annotations</tr>"
    for alert in alerts {
      let labels = alert.labels.labels.filter { $0.name != LabelName.alertName }
      out += "<tr><td>\(badge(alert.state.rawValue))"
      out += "<td><strong>\(escape(alert.rule))</strong>\(chips(labels))"
      out += "<td class=n>\(escape(NumberText.general(alert.value)))"
      out += "<td class=n title=\"\(alert.activeAt.rfc3339)\">\(age(alert.activeAt, now))"
      if alert.keepFiringSince != nil { out += "<br><small>kept firing</small>" }
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
        out += "<div class=text>\(badge("error")) \(escape(rule.lastError))</div>"
      }
      for warning in rule.warnings { out += "<div class=text>\(escape(warning))</div>" }
      out += "<td class=n>"
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
      out += "<td class=n>\(target.lastScrape.map { age($0, now) + " ago" } ?? "not yet")"
      out += "<td class=n>\(target.lastSamples)</tr>"
    }
    return out + "</table>"
  }

  // MARK: small parts

  private func badge(_ state: String) -> String { "<b class=\(state)>\(state)</b>" }

  private func chips(_ labels: [Label]) -> String {
    if labels.isEmpty { return "" }
    let all = labels.map { "<code>\(escape($0.name))=\(escape($0.value))</code>" }
    return "<div class=chips>\(all.joined(separator: " "))</div>"
  }

  /// Whole seconds since a time, in Prometheus' form.
  private func age(_ t: Timestamp, _ now: Timestamp) -> String {
    PromDuration.seconds(max(0, (now - t).milliseconds / 1000)).description
  }

  private func escape(_ text: String) -> String {
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

  private static func head(title: String) -> String {
    """
    <!doctype html><html lang=en><head><meta charset=utf-8>\
    <meta name=viewport content="width=device-width"><title>\(title)</title><style>
    :root{color-scheme:light dark;--bg:#fff;--fg:#1b1d21;--dim:#666c75;--line:#e3e5e8;--chip:#f1f2f4;
    --red:#b91c1c;--amber:#9a5b00;--green:#1c7a3a;--link:#1558b0}
    @media(prefers-color-scheme:dark){:root{--bg:#15171a;--fg:#e6e8eb;--dim:#9aa1ab;--line:#2b2f35;
    --chip:#22262b;--red:#ff8080;--amber:#f5b84a;--green:#6fce8c;--link:#8ab8ff}}
    body{font:14px/1.45 system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;
    margin:0 auto;max-width:84rem;padding:0 1rem 2rem;background:var(--bg);color:var(--fg)}
    header{display:flex;flex-wrap:wrap;gap:.2rem 2rem;align-items:baseline;padding:.9rem 0 .5rem;
    border-bottom:2px solid var(--line);position:sticky;top:0;background:var(--bg)}
    h1{font-size:1.3rem;margin:0}nav a{color:inherit;text-decoration:none;margin-right:1.4rem;white-space:nowrap}
    h2{font-size:1.1rem;margin:1.4rem 0 .3rem;scroll-margin-top:3.5rem}h3{font-size:1rem;margin:1rem 0 .2rem}
    small,.note,footer,i{color:var(--dim);font-weight:normal}i{font-style:normal;font-size:.92em}
    table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;color:var(--dim);font-size:.92em}
    td,th{padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
    tr>:first-child{width:5.5rem}.rules tr>:nth-child(2){width:30%}.alerts tr>:nth-child(2){width:42%}
    tr>:last-child{padding-right:0}
    .n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
    strong{font-weight:600;overflow-wrap:anywhere}.text{overflow-wrap:anywhere;max-width:48rem;white-space:pre-line}
    code{font:12.5px/1.4 ui-monospace,"SF Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
    .chips{margin-top:.1rem}.chips code{background:var(--chip);border-radius:3px;padding:.05rem .3rem;
    box-decoration-break:clone;-webkit-box-decoration-break:clone}
    .firing,.down,.error{color:var(--red)}.pending{color:var(--amber)}.up,.inactive{color:var(--green)}
    .recording,.unknown,.inactive{font-weight:normal}.recording,.unknown{color:var(--dim)}
    a{color:var(--link)}footer{margin:2rem 0 0}
    </style></head><body>
    """
  }
}
