import Config
import HTTPClient
import Kernel
import Model

/// Turns the kernel's requests into those of the HTTP client; secrets in files are read here, on
/// each use.
enum RequestMapping {
  /// Why a request could not be built: a secret's file is missing, say.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// The request of a scrape.
  static func request(_ scrape: ScrapeRequest) throws(Problem) -> HTTPRequest {
    var request = HTTPRequest(url: scrape.url)
    request.headers = scrape.headers
    request.timeout = Int(scrape.timeout.milliseconds)
    request.bodyLimit = scrape.bodySizeLimit
    request.acceptsGzip = scrape.acceptsGzip
    request.unixSocketPath = scrape.unixSocketPath
    request.isRepeated = true
    try apply(scrape.http, to: &request)
    return request
  }

  /// The request of a delivery.
  static func request(_ delivery: DeliveryRequest) throws(Problem) -> HTTPRequest {
    var request = HTTPRequest(url: try read(delivery.url))
    request.method = "POST"
    request.headers = delivery.headers
    request.body = delivery.body
    request.timeout = Int(delivery.timeout.milliseconds)
    // Receivers answer with a word or two; the start is enough for a message.
    request.bodyLimit = 4096
    request.truncatesBody = true
    request.acceptsGzip = false
    try apply(delivery.http, to: &request)
    return request
  }

  /// How the token of an `oauth2` block is asked for.
  static func token(
    _ oauth2: HTTPSettings.OAuth2, timeout: Int
  ) throws(Problem) -> TokenRequest {
    var transport = HTTPRequest(url: oauth2.tokenURL)
    transport.timeout = timeout
    transport.tls = tls(oauth2.tls)
    try apply(oauth2.proxy, to: &transport)
    var token = TokenRequest(
      clientID: oauth2.clientID, clientSecret: try read(oauth2.clientSecret), transport: transport)
    token.scopes = oauth2.scopes
    token.parameters = oauth2.endpointParams.map { ($0.name, $0.value) }
    return token
  }

  /// Adds what a block of settings says, its token aside.
  static func apply(
    _ http: HTTPSettings, to request: inout HTTPRequest
  ) throws(Problem) {
    if let basic = http.basicAuth {
      request.basicAuth = HTTPRequest.BasicAuth(
        username: try read(basic.username), password: try read(basic.password))
    }
    if let authorization = http.authorization {
      request.authorization = authorization.type + " " + (try read(authorization.credentials))
    }
    for header in http.headers {
      for value in header.values { request.headers.append((header.name, try read(value))) }
    }
    request.tls = tls(http.tls)
    request.followsRedirects = http.followRedirects
    request.allowsHTTP2 = http.enableHTTP2
    try apply(http.proxy, to: &request)
  }

  private static func apply(
    _ proxy: HTTPSettings.Proxy, to request: inout HTTPRequest
  ) throws(Problem) {
    if proxy.fromEnvironment { request.proxy = .environment }
    if let url = proxy.url { request.proxy = .url(url, exceptions: proxy.exceptions) }
    for header in proxy.connectHeaders {
      for value in header.values { request.proxyHeaders.append((header.name, try read(value))) }
    }
  }

  private static func tls(_ settings: HTTPSettings.TLS) -> HTTPRequest.TLS {
    var tls = HTTPRequest.TLS()
    tls.authorities = pem(settings.caFile, settings.ca)
    tls.certificate = pem(settings.certFile, settings.cert)
    tls.key = pem(settings.keyFile, settings.key)
    tls.serverName = settings.serverName
    tls.skipsVerification = settings.insecureSkipVerify
    tls.minimum = settings.minVersion.flatMap(HTTPRequest.TLS.Version.init(rawValue:))
    tls.maximum = settings.maxVersion.flatMap(HTTPRequest.TLS.Version.init(rawValue:))
    return tls
  }

  private static func pem(_ file: String?, _ inline: String?) -> HTTPRequest.PEM? {
    file.map { .file($0) } ?? inline.map { .inline($0) }
  }

  /// A secret; blanks and line ends around the content of a file do not count.
  private static func read(_ secret: HTTPSettings.Secret) throws(Problem) -> String {
    switch secret {
    case .inline(let text): return text
    case .file(let path):
      do {
        let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
      } catch {
        throw Problem(description: "unable to read file \(error)")
      }
    }
  }
}
