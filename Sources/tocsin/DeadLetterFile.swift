import Glibc
import Kernel
import Synchronization

/// The dead letters of a folder: a line of JSON for each notification that was given up.
///
/// The file never grows beyond a bound: full, it becomes `dead-letters.jsonl.1`, and what had that
/// name is gone. It may hold what only the receivers should read, so nobody else can.
final class DeadLetterFile: Sendable {
  static let fileName = "dead-letters.jsonl"
  /// Bytes of one of the two files.
  private static let usualLimit = 16 << 20

  let path: String
  private let limit: Int
  private let log: @Sendable (LogRecord) -> Void
  private let writing = Mutex(())

  /// - Parameter log: hears of what is written, and of what could not be.
  init(
    folder: String, limit: Int = usualLimit, log: @escaping @Sendable (LogRecord) -> Void
  ) {
    path = folder + "/" + Self.fileName
    self.limit = limit
    self.log = log
  }

  /// Appends one letter; a failure is a line in the log that says which notification is lost.
  ///
  /// - Returns: whether it is written.
  func append(_ letter: DeadLetter) -> Bool {
    let line = letter.json + [UInt8(ascii: "\n")]
    return writing.withLock { _ in
      rotate(before: line.count)
      if let problem = write(line) {
        log(
          LogRecord(
            .error, "notify", "A dead letter cannot be written",
            [
              ("path", path), ("err", problem), ("receiver", letter.receiver),
              ("key", letter.key), ("alerts", "\(letter.alerts)"),
            ]))
        return false
      }
      log(
        LogRecord(
          .warn, "notify", "Dead letter written; `tocsin notify replay` sends it again",
          [("path", path), ("receiver", letter.receiver), ("key", letter.key)]))
      return true
    }
  }

  private func rotate(before size: Int) {
    var info = stat()
    guard stat(path, &info) == 0, info.st_size > 0, Int(info.st_size) + size > limit else {
      return
    }
    let replaces = access(path + ".1", F_OK) == 0
    if rename(path, path + ".1") == 0, replaces {
      log(
        LogRecord(
          .warn, "notify", "The dead-letter file is full; its older half is gone",
          [("path", path), ("limit", "\(limit)")]))
    }
  }

  /// Writes to the end of the file and to the disk; answers what went wrong.
  private func write(_ bytes: [UInt8]) -> String? {
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    if file < 0 { return String(cString: strerror(errno)) }
    defer { close(file) }
    var done = 0
    while done < bytes.count {
      let n = bytes[done...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if n < 0 && errno == EINTR { continue }
      if n < 0 { return String(cString: strerror(errno)) }
      done += n
    }
    return fsync(file) == 0 ? nil : String(cString: strerror(errno))
  }
}
