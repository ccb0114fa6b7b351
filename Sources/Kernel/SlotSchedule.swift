import Model

/// The instants `k·interval + offset` at which something is due.
package struct SlotSchedule: Hashable, Sendable {
  package let interval: PromDuration
  /// In `0 ..< interval`.
  package let offset: PromDuration

  /// Puts something at a phase of its own, given by a stable hash.
  package init(interval: PromDuration, hash: UInt64) {
    precondition(interval > .zero, "an interval must be positive")
    self.interval = interval
    offset = .milliseconds(Int64(hash % UInt64(interval.milliseconds)))
  }

  /// Counts the intervals from a time.
  package init(interval: PromDuration, from beginning: Timestamp) {
    precondition(interval > .zero, "an interval must be positive")
    self.interval = interval
    let phase = beginning.milliseconds.flooredDivision(by: interval.milliseconds).remainder
    offset = .milliseconds(phase)
  }

  /// The last slot at or before `time`.
  package func slot(atOrBefore time: Timestamp) -> Timestamp {
    let shifted = time.milliseconds - offset.milliseconds
    let k = shifted.flooredDivision(by: interval.milliseconds).quotient
    return Timestamp(milliseconds: k * interval.milliseconds + offset.milliseconds)
  }

  /// The first slot after `time`.
  package func slot(after time: Timestamp) -> Timestamp { slot(atOrBefore: time) + interval }

  /// How many slots lie in `[from, to)`, both being slots.
  package func slots(from: Timestamp, to: Timestamp) -> Int {
    Int((to - from).milliseconds / interval.milliseconds)
  }
}
