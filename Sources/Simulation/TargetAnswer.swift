import Kernel
import Model

/// What one scrape gets: the page, or what became of it.
struct TargetAnswer {
  private static let textType = "text/plain; version=0.0.4"

  var result: ScrapeOutcome.Result
  /// Milliseconds; nil: no answer ever comes.
  var latency: Int64?
  var copies = 1

  /// - Parameter stalledAt: the time at which a stalled target stands still.
  init(
    _ script: TargetScript, fault: TargetFault?, timeout: PromDuration, latency: Int64, time: Int64,
    stalledAt: Int64, wall: Timestamp
  ) {
    self.latency = latency
    let page = script.page(at: fault == .stalled ? stalledAt : time, wall: wall)
    var body = Array(page.utf8)
    var type = Self.textType
    switch fault {
    case .none, .stalled: break
    case .refused:
      result = .failure("connection refused")
      return
    case .timeout:
      result = .failure("context deadline exceeded")
      self.latency = timeout.milliseconds
      return
    case .unavailable:
      result = .failure("server returned HTTP status 503 Service Unavailable")
      return
    case .oversized:
      result = .bodyTooLarge(limit: 100_000)
      return
    case .silent: self.latency = nil
    case .slow: self.latency = timeout.milliseconds - 1
    case .garbage:
      body.insert(contentsOf: Array("\n{{{ \u{0} not metrics\n".utf8), at: body.count / 2)
    case .truncated: body = Array(body.dropLast(body.count / 3)) + Array("\npair_".utf8)
    case .withoutType: type = ""
    case .empty: body = []
    case .answersTwice: copies = 2
    }
    result = .body(body, contentType: type)
  }
}
