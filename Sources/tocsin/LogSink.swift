import Glibc
import JSON
import Kernel
import Logging
import Model
import Synchronization

/// Where log lines go: standard error, one `write` per line, logfmt or JSON.
final class LogSink: Sendable {
  /// How a line is laid out.
  enum Format: String, Sendable, CaseIterable { case logfmt, json }

  private let format: Format
  private let threshold: Int
  private let clock: WallClock

  init(format: Format, level: LogRecord.Level, clock: WallClock) {
    self.format = format
    self.threshold = Self.rank(level)
    self.clock = clock
  }

  private static func rank(_ level: LogRecord.Level) -> Int {
    LogRecord.Level.allCases.firstIndex(of: level) ?? 0
  }

  /// Writes a record if its level is high enough.
  func write(_ record: LogRecord) {
    if let file = record.file { return append(record, to: file) }
    if Self.rank(record.level) < threshold { return }
    let time = clock.now().rfc3339
    var line: [UInt8]
    switch format {
    case .logfmt: line = Self.logfmt(record, time)
    case .json: line = Self.json(record, time)
    }
    line.append(0x0a)
    line.withUnsafeBytes { all in
      var rest = all[...]
      while !rest.isEmpty {
        let n = Glibc.write(2, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if n < 0 && errno == EINTR { continue }
        if n <= 0 { break }
        rest = rest.dropFirst(n)
      }
    }
  }

  /// Appends a record to a file of its own as JSON, one line, whatever its level.
  private func append(_ record: LogRecord, to file: String) {
    let line = Self.json(record, clock.now().rfc3339) + [0x0a]
    // Opened anew for each line: the file may be rotated away.
    let descriptor = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      return log(
        .error, "scrape", "A failed scrape cannot be written down",
        [("file", file), ("error", reason)])
    }
    defer { close(descriptor) }
    _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }

  /// Shorthand for a record.
  func log(
    _ level: LogRecord.Level, _ component: String, _ message: String,
    _ fields: [(name: String, value: String)] = []
  ) {
    write(LogRecord(level, component, message, fields))
  }

  private static func logfmt(_ record: LogRecord, _ time: String) -> [UInt8] {
    var text = "time=\(time) level=\(record.level.rawValue.uppercased())"
    text += " component=\(record.component) msg=\(logfmtValue(record.message))"
    for (name, value) in record.fields { text += " \(name)=\(logfmtValue(value))" }
    return Array(text.utf8)
  }

  /// Quoted where blanks, quotes, equal signs or control characters would break the line.
  private static func logfmtValue(_ text: String) -> String {
    let plain =
      !text.isEmpty
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3d && $0 != 0x7f }
    return plain ? text : GoText.quote(text)
  }

  private static func json(_ record: LogRecord, _ time: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.field("time", time)
      json.field("level", record.level.rawValue.uppercased())
      json.field("component", record.component)
      json.field("msg", record.message)
      for (name, value) in record.fields { json.field(name, value) }
    }
    return writer.bytes
  }
}

/// Lets libraries that log through swift-log write into the same sink.
struct SinkLogHandler: LogHandler {
  let sink: LogSink
  let component: String
  /// From then on complaints are of interest to nobody: the server is being taken down.
  let isEnding: @Sendable () -> Bool
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .warning

  init(sink: LogSink, component: String, isEnding: @escaping @Sendable () -> Bool) {
    self.sink = sink
    self.component = component
    self.isEnding = isEnding
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level: LogRecord.Level =
      switch event.level {
      case _ where isEnding(): .debug
      case .trace, .debug: .debug
      case .info, .notice: .info
      case .warning: .warn
      case .error, .critical: .error
      }
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    let fields = all.keys.sorted().map { (name: $0, value: "\(all[$0] ?? "")") }
    sink.log(level, component, event.message.description, fields)
  }
}
