import Answers
import ArgumentParser
import Diagnostics
import HTTPClient
import JSON
import Kernel

/// Sends a query and prints what comes back.
struct QueryClient {
  /// An answer and the bytes it came in.
  struct Reply {
    var answer: Answer
    var body: [UInt8]
  }

  /// How the server is reached.
  struct Access {
    var settings: HTTPSettings
    var headers: [(String, String)] = []
    /// Seconds.
    var timeout = 150

    init() {
      settings = HTTPSettings()
      settings.proxy.fromEnvironment = true
    }
  }

  let server: String
  var access = Access()
  var format = QueryFormat.table
  /// The expression that is asked for, to show mistakes in.
  var expr: String?

  init(server: String) { self.server = server }

  init(server: String, flags: QueryFlags, expr: String? = nil) throws {
    self.server = server
    access = try flags.access()
    format = flags.output
    self.expr = expr
  }

  /// The data of an answer to a form.
  func answer(_ path: String, _ form: [(String, String)]) async throws -> JSONValue {
    try await document(path, form: form).json["data"] ?? .null
  }

  /// Asks by POST with a form, or by GET; exit status 1 when the server answers with an error, 2
  /// when it cannot be reached.
  func ask(
    _ subject: Answer.Subject, _ path: String, form: [(String, String)] = [],
    query: [(String, String)] = []
  ) async throws -> Reply {
    let (json, body) = try await document(path, form: form, query: query)
    for kind in ["warnings", "infos"] {
      for text in json[kind]?.array ?? [] {
        Terminal.complain("\(kind.dropLast()): \(text.string ?? "")")
      }
    }
    return Reply(answer: Answer(subject, json["data"]), body: body)
  }

  private func document(
    _ path: String, form: [(String, String)], query: [(String, String)] = []
  ) async throws -> (json: JSONValue, body: [UInt8]) {
    let response = try await send(path, form: form, query: query)
    guard let json = try? JSONValue(parsing: response.body), json["status"] != nil else {
      Terminal.complain(
        "\(server) does not answer as Prometheus does: HTTP status \(response.statusText)"
          + hint(response.status))
      throw ExitCode(2)
    }
    if json["status"]?.string != "success" {
      complain(json["errorType"]?.string ?? "error", json["error"]?.string ?? "")
      throw ExitCode(1)
    }
    return (json, response.body)
  }

  /// Prints an answer in the form the flags ask for.
  func print(_ reply: Reply) {
    switch format {
    case .json: Terminal.write(String(decoding: reply.body, as: UTF8.self) + "\n", to: 1)
    case .table: Terminal.write(reply.answer.table, to: 1)
    case .csv: Terminal.write(reply.answer.csv, to: 1)
    }
  }

  private func hint(_ status: Int) -> String {
    switch status {
    case 401, 403: "; --http.config.file and --header carry credentials"
    case 404: "; is this the address of a server with Prometheus' API?"
    default: ""
    }
  }

  /// An error of the server; one in the expression with its place.
  private func complain(_ kind: String, _ message: String) {
    if let expr, let (range, text) = Self.place(of: message, in: expr) {
      let source = SourceText(name: "<expr>", text: expr)
      let diagnostic = Diagnostic(
        "promql/syntax", .error, text, source: source, range: range)
      Terminal.write(HumanRenderer().render([diagnostic]), to: 2)
      return
    }
    Terminal.complain("\(kind): \(message)")
  }

  /// Reads `1:5: parse error: …` out of a message.
  private static func place(of message: String, in expr: String) -> (SourceRange, String)? {
    guard let mark = message.firstRange(of: ": parse error: ") else { return nil }
    let parts = message[..<mark.lowerBound].split { !$0.isNumber }.suffix(2).map { Int($0) }
    guard parts.count == 2, let line = parts[0], let column = parts[1] else { return nil }
    let source = SourceText(name: "", text: expr)
    guard line >= 1, line <= source.lineStarts.count, column >= 1 else { return nil }
    let start = min(source.lineStarts[line - 1] + column - 1, source.bytes.count)
    return (SourceRange(start, start), String(message[mark.upperBound...]))
  }

  private func send(
    _ path: String, form: [(String, String)], query: [(String, String)]
  ) async throws -> HTTPResponse {
    let progress = Progress("waiting for \(server)")
    defer { progress.finish() }
    var base = server.contains("://") ? server : "http://" + server
    while base.hasSuffix("/") { base.removeLast() }
    let suffix = query.isEmpty ? "" : "?" + Self.encode(query)
    var request = HTTPRequest(url: base + path + suffix)
    request.headers = access.headers
    if !form.isEmpty {
      request.method = "POST"
      request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
      request.body = Array(Self.encode(form).utf8)
    }
    request.headers.append(("User-Agent", "Tocsin/\(Tocsin.version)"))
    request.timeout = access.timeout * 1000
    let client = AuthorizedClient(client: try HTTPClient())
    let prepared = request
    let outcome = await withCheckedContinuation { waiting in
      client.send(prepared, access.settings) { waiting.resume(returning: $0) }
    }
    client.client.shutdown()
    progress.finish()
    switch outcome.result {
    case .success(let response): return response
    case .failure(let failure):
      Terminal.complain(outcome.failureText ?? failure.text)
      throw ExitCode(2)
    }
  }

  private static func encode(_ pairs: [(String, String)]) -> String {
    pairs.map { "\(PercentEncoding.encode($0))=\(PercentEncoding.encode($1))" }
      .joined(separator: "&")
  }

  /// A text as a part of a query, a form or a path: everything but letters, digits and `-._` by its
  /// bytes.
}
