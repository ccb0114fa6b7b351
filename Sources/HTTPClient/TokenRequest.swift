/// How a token is asked for: the client-credentials grant of OAuth 2.0.
package struct TokenRequest: Sendable {
  package var clientID: String
  package var clientSecret: String
  package var scopes: [String] = []
  /// More parameters of the form.
  package var parameters: [(name: String, value: String)] = []
  /// URL, TLS, proxy and timeout of the request; method, body and authorization are set here.
  package var transport: HTTPRequest

  package init(clientID: String, clientSecret: String, transport: HTTPRequest) {
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.transport = transport
  }

  /// Requests with one key may share a token.
  var key: String {
    let parts =
      [transport.url, clientID, clientSecret, scopes.joined(separator: " ")]
      + parameters.flatMap { [$0.name, $0.value] }
    return parts.map { "\($0.utf8.count):\($0)" }.joined()
  }

  /// Where the client's name and secret stand.
  enum Style: Sendable {
    case header, parameters
  }

  /// The HTTP request.
  func request(_ style: Style) -> HTTPRequest {
    var form = [("grant_type", "client_credentials")]
    if !scopes.isEmpty { form.append(("scope", scopes.joined(separator: " "))) }
    form += parameters.map { ($0.name, $0.value) }
    var request = transport
    request.method = "POST"
    request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    request.bodyLimit = 1 << 20
    switch style {
    case .header:
      request.basicAuth = HTTPRequest.BasicAuth(
        username: Self.escaped(clientID), password: Self.escaped(clientSecret))
    case .parameters:
      form += [("client_id", clientID), ("client_secret", clientSecret)]
    }
    let pairs = form.map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }
    request.body = Array(pairs.joined(separator: "&").utf8)
    return request
  }

  /// A text as a form holds it.
  private static func escaped(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
        out.unicodeScalars.append(Unicode.Scalar(byte))
      case 0x20: out += "+"
      default: out += "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return out
  }
}
