import Diagnostics
import Kernel
import Model
import YAML

/// Reads the HTTP client block that scrapes, Alertmanagers and webhooks share.
struct HTTPReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  /// The block's fields stand among others in `fields`; those are left to the caller.
  func read(_ fields: YAMLFields) -> HTTPSettings {
    var http = HTTPSettings()
    http.basicAuth = basicAuth(fields)
    let authorization = fields.fields("authorization", "an authorization block")
    http.authorization = authorization.map(authorizationBlock)
    http.oauth2 = oauth2(fields)
    bearerToken(fields, &http)
    if let tls = fields.fields("tls_config", "a TLS block") { http.tls = readTLS(tls) }
    http.followRedirects = fields.bool("follow_redirects") ?? true
    http.enableHTTP2 = fields.bool("enable_http2") ?? true
    http.proxy = proxy(fields)
    http.headers = headers(fields)
    checkOneKind(fields)
    return http
  }

  private func secret(_ fields: YAMLFields, _ name: String) -> HTTPSettings.Secret? {
    if let text = fields.string(name), !text.isEmpty { return .inline(text) }
    if let path = fields.string(name + "_file"), !path.isEmpty { return .file(config.path(path)) }
    return nil
  }

  /// At most one of `name`, `name_file` and `name_ref`.
  private func exclusive(_ fields: YAMLFields, _ block: String, _ name: String) {
    let names = [name, name + "_file", name + "_ref"]
    let given = names.compactMap { fields.field($0) }.filter { !($0.value.text ?? "").isEmpty }
    if given.count > 1 {
      config.refuse(
        "at most one of \(block) \(names[0]), \(names[1]) & \(names[2]) must be configured",
        at: given[1].key, id: "config/authentication")
    }
    if let reference = fields.field(names[2]), !reference.value.isNull {
      config.warnIgnored(reference)
    }
  }

  private func basicAuth(_ fields: YAMLFields) -> HTTPSettings.BasicAuth? {
    guard let block = fields.fields("basic_auth", "a basic_auth block") else { return nil }
    let auth = HTTPSettings.BasicAuth(
      username: secret(block, "username") ?? .inline(""),
      password: secret(block, "password") ?? .inline(""))
    exclusive(block, "basic_auth", "username")
    exclusive(block, "basic_auth", "password")
    block.close()
    return auth
  }

  private func authorizationBlock(_ block: YAMLFields) -> HTTPSettings.Authorization {
    var type = block.string("type").map(trimmed) ?? ""
    if type.isEmpty { type = "Bearer" }
    if type.utf8.elementsEqual("basic".utf8) || GoText.lowercased(type) == "basic",
      let node = block.node("type")
    {
      config.refuse(
        "authorization type cannot be set to \"basic\", use \"basic_auth\" instead", at: node,
        id: "config/authentication")
    }
    exclusive(block, "authorization", "credentials")
    let credentials = secret(block, "credentials") ?? .inline("")
    block.close()
    return HTTPSettings.Authorization(type: type, credentials: credentials)
  }

  private func trimmed(_ text: String) -> String {
    let body = text.unicodeScalars.drop { $0.properties.isWhitespace }
    let end = body.lastIndex { !$0.properties.isWhitespace }
    return end.map { String(body[...$0]) } ?? ""
  }

  private func oauth2(_ fields: YAMLFields) -> HTTPSettings.OAuth2? {
    guard let field = fields.field("oauth2"), !field.value.isNull,
      let block = reader.fields(of: field.value, "an oauth2 block")
    else { return nil }
    for (name, text) in [
      ("client_id", block.string("client_id")), ("token_url", block.string("token_url")),
    ] where text ?? "" == "" {
      config.refuse(
        "oauth2 \(name) must be configured", at: field.key, id: "config/authentication")
    }
    exclusive(block, "oauth2", "client_secret")
    var oauth2 = HTTPSettings.OAuth2(
      clientID: block.string("client_id") ?? "",
      clientSecret: secret(block, "client_secret") ?? .inline(""),
      tokenURL: block.string("token_url") ?? "")
    oauth2.scopes = (block.strings("scopes") ?? []).map(\.text)
    oauth2.endpointParams = (block.map("endpoint_params") ?? [])
      .map { HTTPSettings.OAuth2.Param(name: $0.0, value: $0.1) }
      .sorted { ByteOrder.less($0.name, $1.name) }
    signedGrant(block, field)
    if let tls = block.fields("tls_config", "a TLS block") { oauth2.tls = readTLS(tls) }
    oauth2.proxy = proxy(block)
    block.close()
    return oauth2
  }

  /// The grant by signed assertion, which is not among ours.
  private func signedGrant(_ block: YAMLFields, _ field: YAMLFields.Field) {
    let grant = block.string("grant_type") ?? ""
    for name in [
      "client_certificate_key", "client_certificate_key_file", "client_certificate_key_id",
      "client_certificate_key_ref", "signature_algorithm", "iss", "audience",
    ] { _ = block.string(name) }
    _ = block.node("claims")
    if !grant.isEmpty && grant != "client_credentials" {
      config.warnIgnored(field, effect: "only the grant type client_credentials is known")
    }
  }

  /// The old spelling of `authorization`.
  private func bearerToken(_ fields: YAMLFields, _ http: inout HTTPSettings) {
    let token = fields.field("bearer_token")
    let file = fields.field("bearer_token_file")
    guard let secret = secret(fields, "bearer_token") else { return }
    func refuse(_ message: String) {
      let place = token?.value.isNull == false ? token : file
      config.refuse(message, at: place?.key ?? fields.node, id: "config/authentication")
    }
    if token?.value.isNull == false, file?.value.isNull == false {
      refuse("at most one of bearer_token & bearer_token_file must be configured")
    }
    if fields.value("basic_auth") != nil || fields.value("oauth2") != nil {
      refuse(
        "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured")
    }
    if http.authorization != nil {
      refuse("authorization is not compatible with bearer_token & bearer_token_file")
    } else {
      http.authorization = HTTPSettings.Authorization(credentials: secret)
    }
  }

  private func checkOneKind(_ fields: YAMLFields) {
    let kinds = ["basic_auth", "authorization", "oauth2"].compactMap { fields.field($0) }
      .filter { !$0.value.isNull }
    if kinds.count > 1 {
      config.refuse(
        "at most one of basic_auth, oauth2 & authorization must be configured", at: kinds[1].key,
        id: "config/authentication")
    }
  }

  /// Reads a `tls_config` block.
  func readTLS(_ block: YAMLFields) -> HTTPSettings.TLS {
    var tls = HTTPSettings.TLS()
    func file(_ name: String) -> String? {
      block.string(name).flatMap { $0.isEmpty ? nil : config.path($0) }
    }
    tls.ca = block.string("ca")
    tls.caFile = file("ca_file")
    tls.cert = block.string("cert")
    tls.certFile = file("cert_file")
    tls.key = block.string("key")
    tls.keyFile = file("key_file")
    for name in ["ca", "cert", "key"] { exclusive(block, "tls_config", name) }
    tls.serverName = block.string("server_name")
    tls.insecureSkipVerify = block.bool("insecure_skip_verify") ?? false
    let versions = ["TLS10", "TLS11", "TLS12", "TLS13"]
    tls.minVersion = block.word("min_version", of: versions)
    tls.maxVersion = block.word("max_version", of: versions)
    let hasCert = ["cert", "cert_file", "cert_ref"].contains { block.value($0) != nil }
    let hasKey = ["key", "key_file", "key_ref"].contains { block.value($0) != nil }
    if hasCert != hasKey {
      let (given, other) = hasCert ? ("certificate", "key") : ("key", "cert")
      config.refuse(
        "exactly one of \(other) or \(other)_file must be configured when a client \(given) is "
          + "configured", at: block.node, id: "config/tls")
    }
    block.close()
    return tls
  }

  private func proxy(_ fields: YAMLFields) -> HTTPSettings.Proxy {
    var proxy = HTTPSettings.Proxy()
    proxy.url = fields.string("proxy_url").flatMap { $0.isEmpty ? nil : $0 }
    if let text = proxy.url, let node = fields.node("proxy_url") { checkURL(text, node) }
    proxy.exceptions = fields.string("no_proxy").flatMap { $0.isEmpty ? nil : $0 }
    let fromEnvironment = fields.bool("proxy_from_environment") ?? false
    proxy.fromEnvironment = fromEnvironment
    proxy.connectHeaders = connectHeaders(fields)
    let hasConnectHeader = !proxy.connectHeaders.isEmpty
    func refuse(_ message: String, _ name: String) {
      config.refuse(message, at: fields.field(name)?.key ?? fields.node, id: "config/proxy")
    }
    if hasConnectHeader, !fromEnvironment, proxy.url == nil {
      refuse(
        "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be "
          + "configured", "proxy_connect_header")
    }
    if fromEnvironment, proxy.url != nil {
      refuse(
        "if proxy_from_environment is configured, proxy_url must not be configured", "proxy_url")
    }
    if fromEnvironment, proxy.exceptions != nil {
      refuse(
        "if proxy_from_environment is configured, no_proxy must not be configured", "no_proxy")
    } else if proxy.url == nil, proxy.exceptions != nil {
      refuse("if no_proxy is configured, proxy_url must also be configured", "no_proxy")
    }
    return proxy
  }

  /// Lists of values by name.
  private func connectHeaders(_ fields: YAMLFields) -> [HTTPSettings.Header] {
    guard let block = fields.fields("proxy_connect_header", "a mapping of lists") else { return [] }
    defer { block.leave() }
    return block.fields.map { field in
      let values = (block.strings(field.name) ?? []).map { HTTPSettings.Secret.inline($0.text) }
      return HTTPSettings.Header(name: field.name, values: values)
    }.sorted { ByteOrder.less($0.name, $1.name) }
  }

  /// A URL must have something Go's parser accepts: no control characters, no blank in the host, a
  /// sane port.
  func checkURL(_ text: String, _ node: YAMLNode) {
    if let reason = URLText(text).problem {
      config.refuse(
        "\(GoText.quote(text)) is not a valid URL: \(reason)", at: node, id: "config/url")
    }
  }

  private static let reserved: Set<String> = [
    "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent",
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate",
    "accept-encoding", "x-prometheus-remote-write-version", "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds", "x-amz-date", "x-amz-security-token",
    "x-amz-content-sha256",
  ]

  private func headers(_ fields: YAMLFields) -> [HTTPSettings.Header] {
    guard let block = fields.fields("http_headers", "a mapping of headers") else { return [] }
    defer { block.leave() }
    var headers: [HTTPSettings.Header] = []
    for field in block.fields {
      if Self.reserved.contains(GoText.lowercased(field.name)) {
        config.refuse(
          "setting header \(GoText.quote(field.name)) is not allowed", at: field.key,
          id: "config/header")
      }
      guard let entry = reader.fields(of: field.value, "a header") else { continue }
      var values = (entry.strings("values") ?? []).map { HTTPSettings.Secret.inline($0.text) }
      values += (entry.strings("secrets") ?? []).map { .inline($0.text) }
      values += (entry.strings("files") ?? []).map { .file(config.path($0.text)) }
      entry.close()
      headers.append(HTTPSettings.Header(name: field.name, values: values))
    }
    return headers.sorted { ByteOrder.less($0.name, $1.name) }
  }
}
