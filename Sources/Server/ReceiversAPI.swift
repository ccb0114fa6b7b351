import JSON
import Kernel

/// `/api/v1/notifications/receivers`: how webhooks and Alertmanagers are doing.
struct ReceiversAPI: Sendable {
  let context: ServerContext

  func receivers() -> Answer {
    let reports = context.gate.visit { $0.receiversReport }
    return Envelope.success { json in
      json.object { json in
        json.key("receivers")
        json.array { json in for report in reports { write(report, to: &json) } }
      }
    }
  }

  private func write(_ report: ReceiverReport, to json: inout JSONWriter) {
    json.object { json in
      json.field("kind", report.kind.rawValue)
      json.field("name", report.name)
      json.field("groups", int: report.groups)
      json.field("alerts", int: report.alerts)
      json.field("outstanding", int: report.outstanding)
      json.field("sentAlerts", int: report.sentAlerts)
      json.field("droppedAlerts", int: report.droppedAlerts)
      json.field("requests", int: report.requests)
      json.field("failedRequests", int: report.failedRequests)
      json.field("deadLetters", int: report.deadLetters)
      json.field("lastError", report.lastError)
      if let time = report.lastSuccess { json.field("lastSuccess", time.rfc3339) }
      json.key("breaker")
      json.object { json in
        json.field("state", report.breaker.state)
        json.field("failures", int: report.breaker.failures)
        json.field("trips", int: report.breaker.trips)
        if let time = report.breaker.notBefore { json.field("notBefore", time.rfc3339) }
      }
    }
  }
}
