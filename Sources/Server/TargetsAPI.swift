import Exposition
import JSON
import Kernel
import Model

/// `/api/v1/targets`, `/scrape_pools`, `/targets/metadata`, `/metadata` and `/alertmanagers`.
struct TargetsAPI: Sendable {
  let context: ServerContext

  func targets(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let state = parameters["state"]?.lowercased() ?? "any"
    let pool = parameters["scrapePool"]
    let showsActive = state == "active" || state == "any"
    let showsDropped = state == "dropped" || state == "any"
    let (report, externalURL) = context.gate.visit {
      ($0.targetsReport, $0.settings.global.externalURL)
    }
    let active = showsActive ? report.active.filter { pool == nil || $0.pool == pool } : []
    let dropped = showsDropped ? report.dropped.filter { pool == nil || $0.pool == pool } : []
    var closing = JSONWriter(escapesHTML: true)
    closing.object { json in
      json.key("droppedTargets")
      json.array { json in for target in dropped { write(target, to: &json) } }
      json.key("droppedTargetCounts")
      json.object { json in
        for (job, count) in report.droppedCounts
        where showsDropped && (pool == nil || job == pool) {
          json.field(job, int: count)
        }
      }
    }
    let global = GlobalURL(external: externalURL)
    return Envelope.success(
      of: active, opening: #"{"activeTargets":["#, closing: "]," + closing.text.dropFirst()
    ) { write($0, global, to: &$1) }
  }

  func scrapePools() -> Answer {
    let pools = context.gate.visit { $0.targetsReport.droppedCounts.map(\.job) }
    return Envelope.success { json in
      json.object { json in
        json.key("scrapePools")
        json.array { json in for pool in pools { json.string(pool) } }
      }
    }
  }

  func alertmanagers() -> Answer {
    let report = context.gate.visit { $0.alertmanagersReport }
    return Envelope.success { json in
      json.object { json in
        json.key("activeAlertmanagers")
        urls(report.active, to: &json)
        json.key("droppedAlertmanagers")
        urls(report.dropped, to: &json)
      }
    }
  }

  private func urls(_ urls: [String], to json: inout JSONWriter) {
    json.array { json in
      for url in urls { json.object { json in json.field("url", url) } }
    }
  }

  private func write(_ target: TargetReport, _ global: GlobalURL, to json: inout JSONWriter) {
    json.object { json in
      json.key("discoveredLabels")
      QueryJSON.labels(target.discoveredLabels, to: &json)
      json.key("labels")
      QueryJSON.labels(target.labels, to: &json)
      json.field("scrapePool", target.pool)
      json.field("scrapeUrl", target.url)
      json.field("globalUrl", global.of(target.url))
      json.field("lastError", target.lastError)
      json.field("lastScrape", RulesAPI.time(target.lastScrape))
      json.field("lastScrapeDuration", raw: NumberText.json(target.lastScrapeDuration))
      json.field("health", target.health.rawValue)
      json.field("scrapeInterval", target.scrapeInterval.description)
      json.field("scrapeTimeout", target.scrapeTimeout.description)
    }
  }

  private func write(_ target: DroppedTargetReport, to json: inout JSONWriter) {
    json.object { json in
      json.key("discoveredLabels")
      QueryJSON.labels(target.discoveredLabels, to: &json)
      json.field("scrapePool", target.pool)
    }
  }

  // MARK: metadata

  /// Per target and family.
  func targetMetadata(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let limit = try parameters.count("limit")
    var matchers: [Matcher] = []
    if let text = parameters["match_target"] {
      do {
        matchers = try RequestParameters.selector(text)
      } catch {
        throw .invalidParameter("match_target", error.text)
      }
    }
    let metric = parameters["metric"]
    let report = context.gate.visit { [matchers] in
      $0.metadataReport(metric: metric, targetsMatching: matchers)
    }
    var all = report.flatMap { target in target.families.map { (target.labels, $0) } }
    if let limit { all = Array(all.prefix(limit)) }
    return Envelope.success(of: all) { one, json in
      json.object { json in
        json.key("target")
        QueryJSON.labels(one.0, to: &json)
        if metric == nil { json.field("metric", one.1.name) }
        Self.fields(one.1, to: &json)
      }
    }
  }

  /// Per family, over all targets.
  func metadata(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let limit = try parameters.count("limit")
    let perMetric = try parameters.count("limit_per_metric")
    let metric = parameters["metric"]
    let report = context.gate.visit { $0.metadataReport(metric: metric) }
    var families: [String: [FamilyMetadata]] = [:]
    for family in report.flatMap(\.families) {
      if let perMetric, perMetric > 0, families[family.name, default: []].count >= perMetric {
        continue
      }
      if !(families[family.name] ?? []).contains(family) {
        families[family.name, default: []].append(family)
      }
    }
    var names = families.keys.sorted(by: ByteOrder.less)
    if let limit { names = Array(names.prefix(limit)) }
    let listed = names.map { (name: $0, families: families[$0] ?? []) }
    return Envelope.success(of: listed, opening: "{", closing: "}") { one, json in
      json.key(one.name)
      json.array { json in
        for family in one.families {
          json.object { json in Self.fields(family, to: &json) }
        }
      }
    }
  }

  private static func fields(_ family: FamilyMetadata, to json: inout JSONWriter) {
    json.field("type", family.type.name)
    json.field("help", family.help)
    json.field("unit", family.unit)
  }
}

/// Where people reach a target that is named by a loopback address.
struct GlobalURL: Sendable {
  /// Host with port, and host alone, of the external URL.
  private let authority: Substring
  private let scheme: Substring

  init(external: String) {
    let parts = Self.split(external)
    scheme = parts.scheme
    authority = parts.authority
  }

  private static func split(
    _ url: String
  ) -> (scheme: Substring, authority: Substring, path: Substring) {
    guard let colon = url.firstRange(of: "://") else { return ("", url[...], "") }
    let rest = url[colon.upperBound...]
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    return (url[..<colon.lowerBound], rest[..<end], rest[end...])
  }

  private static func hostAndPort(_ authority: Substring) -> (host: Substring, port: Substring?) {
    let place = authority[
      (authority.lastIndex(of: "@").map(authority.index(after:))
        ?? authority.startIndex)...]
    if place.hasSuffix("]") { return (place, nil) }
    guard let colon = place.lastIndex(of: ":") else { return (place, nil) }
    return (place[..<colon], place[place.index(after: colon)...])
  }

  /// The URL with the host of the external URL where its own means "this machine".
  func of(_ url: String) -> String {
    let parts = Self.split(url)
    let (host, port) = Self.hostAndPort(parts.authority)
    guard ["localhost", "127.0.0.1", "[::1]"].contains(host), !authority.isEmpty else {
      return url
    }
    let (ownHost, ownPort) = Self.hostAndPort(authority)
    if port != nil && port == ownPort { return "\(scheme)://\(authority)\(parts.path)" }
    return "\(parts.scheme)://\(ownHost)\(port.map { ":" + $0 } ?? "")\(parts.path)"
  }
}
