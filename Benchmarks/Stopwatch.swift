import Glibc

/// Clocks.
enum Stopwatch {
  /// Nanoseconds of processor time of the calling thread: other work on the machine does not
  /// count.
  static func now() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  /// Nanoseconds of processor time of all threads.
  static func ofProcess() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  /// Nanoseconds that have gone by.
  static func elapsed() -> Int64 { read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
