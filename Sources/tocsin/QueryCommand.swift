import ArgumentParser
import HTTPClient
import JSON
import Model

/// `tocsin query instant|range`: asks any server with Prometheus' API.
struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Ask Tocsin, Prometheus or anything with its API.",
    subcommands: [QueryInstantCommand.self, QueryRangeCommand.self])
}

/// How answers are printed.
enum QueryFormat: String, ExpressibleByArgument, CaseIterable { case table, json }

/// `tocsin query instant SERVER EXPR`.
struct QueryInstantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instant",
    abstract: "Evaluate an expression at one time.",
    discussion: "tocsin query instant http://127.0.0.1:9190 'up == 0'")

  @Option(help: "Evaluation time, RFC 3339 or Unix seconds; default: now.")
  var time: String?

  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var output: QueryFormat = .table

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "PromQL expression.")
  var expr: String

  func run() async throws {
    var form: [(String, String)] = [("query", expr)]
    if let time { form.append(("time", time)) }
    try await QueryClient(server: server).print("/api/v1/query", form, as: output)
  }
}

/// `tocsin query range SERVER EXPR`.
struct QueryRangeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "range",
    abstract: "Evaluate an expression at every step of a time range.",
    discussion: """
      tocsin query range --start 2026-01-31T12:00:00Z --end 2026-01-31T13:00:00Z http://127.0.0.1:9190 up
      Without --start the last hour, without --step 250 steps.
      """)

  @Option(help: "First time, RFC 3339 or Unix seconds; default: an hour before the end.")
  var start: String?

  @Option(help: "Last time, RFC 3339 or Unix seconds; default: now.")
  var end: String?

  @Option(help: "Distance of the steps: seconds or 1m30s.")
  var step: String?

  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var output: QueryFormat = .table

  @Argument(help: "URL of the server.")
  var server: String

  @Argument(help: "PromQL expression.")
  var expr: String

  func run() async throws {
    let last = try end.map { try Self.time("end", $0) } ?? WallClock().now()
    let first = try start.map { try Self.time("start", $0) } ?? last - .hours(1)
    let seconds = max(1, ((last - first).seconds / 250).rounded(.down))
    let form = [
      ("query", expr), ("start", NumberText.plain(first.seconds)),
      ("end", NumberText.plain(last.seconds)), ("step", step ?? NumberText.plain(seconds)),
    ]
    try await QueryClient(server: server).print("/api/v1/query_range", form, as: output)
  }

  private static func time(_ flag: String, _ text: String) throws -> Timestamp {
    if let seconds = Double(text), seconds.isFinite { return Timestamp(seconds: seconds) }
    if let t = Timestamp(rfc3339: text) { return t }
    throw ValidationError("--\(flag): expected RFC 3339 or Unix seconds, got '\(text)'")
  }
}

/// Sends a query and prints what comes back.
struct QueryClient {
  let server: String

  /// The data of an answer.
  ///
  /// Exit status 1 when the server answers with an error, 2 when it cannot be reached.
  func answer(_ path: String, _ form: [(String, String)]) async throws -> JSONValue {
    try await ask(path, form).document["data"] ?? .null
  }

  private func ask(
    _ path: String, _ form: [(String, String)]
  ) async throws -> (document: JSONValue, body: [UInt8]) {
    let response = try await post(path, form)
    guard let document = try? JSONValue(parsing: response.body) else {
      Self.complain("\(server) does not answer with JSON (HTTP status \(response.statusText))")
      throw ExitCode(2)
    }
    if document["status"]?.string != "success" {
      let kind = document["errorType"]?.string ?? "error"
      Self.complain("\(kind): \(document["error"]?.string ?? "HTTP status \(response.statusText)")")
      throw ExitCode(1)
    }
    return (document, response.body)
  }

  /// Exit status 1 when the server answers with an error, 2 when it cannot be reached.
  func print(_ path: String, _ form: [(String, String)], as format: QueryFormat) async throws {
    let (document, body) = try await ask(path, form)
    for kind in ["warnings", "infos"] {
      for text in document[kind]?.array ?? [] {
        Self.complain("\(kind.dropLast()): \(text.string ?? "")")
      }
    }
    switch format {
    case .json: Terminal.write(String(decoding: body, as: UTF8.self) + "\n", to: 1)
    case .table:
      Terminal.write(QueryTable(document["data"]).text, to: 1)
    }
  }

  private func post(_ path: String, _ form: [(String, String)]) async throws -> HTTPResponse {
    var base = server.contains("://") ? server : "http://" + server
    while base.hasSuffix("/") { base.removeLast() }
    var request = HTTPRequest(url: base + path)
    request.method = "POST"
    request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
    request.body = Array(
      form.map { "\($0)=\(Self.encode($1))" }.joined(separator: "&").utf8)
    request.timeout = 150_000
    request.proxy = .environment
    let client = try HTTPClient()
    let outcome = await client.send(request)
    client.shutdown()
    switch outcome.result {
    case .success(let response): return response
    case .failure(let failure):
      Self.complain(outcome.failureText ?? failure.text)
      throw ExitCode(2)
    }
  }

  private static func encode(_ text: String) -> String {
    var out = ""
    for b in text.utf8 {
      let isPlain =
        (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39 || b == 0x2d || b == 0x2e
        || b == 0x5f
      if isPlain {
        out.unicodeScalars.append(Unicode.Scalar(b))
      } else {
        let hex = String(b, radix: 16, uppercase: true)
        out += "%" + (hex.utf8.count < 2 ? "0" : "") + hex
      }
    }
    return out
  }

  private static func complain(_ message: String) { Terminal.write("tocsin: \(message)\n", to: 2) }
}
