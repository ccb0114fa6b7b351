/// Wall time that goes on when somebody sets the clock back.
///
/// It then runs at nine tenths of its pace until the clock has caught up: rules are still evaluated
/// and nothing happens twice. Standing still would leave alerts unattended for as long.
package struct SteadyTime: Sendable {
  private static let slowPace = 0.9

  private var last = -Double.infinity
  private var measured = 0.0

  package init() {}

  /// Goes on from a time that an earlier process has seen, if the clock lies behind it.
  package mutating func goOn(from time: Timestamp) {
    last = max(last, Double(time.milliseconds))
  }

  /// The time to go by, from both clocks in milliseconds; calls come in the order of time.
  package mutating func advance(wall: Double, monotonic: Double) -> Timestamp {
    last = max(wall, last + max(0, monotonic - measured) * Self.slowPace)
    measured = monotonic
    return Timestamp(milliseconds: Int64(last))
  }
}
