import JSON
import Kernel
import Model
import Rules

/// Texts of which one must be met byte by byte; none given: any will do.
private struct ExactTexts {
  private let texts: Set<[UInt8]>

  init(_ given: [String]) { texts = Set(given.map { Array($0.utf8) }) }

  func accepts(_ text: String) -> Bool { texts.isEmpty || texts.contains(Array(text.utf8)) }
}

/// `/api/v1/rules` and `/api/v1/alerts`.
struct RulesAPI: Sendable {
  let context: ServerContext

  /// What of the rules a request wants to see.
  private struct Filter {
    var kind: RuleReport.Kind?
    var names: ExactTexts
    var groups: ExactTexts
    var files: ExactTexts
    /// One of them must fit a rule's labels as configured.
    var matchers: [[Matcher]]
    var showsAlerts: Bool

    init(_ parameters: RequestParameters) throws(APIFailure) {
      switch parameters["type"]?.lowercased() {
      case nil: kind = nil
      case "alert": kind = .alerting
      case "record": kind = .recording
      case .some(let other):
        throw .invalidParameter("type", "not supported value \(GoText.quote(other))")
      }
      names = ExactTexts(parameters.all("rule_name[]"))
      groups = ExactTexts(parameters.all("rule_group[]"))
      files = ExactTexts(parameters.all("file[]"))
      do throws(MatcherProblem) {
        matchers = try parameters.matcherSets()
      } catch {
        throw error.plain
      }
      showsAlerts = !(try parameters.bool("exclude_alerts"))
    }

    func accepts(_ group: RuleGroupReport) -> Bool {
      groups.accepts(group.name) && files.accepts(group.file)
    }

    func accepts(_ rule: RuleReport) -> Bool {
      (kind == nil || kind == rule.kind) && names.accepts(rule.name)
        && (matchers.isEmpty || fits(LabelSet(labels: rule.labels)))
    }

    private func fits(_ labels: LabelSet) -> Bool {
      matchers.contains { set in set.allSatisfy { $0.matches(labels.value(of: $0.name)) } }
    }
  }

  /// Which of the groups a request for pages wants.
  private struct Page {
    var limit: Int?
    var token: String?

    init(_ parameters: RequestParameters) throws(APIFailure) {
      token = parameters["group_next_token"]
      guard let text = parameters["group_limit"] else {
        if token == nil { return }
        throw .invalidParameter(
          "group_next_token",
          "group_limit needs to be present in order to paginate over the groups")
      }
      guard let limit = Int(text) else {
        throw .invalidParameter(
          "group_limit",
          "group_limit needs to be a valid number: strconv.ParseInt: parsing "
            + "\(GoText.quote(text)): invalid syntax")
      }
      if limit <= 0 {
        throw .invalidParameter("group_limit", "group_limit needs to be greater than 0")
      }
      self.limit = limit
    }

    /// Where the page begins and ends, and the token of the next one.
    func cut(
      _ groups: [RuleGroupReport]
    ) throws(APIFailure) -> (groups: ArraySlice<RuleGroupReport>, next: String?) {
      guard let limit else { return (groups[...], nil) }
      var start = 0
      if let token {
        guard let place = groups.firstIndex(where: { Self.token(of: $0) == token }) else {
          throw .invalidParameter(
            "group_next_token",
            "invalid group_next_token '\(token)'. were rule groups changed?")
        }
        start = place
      }
      let rest = groups[start...]
      return (rest.prefix(limit), rest.dropFirst(limit).first.map(Self.token))
    }

    /// Names a group in letters that need no escaping; only we read it.
    private static func token(of group: RuleGroupReport) -> String {
      (group.file + ";" + group.name).utf8.map { byte in
        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
      }.joined()
    }
  }

  func rules(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let filter = try Filter(parameters)
    let wanted = try Page(parameters)
    // By file and name already.
    let all = context.gate.visit { $0.rulesReport }.compactMap { group -> RuleGroupReport? in
      guard filter.accepts(group) else { return nil }
      var kept = group
      kept.rules = group.rules.filter { filter.accepts($0) }
      return kept.rules.isEmpty && !group.rules.isEmpty ? nil : kept
    }
    let (page, next) = try wanted.cut(all)
    var closing = "]"
    if let next {
      // Hexadecimal digits: nothing to escape.
      closing += #","groupNextToken":"\#(next)""#
    }
    return Envelope.success(
      of: Array(page), opening: #"{"groups":["#, closing: closing + "}"
    ) { write($0, showsAlerts: filter.showsAlerts, to: &$1) }
  }

  func alerts() -> Answer {
    let alerts = context.gate.visit { $0.alertsReport }
    return Envelope.success(of: alerts, opening: #"{"alerts":["#, closing: "]}") {
      write($0, to: &$1)
    }
  }

  private func write(
    _ group: RuleGroupReport, showsAlerts: Bool, to json: inout JSONWriter
  ) {
    json.object { json in
      json.field("name", group.name)
      json.field("file", group.file)
      json.key("rules")
      json.array { json in
        for rule in group.rules { write(rule, showsAlerts: showsAlerts, to: &json) }
      }
      json.field("interval", raw: NumberText.plain(group.interval.seconds))
      json.field("limit", int: group.limit)
      json.field("evaluationTime", raw: NumberText.json(group.evaluationTime))
      json.field("lastEvaluation", Self.time(group.lastEvaluation))
    }
  }

  private func write(_ rule: RuleReport, showsAlerts: Bool, to json: inout JSONWriter) {
    json.object { json in
      if rule.kind == .alerting { json.field("state", rule.state.rawValue) }
      json.field("name", rule.name)
      json.field("query", rule.query)
      if rule.kind == .alerting {
        json.field("duration", raw: NumberText.plain(rule.holdDuration.seconds))
        json.field("keepFiringFor", raw: NumberText.plain(rule.keepFiringFor.seconds))
      }
      if rule.kind == .alerting || !rule.labels.isEmpty {
        Self.pairs("labels", rule.labels, to: &json)
      }
      if rule.kind == .alerting {
        Self.pairs("annotations", rule.annotations, to: &json)
        json.key("alerts")
        json.array { json in
          if showsAlerts { for alert in rule.alerts { write(alert, to: &json) } }
        }
      }
      json.field("health", rule.health.rawValue)
      if !rule.lastError.isEmpty { json.field("lastError", rule.lastError) }
      json.field("evaluationTime", raw: NumberText.json(rule.evaluationTime))
      json.field("lastEvaluation", Self.time(rule.lastEvaluation))
      json.field("type", rule.kind.rawValue)
      json.field("evaluationNanoseconds", int: Int(rule.evaluationTime * 1e9))
      json.field("seriesTouched", int: rule.cost.series)
      json.field("samplesTouched", int: rule.cost.samples)
      json.field("shapeRebuilds", int: Int(clamping: rule.cost.shapeRebuilds))
      if rule.quarantine != nil { json.field("quarantined", bool: true) }
      if let policy = rule.policy {
        json.key("policy")
        json.object { json in
          json.field("on_no_data", policy.onNoData.rawValue)
          json.field("on_error", policy.onError.rawValue)
          json.field("for_while_target_down", policy.forWhileTargetDown.rawValue)
        }
      }
    }
  }

  private func write(_ alert: AlertReport, to json: inout JSONWriter) {
    json.object { json in
      json.key("labels")
      QueryJSON.labels(alert.labels, to: &json)
      Self.pairs("annotations", alert.annotations, to: &json)
      json.field("state", alert.state.rawValue)
      json.field("activeAt", alert.activeAt.rfc3339)
      if let since = alert.keepFiringSince { json.field("keepFiringSince", since.rfc3339) }
      json.field("value", NumberText.scientific(alert.value))
      if alert.basis != .condition { json.field("basis", alert.basis.rawValue) }
    }
  }

  private static func pairs(_ name: String, _ labels: [Label], to json: inout JSONWriter) {
    json.key(name)
    json.object { json in for label in labels { json.field(label.name, label.value) } }
  }

  /// RFC 3339, or Go's zero time for what never happened.
  static func time(_ t: Timestamp?) -> String { t?.rfc3339 ?? "0001-01-01T00:00:00Z" }
}
