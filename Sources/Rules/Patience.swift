import Model

/// How long the absence of an alert from a result does not end it, because its data are on their
/// way.
///
/// It is time that the rule has lived through: what passes without an evaluation, because the
/// process is suspended or the clock is set forward, brings no data either and does not count.
package struct Patience: Hashable, Sendable {
  private var end: Timestamp
  private var looked: Timestamp

  /// Patience that begins now.
  package init(from now: Timestamp, for duration: PromDuration) {
    end = now + duration
    looked = now
  }

  /// Notes an evaluation of a group and answers whether patience is over by now.
  mutating func isOver(at slot: Timestamp, interval: PromDuration) -> Bool {
    end = end + max(.zero, slot - looked - interval)
    looked = max(looked, slot)
    return slot >= end
  }
}
