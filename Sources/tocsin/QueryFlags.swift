import ArgumentParser
import Config
import Diagnostics
import Kernel
import Model

/// Flags of all queries.
struct QueryFlags: ParsableArguments {
  @Option(name: [.customShort("o"), .customLong("output")], help: "table, json or csv.")
  var output: QueryFormat = .table

  @Option(help: "A header to send, as 'Name: value'; may be repeated.")
  var header: [String] = []

  @Option(
    name: .customLong("http.config.file"),
    help: "A file with authorization, basic_auth, oauth2, tls_config, proxy_url as in a scrape.",
    completion: .file())
  var httpConfigFile: String?

  @Option(help: "Seconds to wait for the answer.")
  var timeout = 150

  /// How the server is reached; mistakes in the file end the program with status 2.
  func access() throws -> QueryClient.Access {
    var access = QueryClient.Access()
    access.timeout = max(1, timeout)
    access.headers = try header.map { text in
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError("--header: expected 'Name: value', got '\(text)'")
      }
      return (String(parts[0]), String(parts[1].drop { $0 == " " }))
    }
    guard let path = httpConfigFile else { return access }
    guard let bytes = try? FileSystem.read(path) else {
      Terminal.complain("\(path): cannot be read")
      throw ExitCode(2)
    }
    let loaded = HTTPConfigFile.load(
      SourceText(name: path, bytes: bytes), directory: FileSystem.directory(of: path))
    Terminal.write(HumanRenderer().render(loaded.diagnostics), to: 2)
    guard let settings = loaded.settings else { throw ExitCode(2) }
    access.settings = settings
    return access
  }
}

/// The times between which series are looked for.
struct QueryRangeFlags: ParsableArguments {
  @Option(help: "First time, RFC 3339 or Unix seconds.")
  var start: String?

  @Option(help: "Last time, RFC 3339 or Unix seconds.")
  var end: String?

  var parameters: [(String, String)] {
    get throws {
      try [("start", start), ("end", end)].compactMap { name, text in
        try text.map { (name, NumberText.plain(try QueryTime.parse(name, $0).seconds)) }
      }
    }
  }
}

/// Times and steps of the command line.
enum QueryTime {
  static func parse(_ flag: String, _ text: String) throws -> Timestamp {
    if let seconds = Double(text), seconds.isFinite { return Timestamp(seconds: seconds) }
    if let t = Timestamp(rfc3339: text) { return t }
    throw ValidationError("--\(flag): expected RFC 3339 or Unix seconds, got '\(text)'")
  }

  static func step(_ text: String) throws -> PromDuration {
    if let seconds = Double(text), seconds > 0, seconds < 1e9 {
      return PromDuration(seconds: seconds)
    }
    if let duration = try? PromDuration(parsing: text), duration > .zero { return duration }
    throw ValidationError("--step: expected seconds or a duration such as 1m30s, got '\(text)'")
  }

  /// 250 steps of whole seconds.
  static func step(from first: Timestamp, through last: Timestamp) -> PromDuration {
    PromDuration(seconds: max(1, ((last - first).seconds / 250).rounded(.down)))
  }
}
