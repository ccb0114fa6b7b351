import CLinux
import Kernel
import Model

/// Hands memory back some time after a start or a reload: reading the configuration and linking the
/// libraries touch code that is not needed again; and now and then what bursts have left free.
struct StartupMemory {
  /// Once when the first scrapes and evaluations are done, and once when all caches are warm.
  private static let delays = [PromDuration.seconds(4), .seconds(40)]

  /// From one look at the heap to the next.
  private static let pause = PromDuration.seconds(30)

  private var due: [Timestamp] = []
  private var nextLook: Timestamp?

  /// Looks at the events of a turn of the loop.
  mutating func follow(_ events: [Event], at now: Timestamp) {
    for case .reload in events { due = Self.delays.map { now + $0 } }
    if let next = due.first, now >= next {
      due.removeFirst()
      tlinux_give_back_startup_memory()
    } else if nextLook.map({ now >= $0 || $0 > now + Self.pause }) ?? true {
      nextLook = now + Self.pause
      tlinux_give_back_free_pages()
    }
  }
}
