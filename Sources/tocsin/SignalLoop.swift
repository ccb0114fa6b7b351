import CLinux
import Glibc

/// Turns signals into calls, one by one, on a thread of its own.
enum SignalLoop {
  /// The signals the daemon answers.
  enum Kind: Sendable {
    /// SIGHUP.
    case reload
    /// SIGTERM or SIGINT.
    case stop
  }

  /// Starts the thread.
  ///
  /// A peer that closes its connection does not end the process from now on.
  static func start(_ handle: @escaping @Sendable (Kind) -> Void) {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "there is a pipe for the signals")
    let numbers = [SIGHUP, SIGTERM, SIGINT]
    let status = tlinux_pipe_signals(ends[1], numbers, Int32(numbers.count))
    precondition(status == 0, "these signals can be handled")
    let source = ends[0]
    SystemThread.start("signals") {
      var number: UInt8 = 0
      while true {
        guard read(source, &number, 1) == 1 else { continue }
        handle(Int32(number) == SIGHUP ? .reload : .stop)
      }
    }
  }
}
