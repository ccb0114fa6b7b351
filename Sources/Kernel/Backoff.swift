import Model

/// How long to wait before the next try: twice as long each time, with jitter, up to a bound.
struct Backoff {
  static let base = PromDuration.seconds(1)
  static let most = PromDuration.minutes(1)

  /// The pause after `failures` failures in a row (from 1): between half of the step and all of it.
  static func pause(afterFailures failures: Int, using random: inout SeededGenerator)
    -> PromDuration
  {
    let doublings = min(max(0, failures - 1), 16)
    let step = min(base.milliseconds << Int64(doublings), most.milliseconds)
    return .milliseconds(step / 2 + Int64.random(in: 0...(step - step / 2), using: &random))
  }
}
