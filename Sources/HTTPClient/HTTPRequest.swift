/// One HTTP request, complete: nothing is taken from the environment unless it says so.
package struct HTTPRequest: Sendable {
  package var method = "GET"
  package var url: String
  /// In order, names may repeat; Accept-Encoding is left to `acceptsGzip`.
  package var headers: [(name: String, value: String)] = []
  package var body: [UInt8]?
  /// Milliseconds from `send` to the last byte, waiting in the queue included; 0 = no limit.
  package var timeout = 10_000
  /// Decoded bytes that fail a body which reaches them (see `truncatesBody`); 0 = the client's
  /// limit.
  package var bodyLimit = 0
  /// Keep the first `bodyLimit` bytes and drop the rest instead of failing.
  package var truncatesBody = false
  package var acceptsGzip = true
  package var basicAuth: BasicAuth?
  /// The whole value of the Authorization header: `Bearer …`.
  package var authorization: String?
  package var tls = TLS()
  package var proxy = Proxy.none
  /// Sent to a proxy with CONNECT, never to the server.
  package var proxyHeaders: [(name: String, value: String)] = []
  package var followsRedirects = true
  /// The same request will be sent again and again (a scrape): a connection may be kept for it
  /// alone.
  package var isRepeated = false
  package var allowsHTTP2 = true
  /// Connect to this socket; the URL's host is then only a name.
  package var unixSocketPath: String?

  package init(url: String) { self.url = url }

  /// Whether the exchange can be repeated on a connection without libcurl's help.
  var canHaveLane: Bool {
    guard isRepeated, body == nil, basicAuth == nil, unixSocketPath == nil, method == "GET",
      case .none = proxy, !truncatesBody
    else { return false }
    return url.hasPrefix("http://")
  }

  package struct BasicAuth: Sendable, Hashable {
    package var username: String
    package var password: String

    package init(username: String, password: String) {
      self.username = username
      self.password = password
    }
  }

  /// Bytes in PEM form, in a file that is read for each new connection or given in place.
  package enum PEM: Sendable, Hashable {
    case file(String)
    case inline(String)
  }

  package struct TLS: Sendable, Hashable {
    package enum Version: String, Sendable, CaseIterable {
      case tls10 = "TLS10"
      case tls11 = "TLS11"
      case tls12 = "TLS12"
      case tls13 = "TLS13"
    }

    /// The only authorities trusted; nil = the system's.
    package var authorities: PEM?
    package var certificate: PEM?
    package var key: PEM?
    /// The name to ask for and to find in the certificate, instead of the URL's host.
    package var serverName: String?
    package var skipsVerification = false
    /// Nil: TLS 1.2.
    package var minimum: Version?
    package var maximum: Version?

    package init() {}
  }

  package enum Proxy: Sendable, Hashable {
    case none
    /// `http_proxy`, `https_proxy` and `no_proxy` of the process decide.
    case environment
    case url(String, exceptions: String?)
  }
}
