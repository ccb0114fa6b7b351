import HTTPClient
import Kernel

/// The HTTP client with what a block of settings asks for: credentials, TLS, proxies, tokens.
struct AuthorizedClient: Sendable {
  let client: HTTPClient
  private let tokens: TokenCache

  init(client: HTTPClient) {
    self.client = client
    tokens = TokenCache(client: client)
  }

  /// Adds what `settings` says to the request and sends it.
  ///
  /// Secrets in files are read now; one that cannot be read fails the request.
  func send(
    _ request: HTTPRequest, _ settings: HTTPSettings,
    completion: @escaping @Sendable (HTTPOutcome) -> Void
  ) {
    do throws(RequestMapping.Problem) {
      var request = request
      try RequestMapping.apply(settings, to: &request)
      try send(request, tokenFor: settings, completion: completion)
    } catch {
      completion(
        HTTPOutcome(
          result: .failure(.request(error.description)), duration: 0, queued: 0,
          hadHeaders: true, method: request.method, url: request.url))
    }
  }

  /// Sends a request that is complete but for the token.
  func send(
    _ request: HTTPRequest, tokenFor settings: HTTPSettings,
    completion: @escaping @Sendable (HTTPOutcome) -> Void
  ) throws(RequestMapping.Problem) {
    guard let oauth2 = settings.oauth2 else {
      client.send(request, completion: completion)
      return
    }
    let token = try RequestMapping.token(oauth2, timeout: request.timeout)
    tokens.send(request, authorizedBy: token, completion: completion)
  }
}
