import Glibc
import Synchronization

/// Says which round trapped or hangs, from a signal handler: nothing here allocates.
enum Watch {
  private static let round = Atomic<UInt64>(0)
  /// The address of the text; it is never freed, as a handler may be reading it.
  private static let text = Atomic<UInt>(0)

  /// Installs the handlers; `replay` is the command that repeats a round, without its number.
  static func start(replay: String) {
    text.store(UInt(bitPattern: strdup(replay)), ordering: .relaxed)
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM] {
      signal(number) { number in Watch.report(number) }
    }
  }

  /// A round begins and has ten seconds.
  static func enter(_ number: UInt64) {
    round.store(number, ordering: .relaxed)
    alarm(10)
  }

  private static func report(_ number: Int32) {
    put(number == SIGALRM ? "\nhang: " : "\ntrap: ")
    let address = text.load(ordering: .relaxed)
    if let text = UnsafePointer<CChar>(bitPattern: address) { _ = write(2, text, strlen(text)) }
    var rest = round.load(ordering: .relaxed)
    var scale: UInt64 = 1
    while rest / scale >= 10 { scale *= 10 }
    while scale > 0 {
      var digit = UInt8(ascii: "0") + UInt8(rest / scale)
      _ = write(2, &digit, 1)
      rest %= scale
      scale /= 10
    }
    put("\n")
    _exit(3)
  }

  private static func put(_ text: StaticString) {
    _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
  }
}
