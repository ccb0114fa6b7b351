import Glibc
import Model
import Synchronization

/// The one clock of the program: wall time in milliseconds that never runs backwards.
final class WallClock: Sendable {
  private let steady = Mutex(SteadyTime())

  /// The time now.
  func now() -> Timestamp {
    steady.withLock { steady in
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      let wall = Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
      return steady.advance(wall: wall, monotonic: Double(Self.monotonicNanoseconds()) / 1e6)
    }
  }

  /// Nanoseconds of a clock that nobody sets, for measuring.
  static func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// Wall time that goes on when somebody sets the clock back.
///
/// It then runs at nine tenths of its pace until the clock has caught up: rules are still evaluated
/// and nothing happens twice. Standing still would leave alerts unattended for as long.
struct SteadyTime {
  private static let slowPace = 0.9

  private var last = -Double.infinity
  private var measured = 0.0

  /// The time to go by, from both clocks in milliseconds; calls come in the order of time.
  mutating func advance(wall: Double, monotonic: Double) -> Timestamp {
    last = max(wall, last + max(0, monotonic - measured) * Self.slowPace)
    measured = monotonic
    return Timestamp(milliseconds: Int64(last))
  }
}
