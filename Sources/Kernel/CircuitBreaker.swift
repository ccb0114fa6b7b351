import Model

/// Leaves a receiver alone that fails again and again, and asks it one request at a time whether it
/// is back.
///
/// Closed, everything passes. After `threshold` failures in a row it opens: nothing passes for a
/// pause that doubles with every failure up to a bound, with jitter. Then it is half open: one
/// request passes as a probe, whose answer closes the breaker or opens it again.
struct CircuitBreaker: Sendable {
  /// What the breaker lets through.
  enum State: Int, Sendable {
    case closed = 0
    case halfOpen = 1
    case open = 2
  }

  static let threshold = 5
  private static let base = PromDuration.seconds(10)
  private static let most = PromDuration.minutes(1)
  /// The longest that a receiver's own `Retry-After` is obeyed.
  static let mostPatience = PromDuration.hours(1)

  private(set) var state = State.closed
  /// In a row.
  private(set) var failures = 0
  /// How often it has opened from closed.
  private(set) var trips: UInt64 = 0
  /// Nothing passes before this time: the end of the pause, or what the receiver asked for.
  private(set) var notBefore: Timestamp?
  /// Changes when the breaker opens: answers to older requests say nothing about the probe.
  private(set) var epoch: UInt64 = 0

  /// Whether a request may leave at `now`.
  func admits(at now: Timestamp) -> Bool {
    state != .halfOpen && notBefore.map { $0 <= now } ?? true
  }

  /// When a request that waits may leave; nil while a probe is on its way.
  var nextAdmission: Timestamp? { state == .halfOpen ? nil : notBefore ?? .distantPast }

  /// A request leaves; answers the epoch it belongs to.
  mutating func send() -> UInt64 {
    if state == .open { state = .halfOpen }
    notBefore = nil
    return epoch
  }

  /// The receiver has answered sensibly, be it with a refusal; answers whether that is news.
  mutating func close() -> Bool {
    let isNews = state != .closed
    state = .closed
    failures = 0
    notBefore = nil
    return isNews
  }

  /// A request of `sent`'s epoch failed; answers whether the breaker opens by that from closed.
  mutating func fail(
    at now: Timestamp, sent: UInt64, retryAfter: PromDuration?,
    using random: inout SeededGenerator
  ) -> Bool {
    // A straggler from before the breaker opened.
    if sent != epoch { return false }
    failures += 1
    let asked = retryAfter.map { now + min($0, Self.mostPatience) }
    if state == .closed && failures < Self.threshold {
      notBefore = [notBefore, asked].compactMap { $0 }.max()
      return false
    }
    let isNews = state == .closed
    if isNews { trips += 1 }
    epoch += 1
    state = .open
    let doublings = min(max(0, failures - Self.threshold), 8)
    let step = min(Self.base.milliseconds << Int64(doublings), Self.most.milliseconds)
    let pause = PromDuration.milliseconds(
      step / 2 + Int64.random(in: 0...(step - step / 2), using: &random))
    notBefore = max(now + pause, asked ?? .distantPast)
    return isNews
  }

  /// Ends the pause: the next request may leave at once, as a probe if the breaker is open.
  mutating func hurry() { notBefore = nil }
}

extension CircuitBreaker.State {
  /// As logs and the API name it.
  var name: String {
    switch self {
    case .closed: "closed"
    case .halfOpen: "half-open"
    case .open: "open"
    }
  }
}
