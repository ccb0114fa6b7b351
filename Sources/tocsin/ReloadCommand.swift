import ArgumentParser
import Config
import Diagnostics
import HTTPClient
import JSON
import Model
import YAML

/// `tocsin reload`: makes a running daemon read its configuration anew, or asks what that would do.
struct ReloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Reload a running daemon's configuration, or see first what that would do.",
    discussion: """
      tocsin reload                        reload, and print what was wrong
      tocsin reload --plan rules/new.yml   what would become of the alerts

      The daemon must run with --web.enable-lifecycle. With --plan the file is sent along: a rule \
      file takes the place of the one of its path or name, a prometheus.yml comes with the rule \
      files and the tocsin.yml it names.

      Exit status: 0 in order, 1 errors in the files, 2 no answer.
      """)

  @Option(help: "A rule file or a prometheus.yml to look at; nothing is changed.")
  var plan: String?

  @Option(help: "URL of the daemon.")
  var url = "http://127.0.0.1:9190"

  @Option(name: [.customShort("o"), .customLong("output")], help: "human or json.")
  var output: Output = .human

  enum Output: String, ExpressibleByArgument, CaseIterable { case human, json }

  func run() async throws {
    if let plan {
      try await look(plan)
    } else {
      try await reload()
    }
  }

  private func reload() async throws {
    let response = try await post("/-/reload", type: "text/plain", [])
    let text = String(decoding: response.body, as: UTF8.self)
    switch output {
    case .human:
      Terminal.write(response.status == 200 ? "Configuration reloaded.\n" : text, to: 1)
    case .json:
      var json = JSONWriter()
      json.object { json in
        json.key("success")
        json.bool(response.status == 200)
        json.field("message", text)
      }
      Terminal.write(json.text + "\n", to: 1)
    }
    if response.status == 403 { throw complaint(Self.needsLifecycle) }
    if response.status != 200 { throw ExitCode(1) }
  }

  private func look(_ path: String) async throws {
    let candidate = try CandidateFiles(path: path).candidate()
    let response = try await post(
      "/api/v1/reload/plan", type: "application/json", candidate.json)
    if response.status == 403 { throw complaint(Self.needsLifecycle) }
    guard let document = try? JSONValue(parsing: response.body),
      document["status"]?.string == "success", let data = document["data"]
    else {
      throw complaint("\(url) does not answer with a plan (HTTP status \(response.statusText))")
    }
    switch output {
    case .human: Terminal.write(PlanText(data).text, to: 1)
    case .json: Terminal.write(String(decoding: response.body, as: UTF8.self) + "\n", to: 1)
    }
    let hasErrors = (data["problems"]?.array ?? []).contains { $0["severity"]?.string == "error" }
    if hasErrors { throw ExitCode(1) }
  }

  private static let needsLifecycle =
    "the daemon refuses: start it with --web.enable-lifecycle, or send it SIGHUP to reload"

  private func complaint(_ message: String) -> ExitCode {
    Terminal.write("tocsin: \(message)\n", to: 2)
    return ExitCode(2)
  }

  private func post(_ path: String, type: String, _ body: [UInt8]) async throws -> HTTPResponse {
    var base = url.contains("://") ? url : "http://" + url
    while base.hasSuffix("/") { base.removeLast() }
    var request = HTTPRequest(url: base + path)
    request.method = "POST"
    request.headers = [("Content-Type", type)]
    request.body = body
    request.timeout = 60_000
    request.proxy = .environment
    let client = try HTTPClient()
    let outcome = await client.send(request)
    client.shutdown()
    switch outcome.result {
    case .success(let response): return response
    case .failure(let failure): throw complaint(outcome.failureText ?? failure.text)
    }
  }
}

/// The files that go along with the question.
struct CandidateFiles {
  let path: String

  func candidate() throws -> ReloadCandidate {
    let content = try read(path)
    var candidate = ReloadCandidate()
    let file = ReloadCandidate.File(path: FileSystem.absolute(path), content: content)
    if isRuleFile(content) {
      candidate.rules = [file]
      return candidate
    }
    candidate.config = file
    let folder = FileSystem.directory(of: path)
    let config = PrometheusConfigLoader.load(
      SourceText(name: path, bytes: content), directory: folder, environment: Environment.value)
    candidate.rules = try ConfigLoader.rulePaths(config).map { try rule($0, folder) }
    let tocsin = FileSystem.join(folder, "tocsin.yml")
    if FileSystem.exists(tocsin) {
      candidate.tocsin = ReloadCandidate.File(
        path: FileSystem.absolute(tocsin), content: try read(tocsin))
    }
    return candidate
  }

  private func rule(_ path: String, _ folder: String) throws -> ReloadCandidate.File {
    let absolute = FileSystem.absolute(path)
    let start = FileSystem.absolute(folder) + "/"
    let isInside = absolute.utf8.starts(with: start.utf8)
    return ReloadCandidate.File(
      path: absolute, relative: isInside ? String(absolute.dropFirst(start.count)) : nil,
      content: try read(path))
  }

  private func read(_ path: String) throws -> [UInt8] {
    do {
      return try FileSystem.read(path)
    } catch {
      Terminal.write("tocsin: cannot read \(error)\n", to: 2)
      throw ExitCode(2)
    }
  }

  /// A rule file has groups, or nothing that a configuration has.
  private func isRuleFile(_ content: [UInt8]) -> Bool {
    let root = YAMLDocument.parse(source: SourceText(name: path, bytes: content)).root
    guard case .mapping(let entries)? = root?.content.kind else { return true }
    return entries.contains { $0.key.text == "groups" }
  }
}

/// A plan for people: what changes, one line each, and what does not as a number.
struct PlanText {
  private let data: JSONValue

  init(_ data: JSONValue) { self.data = data }

  var text: String {
    var out = problems
    guard data["groups"] != nil else {
      return out + "A reload would be refused: nothing would change.\n"
    }
    for outcome in ["resolved", "reset", "new", "kept"] {
      for alert in alerts(outcome) {
        out += "\(pad(outcome, 9))\(pad(alert["state"]?.string ?? "", 9))\(name(alert))\n"
        out += "                  \(place(alert)): \(alert["reason"]?.string ?? "")\n"
      }
    }
    for remark in data["remarks"]?.array ?? [] { out += "note: \(remark.string ?? "")\n" }
    return out + counts("alerts", "counts", ["kept", "reset", "resolved", "new"])
      + counts("groups", "groups", ["unchanged", "changed", "added", "removed"])
  }

  private var problems: String {
    (data["problems"]?.array ?? []).map { problem in
      let line = problem["line"]?.int.map { ":\($0):\(problem["column"]?.int ?? 1)" } ?? ""
      let file = problem["file"]?.string.map { $0 + line + ": " } ?? ""
      let severity = problem["severity"]?.string ?? "error"
      return "\(file)\(severity): \(problem["message"]?.string ?? "")\n"
    }.joined()
  }

  private func alerts(_ outcome: String) -> [JSONValue] {
    (data["alerts"]?.array ?? []).filter { $0["outcome"]?.string == outcome }
  }

  private func name(_ alert: JSONValue) -> String {
    LabelSet((alert["labels"]?.object ?? []).map { ($0.key, $0.value.string ?? "") }).description
  }

  private func place(_ alert: JSONValue) -> String {
    "\(alert["file"]?.string ?? "") \(alert["group"]?.string ?? "")"
  }

  private func counts(_ title: String, _ key: String, _ names: [String]) -> String {
    let parts = names.map { "\(data[key]?[$0]?.int ?? 0) \($0)" }
    return "\(title): " + parts.joined(separator: ", ") + "\n"
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
  }
}
