import JSON
import Synchronization

/// Fetches OAuth 2.0 tokens and keeps each until shortly before it expires.
///
/// Requests that need a token that is on its way wait for it; there is one request for a token at a
/// time.
package final class TokenCache: Sendable {
  /// A token is not used in its last seconds.
  private static let margin: Int64 = 10_000_000_000

  private typealias Completion = @Sendable (Result<String, HTTPFailure>) -> Void

  private struct Entry {
    /// The whole Authorization header.
    var value: String?
    /// Monotonic nanoseconds; nil: never.
    var expires: Int64?
    var style = TokenRequest.Style.header
    var waiting: [Completion] = []
    var isUnderWay = false
  }

  private let client: HTTPClient
  private let entries = Mutex<[String: Entry]>([:])

  package init(client: HTTPClient) { self.client = client }

  /// Sends a request with a token, which is fetched first if need be.
  package func send(
    _ request: HTTPRequest, authorizedBy token: TokenRequest,
    completion: @escaping @Sendable (HTTPOutcome) -> Void
  ) {
    let began = TransferLoop.now()
    self.token(token) { [client] result in
      switch result {
      case .success(let value):
        var authorized = request
        authorized.authorization = value
        let spent = (TransferLoop.now() - began) / 1_000_000
        if authorized.timeout > 0 { authorized.timeout = max(1, authorized.timeout - Int(spent)) }
        client.send(authorized, completion: completion)
      case .failure(let failure):
        completion(
          HTTPOutcome(
            result: .failure(failure), duration: TransferLoop.now() - began, queued: 0,
            hadHeaders: false, method: request.method, url: request.url))
      }
    }
  }

  /// Hands on the value of the Authorization header.
  private func token(_ request: TokenRequest, _ completion: @escaping Completion) {
    let key = request.key
    let now = TransferLoop.now()
    enum Step {
      case use(String)
      case wait
      case fetch(TokenRequest.Style)
    }
    let step = entries.withLock { entries -> Step in
      var entry = entries[key] ?? Entry()
      defer { entries[key] = entry }
      if let value = entry.value, (entry.expires ?? .max) > now { return .use(value) }
      entry.waiting.append(completion)
      if entry.isUnderWay { return .wait }
      entry.isUnderWay = true
      return .fetch(entry.style)
    }
    switch step {
    case .use(let value): completion(.success(value))
    case .wait: break
    case .fetch(let style): fetch(request, key, style, mayRetry: true)
    }
  }

  /// - Note: As Go's client: the credentials go into the header, and where the server refuses that,
  ///   into the form.
  private func fetch(
    _ request: TokenRequest, _ key: String, _ style: TokenRequest.Style, mayRetry: Bool
  ) {
    client.send(request.request(style)) { [self] outcome in
      let result = Self.token(in: outcome)
      if case .failure = result, mayRetry, case .success = outcome.result {
        fetch(request, key, style == .header ? .parameters : .header, mayRetry: false)
        return
      }
      settle(key, result, style)
    }
  }

  private func settle(
    _ key: String, _ result: Result<Token, HTTPFailure>, _ style: TokenRequest.Style
  ) {
    let waiting = entries.withLock { entries in
      guard var entry = entries[key] else { return [Completion]() }
      defer { entries[key] = entry }
      entry.isUnderWay = false
      if case .success(let token) = result {
        entry.value = token.value
        entry.expires = token.lifetime.map { TransferLoop.now() + $0 - Self.margin }
        entry.style = style
      } else {
        entry.value = nil
      }
      defer { entry.waiting = [] }
      return entry.waiting
    }
    let value = result.map(\.value)
    for completion in waiting { completion(value) }
    entries.withLock { entries in
      // Credentials that are no longer in use (a secret that was changed) are forgotten.
      if entries.count > 256 { entries = entries.filter { $0.value.isUnderWay } }
    }
  }

  private struct Token {
    var value: String
    var lifetime: Int64?
  }

  private static func token(in outcome: HTTPOutcome) -> Result<Token, HTTPFailure> {
    let response: HTTPResponse
    switch outcome.result {
    case .failure(let failure):
      let text = outcome.failureText ?? failure.text
      return .failure(failure == .timeout ? .timeout : .request("oauth2: \(text)"))
    case .success(let answer): response = answer
    }
    let json = try? JSONValue(parsing: response.body)
    if let code = json?["error"]?.string {
      let words = [code, json?["error_description"]?.string].compactMap { $0 }
      return .failure(.request("oauth2: " + words.map { "\"\($0)\"" }.joined(separator: " ")))
    }
    guard (200...299).contains(response.status), let json else {
      let body = String(decoding: response.body.prefix(512), as: UTF8.self)
      return .failure(
        .request("oauth2: cannot fetch token: \(response.statusText)\nResponse: \(body)"))
    }
    guard let value = json["access_token"]?.string, !value.isEmpty else {
      return .failure(.request("oauth2: server response missing access_token"))
    }
    let seconds = json["expires_in"]?.double ?? json["expires_in"]?.string.flatMap(Double.init)
    let lifetime = seconds.flatMap { $0 > 0 && $0 < 1e9 ? Int64($0 * 1e9) : nil }
    let type = json["token_type"]?.string ?? ""
    return .success(Token(value: kind(type) + " " + value, lifetime: lifetime))
  }

  /// The scheme of the header; servers write `bearer` in any case.
  private static func kind(_ type: String) -> String {
    switch type.lowercased() {
    case "", "bearer": "Bearer"
    case "mac": "MAC"
    case "basic": "Basic"
    default: type
    }
  }
}
