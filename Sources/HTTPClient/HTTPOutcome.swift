/// A complete answer, whatever its status.
package struct HTTPResponse: Sendable, Equatable {
  package var status: Int
  /// The status line's text after the number (`Not Found`).
  package var reason: String
  /// Empty when the server named none.
  package var contentType: String
  /// Seconds, from Retry-After in either form.
  package var retryAfter: Int?
  /// Decoded.
  package var body: [UInt8]

  package init(
    status: Int, reason: String, contentType: String, retryAfter: Int? = nil, body: [UInt8] = []
  ) {
    self.status = status
    self.reason = reason
    self.contentType = contentType
    self.retryAfter = retryAfter
    self.body = body
  }

  /// As Go prints it: `404 Not Found`.
  package var statusText: String { reason.isEmpty ? "\(status)" : "\(status) \(reason)" }
}

/// Why there is no answer.
package enum HTTPFailure: Error, Sendable, Hashable {
  case timeout
  case cancelled
  /// The client was shut down before or while the request ran.
  case shutDown
  /// The body reached the limit.
  case bodyTooLarge(limit: Int)
  /// No connection, in Go's words: `dial tcp 127.0.0.1:1: connect: connection refused`.
  case connection(String)
  case tls(String)
  /// The connection or the encoding broke: `EOF`, `unexpected EOF`, …
  case transfer(String)
  /// The request itself is at fault: its URL, a file it names.
  case request(String)

  /// The cause as Prometheus would word it.
  package var text: String {
    switch self {
    case .timeout: "context deadline exceeded"
    case .cancelled: "context canceled"
    case .shutDown: "the HTTP client is shut down"
    case .bodyTooLarge: "body size limit exceeded"
    case .connection(let text), .tls(let text), .transfer(let text), .request(let text): text
    }
  }
}

/// How a request ended, and how long it took.
package struct HTTPOutcome: Sendable {
  package var result: Result<HTTPResponse, HTTPFailure>
  /// Nanoseconds from `send` to the end.
  package var duration: Int64
  /// Nanoseconds of these spent waiting for a free place.
  package var queued: Int64
  /// Whether the response's headers had come (a failure then concerns the body).
  package var hadHeaders: Bool
  /// Method and URL, for messages.
  package var method: String
  package var url: String

  /// Puts an outcome together; one that never left has no headers.
  package init(
    result: Result<HTTPResponse, HTTPFailure>, duration: Int64, queued: Int64, hadHeaders: Bool,
    method: String, url: String
  ) {
    self.result = result
    self.duration = duration
    self.queued = queued
    self.hadHeaders = hadHeaders
    self.method = method
    self.url = url
  }

  /// A failure as Go's client reports it: `Get "http://…": context deadline exceeded`, without the
  /// prefix once the response had begun.
  package var failureText: String? {
    guard case .failure(let failure) = result else { return nil }
    if hadHeaders { return failure.text }
    let verb = method.prefix(1).uppercased() + method.dropFirst().lowercased()
    return "\(verb) \"\(url)\": \(failure.text)"
  }
}
