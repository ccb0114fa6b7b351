import Model

/// What an answer means for the notification it answers.
package enum DeliveryVerdict {
  case accepted
  /// Worth another try, perhaps not before a time the receiver named.
  case retry(reason: String, after: PromDuration?)
  /// Trying again with the same content is pointless.
  case refused(reason: String)

  /// - Note: 2xx is fine; no answer, 5xx, 408 and 429 are worth another try; other statuses are
  ///   final, as in Alertmanager's webhook client.
  package init(_ outcome: DeliveryOutcome) {
    switch outcome.result {
    case .failed(let reason): self = .retry(reason: reason, after: nil)
    case .answered(let status, _, _) where (200..<300).contains(status): self = .accepted
    case .answered(let status, let retryAfter, let body):
      let reason = Self.text(status: status, body: body)
      if status >= 500 || status == 408 || status == 429 {
        self = .retry(reason: reason, after: retryAfter)
      } else {
        self = .refused(reason: reason)
      }
    }
  }

  private static func text(status: Int, body: String) -> String {
    let start = String(decoding: body.utf8.prefix(200), as: UTF8.self)
    return start.isEmpty
      ? "bad response status \(status)" : "bad response status \(status): \(start)"
  }
}

extension DeliveryOutcome {
  /// The HTTP status, if there was an answer.
  package var status: Int? {
    guard case .answered(let status, _, _) = result else { return nil }
    return status
  }
}

/// Counts of one receiver since the start; errors and drops count alerts, as in Prometheus.
struct DeliveryCounts {
  var sent: UInt64 = 0
  var errors: UInt64 = 0
  var dropped: UInt64 = 0
  /// Requests answered with success and those that were not.
  var requests: UInt64 = 0
  var failedRequests: UInt64 = 0
  var latency = DurationSummary()
}
