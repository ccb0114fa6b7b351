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

  /// Goes on from a time that an earlier process has seen, if the clock lies behind it.
  func goOn(from time: Timestamp) {
    _ = now()
    steady.withLock { $0.goOn(from: time) }
  }

  /// Nanoseconds of a clock that nobody sets, for measuring.
  static func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
