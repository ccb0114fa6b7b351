import CLinux
import Glibc

/// Waits for signals on a thread of its own and hands them on one by one.
enum SignalLoop {
  /// The signals the daemon answers.
  enum Kind: Sendable {
    /// SIGHUP.
    case reload
    /// SIGTERM or SIGINT.
    case stop
  }

  /// Blocks the signals for every thread started afterwards; call first, on the main thread.
  static func block() {
    var set = signals()
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Starts the waiting thread.
  static func start(_ handle: @escaping @Sendable (Kind) -> Void) {
    SystemThread.start("signals") {
      var set = signals()
      while true {
        var number: Int32 = 0
        guard sigwait(&set, &number) == 0 else { continue }
        handle(number == SIGHUP ? .reload : .stop)
      }
    }
  }

  private static func signals() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGHUP, SIGTERM, SIGINT] { sigaddset(&set, number) }
    return set
  }
}
