import Model

/// Names a target for as long as it lives.
package struct TargetID: Hashable, Sendable {
  package var raw: UInt64
  package init(raw: UInt64) { self.raw = raw }
}

/// Names one request to a receiver.
package struct DeliveryID: Hashable, Sendable {
  package var raw: UInt64
  package init(raw: UInt64) { self.raw = raw }
}

/// What happens to the kernel.
///
/// Time comes beside it, as an argument.
package enum Event: Sendable {
  /// A deadline may have passed; looks at what is due.
  case tick
  /// New settings, already validated. Unchanged groups and targets live on.
  case reload(Settings)
  /// A discovery has a new list for one of its sources; empty targets remove it.
  case discovered(job: String, mechanism: String, groups: [TargetGroup])
  /// The same for the Alertmanagers of one entry of `alerting`, counted from 0.
  case discoveredAlertmanagers(config: Int, mechanism: String, groups: [TargetGroup])
  case scraped(TargetID, ScrapeOutcome)
  case delivered(DeliveryID, DeliveryOutcome)
  /// State of an earlier process; comes right after the first `reload`.
  case restore(RestoredState)
  /// Saving state fails, and why; nil: it works again.
  case storage(problem: String?)
  /// No new evaluations or scrapes; queues are drained.
  case stop
}

/// What the shell shall do.
///
/// Each effect is answered by at most one event.
package enum Effect: Sendable {
  case scrape(TargetID, ScrapeRequest)
  case deliver(DeliveryID, DeliveryRequest)
  /// A notification is given up: what it takes to send it again goes to a file.
  case deadLetter(DeadLetter)
  /// State changed. Requests to receivers that come later leave when this is saved, or cannot be.
  case persist(StateBatch)
  case log(LogRecord)
  /// Everything that had to leave has left; the process may exit.
  case drained
}

/// One scrape as the HTTP edge needs it.
package struct ScrapeRequest: Sendable {
  package var url: String
  /// Accept, User-Agent and the like; authentication is added by the edge from `http`.
  package var headers: [(name: String, value: String)]
  package var http: HTTPSettings
  package var timeout: PromDuration
  /// Decoded bytes; 0 = the edge's own hard limit.
  package var bodySizeLimit: Int
  package var acceptsGzip: Bool
  /// The socket of a target that does not listen on TCP.
  package var unixSocketPath: String?

  package init(
    url: String, headers: [(name: String, value: String)], http: HTTPSettings,
    timeout: PromDuration, bodySizeLimit: Int, acceptsGzip: Bool, unixSocketPath: String? = nil
  ) {
    self.url = url
    self.headers = headers
    self.http = http
    self.timeout = timeout
    self.bodySizeLimit = bodySizeLimit
    self.acceptsGzip = acceptsGzip
    self.unixSocketPath = unixSocketPath
  }
}

/// How a scrape went.
package struct ScrapeOutcome: Sendable {
  package enum Result: Sendable {
    /// Status 200: decoded body and its content type.
    case body([UInt8], contentType: String)
    /// Prometheus' words: `server returned HTTP status 500 Internal Server Error`, `context
    /// deadline exceeded`, …
    case failure(String)
    case bodyTooLarge(limit: Int)
  }

  package var result: Result
  /// When the request left.
  package var started: Timestamp
  package var duration: PromDuration
  /// The duration as exactly as it is known.
  package var seconds: Double

  /// - Parameter nanoseconds: the duration once more, where it is known exactly.
  package init(
    result: Result, started: Timestamp, duration: PromDuration, nanoseconds: Int64? = nil
  ) {
    self.result = result
    self.started = started
    self.duration = duration
    seconds =
      nanoseconds.map { Double($0 / 1_000_000_000) + Double($0 % 1_000_000_000) / 1e9 }
      ?? duration.seconds
  }
}

/// One POST to an Alertmanager or webhook.
package struct DeliveryRequest: Sendable {
  /// The receiver as metrics and logs name it: a URL or a webhook's name.
  package var receiver: String
  package var url: HTTPSettings.Secret
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  package var http: HTTPSettings
  package var timeout: PromDuration

  package init(
    receiver: String, url: HTTPSettings.Secret, headers: [(name: String, value: String)],
    body: [UInt8], http: HTTPSettings, timeout: PromDuration
  ) {
    self.receiver = receiver
    self.url = url
    self.headers = headers
    self.body = body
    self.http = http
    self.timeout = timeout
  }
}

/// What a receiver answered.
package struct DeliveryOutcome: Sendable {
  package enum Result: Sendable {
    /// Any status; the start of the body for messages.
    case answered(status: Int, retryAfter: PromDuration?, body: String)
    /// No answer: refused, timed out, TLS, …
    case failed(String)
  }

  package var result: Result
  package var duration: PromDuration

  package init(result: Result, duration: PromDuration) {
    self.result = result
    self.duration = duration
  }
}

/// One line of the log: level, message, fields in order.
package struct LogRecord: Sendable {
  package enum Level: String, Sendable, CaseIterable { case debug, info, warn, error }

  package var level: Level
  /// Where it comes from: `scrape`, `rules`, `alerts`, `notify`, `config` and the like.
  package var component: String
  package var message: String
  package var fields: [(name: String, value: String)]
  /// The file it belongs to, if not the log.
  package var file: String?

  package init(
    _ level: Level, _ component: String, _ message: String,
    _ fields: [(name: String, value: String)] = []
  ) {
    self.level = level
    self.component = component
    self.message = message
    self.fields = fields
  }
}
