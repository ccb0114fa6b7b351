/// The pieces of an HTTP URL that routing and messages need.
struct URLParts {
  let isSecure: Bool
  /// Without brackets' contents touched: `[::1]` stays so.
  let host: String
  let port: String
  /// `host` or `host:port`, as the URL has it.
  let authority: String
  private let userInfo: String
  private let rest: String

  init?(_ url: String) {
    let lower = url.prefix(8).lowercased()
    isSecure = lower.hasPrefix("https://")
    guard isSecure || lower.hasPrefix("http://") else { return nil }
    let behind = url.dropFirst(isSecure ? 8 : 7)
    let end = behind.firstIndex { "/?#".contains($0) } ?? behind.endIndex
    var address = behind[..<end]
    rest = String(behind[end...])
    var user = ""
    if let at = address.lastIndex(of: "@") {
      user = String(address[...at])
      address = address[address.index(after: at)...]
    }
    userInfo = user
    authority = String(address)
    let bracket = address.lastIndex(of: "]") ?? address.startIndex
    if let colon = address[bracket...].lastIndex(of: ":") {
      host = String(address[..<colon])
      port = String(address[address.index(after: colon)...])
    } else {
      host = String(address)
      port = isSecure ? "443" : "80"
    }
  }

  /// The URL with another host and the port written out.
  func replacingHost(by name: String) -> String {
    (isSecure ? "https://" : "http://") + "\(userInfo)\(name):\(port)\(rest)"
  }
}

/// The usual texts of status codes, for servers that send none (HTTP/2 never does).
enum StatusText {
  static func of(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 413: "Request Entity Too Large"
    case 415: "Unsupported Media Type"
    case 422: "Unprocessable Entity"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: ""
    }
  }
}
