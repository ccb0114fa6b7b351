import Glibc
import Model
import Synchronization

/// The one clock of the program: wall time in milliseconds that never runs backwards.
final class WallClock: Sendable {
  private let last = Atomic<Int64>(.min)

  /// The time now; a clock that was set back stands still until it has caught up.
  func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let ms = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    let before = last.max(ms, ordering: .relaxed).oldValue
    return Timestamp(milliseconds: max(ms, before))
  }

  /// Nanoseconds of a clock that nobody sets, for measuring.
  static func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
