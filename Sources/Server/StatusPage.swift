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
    let pending = alerts.filter { $0.state == .pending }.count
    let down = targets.filter { $0.health == .down }.count
    var page = Self.head(title: firing > 0 ? "(\(firing)) Tocsin" : "Tocsin")
    page += "<h1>Tocsin</h1><p class=sum>"
    page += "<b class=firing>\(firing) firing</b> <b class=pending>\(pending) pending</b> "
    page += "<span>\(groups.reduce(0) { $0 + $1.rules.count }) rules in \(groups.count) groups</span> "
    page += "<span>\(targets.count) targets\(down > 0 ? ", <b class=firing>\(down) down</b>" : "")</span></p>"
    page += section("Alerts", alertTable(alerts.sorted(by: Self.activeFirst)))
    page += section("Rules", groups.map(groupTable).joined())
    page += section("Targets", targetTable(targets))
    page += "<footer>Tocsin \(escape(context.build.version)) · <a href=/metrics>metrics</a> · "
    page += "<a href=/api/v1/rules>rules</a> · <a href=/api/v1/alerts>alerts</a> · "
    page += "<a href=/api/v1/targets>targets</a></footer></body></html>\n"
    return Array(page.utf8)
  }

  private static func activeFirst(_ a: AlertReport, _ b: AlertReport) -> Bool {
    if a.state != b.state { return a.state == .firing }
    return a.activeAt != b.activeAt ? a.activeAt < b.activeAt : a.labels < b.labels
  }

  private func section(_ title: String, _ content: String) -> String {
    "<h2>\(title)</h2>" + content
  }

  private func alertTable(_ alerts: [AlertReport]) -> String {
    if alerts.isEmpty { return "<p class=none>No alert is pending or firing.</p>" }
    let now = context.now()
    var out = "<table><tr><th>State<th>Alert<th>Labels<th>Value<th>For<th>Annotations</tr>"
    for alert in alerts {
      let labels = alert.labels.labels.filter { $0.name != LabelName.alertName }
      out += "<tr><td><b class=\(alert.state.rawValue)>\(alert.state.rawValue)</b>"
      out += "<td>\(escape(alert.rule))<td>"
      out += labels.map { "<code>\(escape($0.name))=\(escape($0.value))</code>" }.joined(separator: " ")
      out += "<td class=n>\(escape(NumberText.general(alert.value)))"
      out += "<td class=n title=\"\(alert.activeAt.rfc3339)\">\(age(alert.activeAt, now))<td>"
      out += alert.annotations.map { "<div><i>\(escape($0.name))</i> \(escape($0.value))</div>" }
        .joined()
      out += "</tr>"
    }
    return out + "</table>"
  }

  private func groupTable(_ group: RuleGroupReport) -> String {
    let now = context.now()
    var out = "<h3>\(escape(group.name)) <small>\(escape(group.file)), every \(group.interval)"
    if let last = group.lastEvaluation { out += ", evaluated \(age(last, now)) ago" }
    out += "</small></h3><table><tr><th>State<th>Rule<th>Expression<th>For<th>Health</tr>"
    for rule in group.rules {
      let state = rule.kind == .alerting ? rule.state.rawValue : "recording"
      out += "<tr><td><b class=\(state)>\(state)</b><td>\(escape(rule.name))"
      out += "<td><code>\(escape(rule.query))</code>"
      out += "<td class=n>\(rule.kind == .alerting ? rule.holdDuration.description : "")"
      let health = rule.health == .err ? "<b class=firing>error</b> \(escape(rule.lastError))" : rule.health.rawValue
      out += "<td>\(health)</tr>"
    }
    return out + "</table>"
  }

  private func targetTable(_ targets: [TargetReport]) -> String {
    if targets.isEmpty { return "<p class=none>No target is configured.</p>" }
    let now = context.now()
    var out = "<table><tr><th>Health<th>Job<th>Target<th>Last scrape<th>Error</tr>"
    for target in targets {
      let style = target.health == .down ? "firing" : target.health == .up ? "up" : "unknown"
      out += "<tr><td><b class=\(style)>\(target.health.rawValue)</b>"
      out += "<td>\(escape(target.labels.value(of: LabelName.job)))<td>\(escape(target.url))"
      out += "<td class=n>\(target.lastScrape.map { age($0, now) + " ago" } ?? "")"
      out += "<td>\(escape(target.lastError))</tr>"
    }
    return out + "</table>"
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
    :root{color-scheme:light dark;--line:#8884;--red:#c22;--amber:#a60;--green:#283}
    @media(prefers-color-scheme:dark){:root{--red:#f77;--amber:#fb4;--green:#6c7}}
    body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:80rem;padding:0 1rem}
    h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:1rem 0 .2rem}
    small{font-weight:normal;opacity:.7}.sum>*{margin-right:1rem}.none{opacity:.7}
    table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;opacity:.75}
    td,th{padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
    td.n{white-space:nowrap}code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
    .firing{color:var(--red)}.pending{color:var(--amber)}.up,.inactive{color:var(--green)}
    .recording,.unknown{font-weight:normal;opacity:.7}i{opacity:.7}footer{margin:2rem 0;opacity:.8}
    </style></head><body>
    """
  }
}
