import CCurl

/// A request in libcurl's terms; lives as long as the transfer that uses it.
final class EasyOptions {
  private let request: HTTPRequest
  private var lists: [UnsafeMutablePointer<curl_slist>] = []

  init(_ request: HTTPRequest) { self.request = request }

  deinit { for list in lists { curl_slist_free_all(list) } }

  /// Configures a handle, its deadline and callbacks aside.
  func apply(to easy: UnsafeMutableRawPointer) {
    tcurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    tcurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
    tcurl_set_string(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
    tcurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
    tcurl_set_long(easy, CURLOPT_MAXAGE_CONN, 600)
    // Several scrapes of one host each get a connection of their own, HTTP/2 or not.
    let version = request.allowsHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
    tcurl_set_long(easy, CURLOPT_HTTP_VERSION, version)
    if request.followsRedirects {
      tcurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 1)
      tcurl_set_long(easy, CURLOPT_MAXREDIRS, 10)
    }
    setUpRoute(easy)
    setUpTLS(easy)
    setUpMethod(easy)
    setUpHeaders(easy)
  }

  private func setUpMethod(_ easy: UnsafeMutableRawPointer) {
    let method = request.method.uppercased()
    if let bytes = request.body {
      tcurl_set_off(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
      bytes.withUnsafeBytes { raw in
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { empty in
          let start = raw.baseAddress ?? UnsafeRawPointer(empty.baseAddress)
          tcurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start))
        }
      }
    }
    if method == "HEAD" {
      tcurl_set_long(easy, CURLOPT_NOBODY, 1)
    } else if method == "POST" {
      tcurl_set_long(easy, CURLOPT_POST, 1)
      if request.body == nil { tcurl_set_off(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0) }
    } else if method != "GET" || request.body != nil {
      tcurl_set_string(easy, CURLOPT_CUSTOMREQUEST, method)
    }
  }

  private func setUpHeaders(_ easy: UnsafeMutableRawPointer) {
    // An empty value removes the header libcurl would add of its own.
    var lines = ["Expect:"]
    if request.body != nil && !hasHeader("content-type") { lines.append("Content-Type:") }
    for (name, value) in request.headers where !Self.same(name, "accept-encoding") {
      // `Name;` is libcurl's notation for a header with an empty value.
      lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    lines.append("Accept-Encoding: " + (request.acceptsGzip ? "gzip" : "identity"))
    if let value = request.authorization { lines.append("Authorization: \(value)") }
    if let auth = request.basicAuth {
      tcurl_set_long(easy, CURLOPT_HTTPAUTH, 1)  // CURLAUTH_BASIC
      tcurl_set_string(easy, CURLOPT_USERNAME, auth.username)
      tcurl_set_string(easy, CURLOPT_PASSWORD, auth.password)
    }
    set(easy, CURLOPT_HTTPHEADER, lines + hostHeader)
  }

  /// With another server name the URL speaks of that name; the server still hears the URL's host.
  private var hostHeader: [String] {
    guard request.tls.serverName != nil, !hasHeader("host"), let url = URLParts(request.url),
      url.isSecure
    else { return [] }
    return ["Host: \(url.authority)"]
  }

  private func hasHeader(_ name: String) -> Bool {
    request.headers.contains { Self.same($0.name, name) }
  }

  private static func same(_ a: String, _ lowercased: String) -> Bool {
    a.lowercased().utf8.elementsEqual(lowercased.utf8)
  }

  private func setUpRoute(_ easy: UnsafeMutableRawPointer) {
    var url = request.url
    if let name = request.tls.serverName, !name.isEmpty, let parts = URLParts(url),
      parts.isSecure
    {
      url = parts.replacingHost(by: name)
      set(
        easy, CURLOPT_CONNECT_TO, ["\(name):\(parts.port):\(parts.host):\(parts.port)"])
    }
    tcurl_set_string(easy, CURLOPT_URL, url)
    if let path = request.unixSocketPath {
      tcurl_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, path)
    }
    if !request.proxyHeaders.isEmpty {
      tcurl_set_long(easy, CURLOPT_HEADEROPT, 1)  // CURLHEADER_SEPARATE
      set(easy, CURLOPT_PROXYHEADER, request.proxyHeaders.map { "\($0.name): \($0.value)" })
    }
    switch request.proxy {
    case .none: tcurl_set_string(easy, CURLOPT_PROXY, "")
    case .environment: break
    case .url(let proxy, let exceptions):
      tcurl_set_string(easy, CURLOPT_PROXY, proxy)
      if let exceptions { tcurl_set_string(easy, CURLOPT_NOPROXY, exceptions) }
    }
  }

  private func setUpTLS(_ easy: UnsafeMutableRawPointer) {
    let tls = request.tls
    if tls.skipsVerification {
      tcurl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
      tcurl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
    }
    // A replaced CA file counts within a minute.
    tcurl_set_long(easy, CURLOPT_CA_CACHE_TIMEOUT, 60)
    if tls.authorities != nil { tcurl_set_string(easy, CURLOPT_CAPATH, nil) }
    set(easy, tls.authorities, file: CURLOPT_CAINFO, blob: CURLOPT_CAINFO_BLOB)
    set(easy, tls.certificate, file: CURLOPT_SSLCERT, blob: CURLOPT_SSLCERT_BLOB)
    set(easy, tls.key, file: CURLOPT_SSLKEY, blob: CURLOPT_SSLKEY_BLOB)
    let minimum: Int
    switch tls.minimum ?? .tls12 {
    case .tls10: minimum = CURL_SSLVERSION_TLSv1_0
    case .tls11: minimum = CURL_SSLVERSION_TLSv1_1
    case .tls12: minimum = CURL_SSLVERSION_TLSv1_2
    case .tls13: minimum = CURL_SSLVERSION_TLSv1_3
    }
    // The maximum stands in the upper half of the word.
    let maximum: Int
    switch tls.maximum {
    case nil: maximum = 0
    case .tls10: maximum = CURL_SSLVERSION_TLSv1_0
    case .tls11: maximum = CURL_SSLVERSION_TLSv1_1
    case .tls12: maximum = CURL_SSLVERSION_TLSv1_2
    case .tls13: maximum = CURL_SSLVERSION_TLSv1_3
    }
    tcurl_set_long(easy, CURLOPT_SSLVERSION, minimum | maximum << 16)
  }

  private func set(
    _ easy: UnsafeMutableRawPointer, _ pem: HTTPRequest.PEM?, file: CURLoption, blob: CURLoption
  ) {
    switch pem {
    case nil: break
    case .file(let path): tcurl_set_string(easy, file, path)
    case .inline(var text):
      text.withUTF8 { _ = tcurl_set_blob(easy, blob, $0.baseAddress, $0.count) }
    }
  }

  private func set(_ easy: UnsafeMutableRawPointer, _ option: CURLoption, _ lines: [String]) {
    var list: UnsafeMutablePointer<curl_slist>?
    // A line feed would start a header of its own.
    for line in lines where !line.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) {
      list = curl_slist_append(list, line)
    }
    guard let list else { return }
    lists.append(list)
    tcurl_set_list(easy, option, list)
  }
}
