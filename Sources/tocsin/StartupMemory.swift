import CLinux
import Kernel
import Model

/// Hands memory back some time after a start or a reload: reading the configuration and linking the
/// libraries touch code that is not needed again.
struct StartupMemory {
  /// Once when the first scrapes and evaluations are done, and once when all caches are warm.
  private static let delays = [PromDuration.seconds(4), .seconds(40)]

  private var due: [Timestamp] = []

  /// Looks at the events of a turn of the loop.
  mutating func follow(_ events: [Event], at now: Timestamp) {
    for case .reload in events { due = Self.delays.map { now + $0 } }
    guard let next = due.first, now >= next else { return }
    due.removeFirst()
    tlinux_give_back_startup_memory()
  }
}
