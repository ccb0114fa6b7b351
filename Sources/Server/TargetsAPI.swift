import JSON
import Kernel
import Model

/// `/api/v1/targets` and `/api/v1/alertmanagers`.
struct TargetsAPI: Sendable {
  let context: ServerContext

  func targets(_ parameters: RequestParameters) throws(APIFailure) -> [UInt8] {
    let state = parameters["state"] ?? "any"
    let pool = parameters["scrapePool"]
    let showsActive = state == "active" || state == "any"
    let showsDropped = state == "dropped" || state == "any"
    let report = context.gate.visit { $0.targetsReport }
    let active = showsActive ? report.active.filter { pool == nil || $0.pool == pool } : []
    let dropped = showsDropped ? report.dropped.filter { pool == nil || $0.pool == pool } : []
    return Envelope.success { json in
      json.object { json in
        json.key("activeTargets")
        json.array { json in for target in active { write(target, to: &json) } }
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
    }
  }

  func scrapePools() -> [UInt8] {
    let pools = context.gate.visit { $0.targetsReport.droppedCounts.map(\.job) }
    return Envelope.success { json in
      json.object { json in
        json.key("scrapePools")
        json.array { json in for pool in pools { json.string(pool) } }
      }
    }
  }

  func alertmanagers() -> [UInt8] {
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

  private func write(_ target: TargetReport, to json: inout JSONWriter) {
    json.object { json in
      json.key("discoveredLabels")
      QueryJSON.labels(target.discoveredLabels, to: &json)
      json.key("labels")
      QueryJSON.labels(target.labels, to: &json)
      json.field("scrapePool", target.pool)
      json.field("scrapeUrl", target.url)
      json.field("globalUrl", target.url)
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
}
