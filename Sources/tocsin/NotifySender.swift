import ArgumentParser
import Glibc
import HTTPClient
import Kernel
import Model

/// Sends single notifications the way the daemon does.
struct NotifySender {
  private let client: HTTPClient
  private let authorized: AuthorizedClient

  init() throws {
    do throws(HTTPClientProblem) {
      client = try HTTPClient()
    } catch {
      NotifyOutput.complain("no HTTP client: \(error.description)")
      throw ExitCode(2)
    }
    authorized = AuthorizedClient(client: client)
  }

  func close() { client.shutdown() }

  /// One try.
  func send(_ delivery: DeliveryRequest) async -> NotifyExchange {
    let request: HTTPRequest
    do throws(RequestMapping.Problem) {
      request = try RequestMapping.request(delivery)
    } catch {
      return NotifyExchange(delivery, nil, .failed(error.description), .zero)
    }
    return await withCheckedContinuation { continuation in
      let finish: @Sendable (HTTPOutcome) -> Void = { outcome in
        let duration = PromDuration(milliseconds: outcome.duration / 1_000_000)
        continuation.resume(
          returning: NotifyExchange(delivery, request, EffectRunner.result(of: outcome), duration))
      }
      do throws(RequestMapping.Problem) {
        try authorized.send(request, tokenFor: delivery.http, completion: finish)
      } catch {
        continuation.resume(
          returning: NotifyExchange(delivery, request, .failed(error.description), .zero))
      }
    }
  }
}

/// A request and what came of it, in words without secrets.
struct NotifyExchange: Sendable {
  private let delivery: DeliveryRequest
  /// Nil if it could not be built.
  private let request: HTTPRequest?
  private let outcome: DeliveryOutcome

  init(
    _ delivery: DeliveryRequest, _ request: HTTPRequest?, _ result: DeliveryOutcome.Result,
    _ duration: PromDuration
  ) {
    self.delivery = delivery
    self.request = request
    outcome = DeliveryOutcome(result: result, duration: duration)
  }

  var isAccepted: Bool {
    guard case .accepted = DeliveryVerdict(outcome) else { return false }
    return true
  }

  /// Status, time and the start of the body.
  var answer: String {
    switch outcome.result {
    case .failed(let reason): return masked("no answer: \(reason)")
    case .answered(let status, _, let body):
      let excerpt = body.unicodeScalars.prefix(500).map { scalar in
        scalar.properties.generalCategory == .control ? " " : String(scalar)
      }.joined()
      let text = "status \(status) in \(outcome.duration.description)"
      return masked(excerpt.isEmpty ? text : text + ": " + excerpt)
    }
  }

  /// All of it for people.
  func text(showsBody: Bool) -> String {
    var lines: [String] = []
    if let request {
      lines.append("> POST \(place(of: request))")
      for header in delivery.headers { lines.append("> \(header.name): \(header.value)") }
      for name in credentials(of: request) { lines.append("> \(name): xxxxx") }
      if let proxy = delivery.http.proxy.url {
        lines.append("> (through \(SecretText.redacted(url: proxy)))")
      }
      if showsBody {
        lines.append("> " + String(decoding: delivery.body, as: UTF8.self))
      } else {
        lines.append("> (\(delivery.body.count) bytes)")
      }
    }
    lines.append("< " + answer)
    switch DeliveryVerdict(outcome) {
    case .accepted: lines.append("Accepted.")
    case .refused: lines.append("Refused: the daemon would not send the same text again.")
    case .retry(_, let after):
      let asked = after.map { ", not before \($0.description) have passed" } ?? ""
      lines.append("Not accepted: the daemon would try again\(asked).")
    }
    return lines.joined(separator: "\n")
  }

  /// Where it goes; of an address in a file only the host is shown.
  private func place(of request: HTTPRequest) -> String {
    guard case .file = delivery.url else { return SecretText.redacted(receiver: request.url) }
    let parts = SecretText.redacted(url: request.url).split(
      separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return parts.prefix(3).joined(separator: "/") + (parts.count > 3 ? "/xxxxx" : "")
  }

  private func credentials(of request: HTTPRequest) -> [String] {
    let isAuthorized =
      request.basicAuth != nil || request.authorization != nil || delivery.http.oauth2 != nil
    return (isAuthorized ? ["Authorization"] : []) + delivery.http.headers.map(\.name)
  }

  /// An answer may repeat what it was sent.
  private func masked(_ text: String) -> String {
    secrets.reduce(text) { $0.replacing($1, with: "xxxxx") }
  }

  private var secrets: [String] {
    guard let request else { return [] }
    var all = [request.basicAuth?.password].compactMap { $0 }
    all += request.authorization.map { $0.split(separator: " ").suffix(1).map(String.init) } ?? []
    let known = delivery.headers.map(\.name)
    all += request.headers.filter { header in !known.contains(header.name) }.map(\.value)
    let path = request.url.split(separator: "/").dropFirst(2)
    all += path.filter(SecretText.looksSecret).map(String.init)
    if case .file = delivery.url { all.append(request.url) }
    return all.filter { $0.utf8.count >= 4 }.sorted { $0.utf8.count > $1.utf8.count }
  }
}

/// What the subcommands of `notify` print.
enum NotifyOutput {
  /// Writes to the standard error.
  static func complain(_ text: String) {
    let line = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
