import CCurl
import Glibc

/// Turns libcurl's results into failures with the words Go's HTTP client uses.
enum FailureText {
  /// What is known about a transfer that failed.
  struct Context {
    var code: CURLcode
    var systemError: Int32
    /// libcurl's own message.
    var message: String
    /// `address:port` where known.
    var peer: String
    var host: String
    /// The name a certificate had to carry.
    var serverName: String
    var unixSocketPath: String?
  }

  static func failure(_ c: Context) -> HTTPFailure {
    switch c.code {
    case CURLE_OPERATION_TIMEDOUT: return .timeout
    case CURLE_COULDNT_CONNECT: return .connection(dial(c))
    case CURLE_COULDNT_RESOLVE_HOST:
      return .connection("dial tcp: lookup \(c.host): no such host")
    case CURLE_COULDNT_RESOLVE_PROXY:
      return .connection("proxyconnect tcp: dial tcp: lookup: no such host")
    case CURLE_PEER_FAILED_VERIFICATION: return .tls(certificate(c))
    case CURLE_SSL_CONNECT_ERROR: return handshake(c)
    case CURLE_SSL_CACERT_BADFILE:
      return .request("unable to read CA cert: \(c.message)")
    case CURLE_SSL_CERTPROBLEM:
      return .request("unable to read client certificate: \(c.message)")
    case CURLE_TOO_MANY_REDIRECTS: return .transfer("stopped after 10 redirects")
    case CURLE_GOT_NOTHING: return .transfer("EOF")
    case CURLE_PARTIAL_FILE: return .transfer("unexpected EOF")
    case CURLE_RECV_ERROR, CURLE_SEND_ERROR:
      let verb = c.code == CURLE_SEND_ERROR ? "write" : "read"
      if c.systemError != 0 {
        return .transfer("\(verb) tcp \(c.peer): \(verb): \(system(c.systemError))")
      }
      return .transfer("\(verb) tcp \(c.peer): \(c.message)")
    case CURLE_UNSUPPORTED_PROTOCOL: return .request("unsupported protocol scheme")
    case CURLE_URL_MALFORMAT: return .request("invalid URL: \(c.message)")
    case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2:
      return .transfer("malformed HTTP response: \(c.message)")
    default:
      let message = c.message.isEmpty ? String(cString: curl_easy_strerror(c.code)) : c.message
      return .transfer(message)
    }
  }

  private static func dial(_ c: Context) -> String {
    let reason = c.systemError == 0 ? "connection refused" : system(c.systemError)
    if let path = c.unixSocketPath { return "dial unix \(path): connect: \(reason)" }
    return "dial tcp \(c.peer): connect: \(reason)"
  }

  /// The system's text for an error, in lower case as Go's table has it.
  private static func system(_ error: Int32) -> String {
    let text = String(cString: strerror(error))
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  private static func certificate(_ c: Context) -> String {
    let verify = "tls: failed to verify certificate: x509: "
    let message = c.message
    if message.contains("expired") || message.contains("not yet valid") {
      return verify + "certificate has expired or is not yet valid: \(message)"
    }
    if message.contains("self-signed") || message.contains("self signed")
      || message.contains("local issuer")
    {
      return verify + "certificate signed by unknown authority"
    }
    if message.contains("subject name") || message.contains("does not match") {
      return verify + "certificate is not valid for \(c.serverName): \(message)"
    }
    return verify + message
  }

  private static func handshake(_ c: Context) -> HTTPFailure {
    let message = c.message
    if message.contains("wrong version number") {
      return .tls("http: server gave HTTP response to HTTPS client")
    }
    let alerts = [
      ("alert handshake failure", "handshake failure"),
      ("alert protocol version", "protocol version not supported"),
      ("alert bad certificate", "bad certificate"),
      ("alert certificate required", "certificate required"),
      ("alert unknown ca", "unknown certificate authority"),
    ]
    for (part, text) in alerts where message.contains(part) {
      return .tls("remote error: tls: \(text)")
    }
    if c.systemError == ECONNRESET { return .tls("read: connection reset by peer") }
    return .tls("tls: \(message)")
  }
}
