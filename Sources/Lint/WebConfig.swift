import Config
import Diagnostics
import Model
import YAML

/// Reads the web configuration of Prometheus' exporter toolkit: TLS, users, headers.
///
/// Everything wrong is told at once, with its place; `firstProblem` is what promtool would say.
package enum WebConfig {
  /// What is wrong with a text; `directory` is where relative paths in it start.
  package static func diagnostics(_ source: SourceText, directory: String) -> [Diagnostic] {
    let document = YAMLDocument.parse(source: source)
    guard document.diagnostics.isEmpty else { return document.diagnostics }
    guard let root = document.root else { return [] }
    let reading = WebConfigReading(directory: directory)
    reading.read(root)
    return DiagnosticSet(reading.reader.diagnostics).sorted
  }

  static func firstProblem(_ path: String) -> String? {
    do throws(FileSystem.Problem) {
      let source = SourceText(name: path, bytes: try FileSystem.read(path))
      return diagnostics(source, directory: FileSystem.directory(of: path))
        .first { $0.severity == .error }?.message
    } catch {
      return "open \(path): \(error.reason.lowercased())"
    }
  }
}

private struct WebConfigReading {
  let reader = YAMLReader()
  let directory: String

  func read(_ root: YAMLNode) {
    guard let fields = reader.fields(of: root, "a web configuration") else { return }
    if let tls = fields.fields("tls_server_config", "a TLS block") { self.tls(tls) }
    if let http = fields.fields("http_server_config", "an HTTP block") { self.http(http) }
    if let users = fields.fields("basic_auth_users", "a mapping of users") { self.users(users) }
    if let rate = fields.fields("rate_limit", "a rate limit") {
      _ = rate.duration("interval")
      _ = rate.count("burst")
      rate.close()
    }
    fields.close()
  }

  private func refuse(_ message: String, at node: YAMLNode, label: String? = nil) {
    reader.report("config/web", message, at: node, label: label)
  }

  // MARK: TLS

  private static let clientAuthTypes = [
    "RequestClientCert", "RequireClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert", "NoClientCert", "",
  ]
  private static let versions = ["TLS13", "TLS12", "TLS11", "TLS10"]
  private static let curves = ["CurveP256", "CurveP384", "CurveP521", "X25519", "X25519MLKEM768"]
  private static let ciphers: Set<String> = [
    "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  ]

  private func tls(_ fields: YAMLFields) {
    let authority = self.authority(fields)
    pair(fields)
    if let node = fields.value("client_auth_type"), let text = fields.text(node),
      !Self.clientAuthTypes.contains(text)
    {
      refuse("Invalid ClientAuth: \(text)", at: node, label: near(text, Self.clientAuthTypes))
    }
    let type = fields.string("client_auth_type") ?? ""
    if authority == nil, type == "VerifyClientCertIfGiven" || type == "RequireAndVerifyClientCert",
      let node = fields.node("client_auth_type")
    {
      refuse("Client CA's file or text is required for client auth type \(type)", at: node)
    }
    if let authority, type.isEmpty || type == "NoClientCert" {
      refuse("Client CA's have been configured without a Client Auth Policy", at: authority)
    }
    for name in ["min_version", "max_version"] {
      if let node = fields.value(name), let text = fields.text(node),
        !Self.versions.contains(text)
      {
        refuse("unknown TLS version: \(text)", at: node, label: near(text, Self.versions))
      }
    }
    for (text, node) in fields.strings("cipher_suites") ?? [] where !Self.ciphers.contains(text) {
      refuse(
        "unknown cipher: \(text)", at: node,
        label: near(text, Self.ciphers.sorted { ByteOrder.less($0, $1) }))
    }
    for (text, node) in fields.strings("curve_preferences") ?? []
    where !Self.curves.contains(text) {
      refuse("unknown curve: \(text)", at: node, label: near(text, Self.curves))
    }
    _ = fields.bool("prefer_server_cipher_suites")
    _ = fields.strings("client_allowed_sans")
    fields.close()
  }

  /// Exactly one of the file and the text of a thing.
  private func one(_ fields: YAMLFields, _ name: String, _ what: String) -> YAMLNode? {
    let file = fields.value(name + "_file").flatMap { $0.text?.isEmpty == false ? $0 : nil }
    let text = fields.value(name).flatMap { $0.text?.isEmpty == false ? $0 : nil }
    if let file, text != nil {
      refuse("cannot configure both \(name) and \(name)_file", at: file)
    }
    if let file, let path = file.text {
      let full = FileSystem.join(directory, path)
      if !FileSystem.exists(full) {
        refuse("open \(full): no such file or directory", at: file)
      }
    }
    return file ?? text
  }

  private func authority(_ fields: YAMLFields) -> YAMLNode? {
    one(fields, "client_ca", "client CA")
  }

  private func pair(_ fields: YAMLFields) {
    let certificate = one(fields, "cert", "certificate")
    let key = one(fields, "key", "key")
    if certificate == nil {
      refuse("missing one of cert or cert_file", at: fields.node)
    } else if key == nil {
      refuse("missing one of key or key_file", at: fields.node)
    }
  }

  private func near(_ text: String, _ known: [String]) -> String? {
    NearestName.find(text, among: known.filter { !$0.isEmpty }).map { "did you mean `\($0)`?" }
  }

  // MARK: HTTP

  private static let headers: [(name: String, values: [String])] = [
    ("Strict-Transport-Security", []), ("X-Content-Type-Options", ["nosniff"]),
    ("X-Frame-Options", ["deny", "sameorigin"]), ("X-XSS-Protection", []),
    ("Content-Security-Policy", []),
  ]

  private func http(_ fields: YAMLFields) {
    _ = fields.bool("http2")
    if let headers = fields.fields("headers", "a mapping of headers") {
      for field in headers.fields {
        guard let known = Self.headers.first(where: { ByteOrder.equal($0.name, field.name) })
        else {
          refuse(
            "HTTP header \(GoText.quote(field.name)) can not be configured", at: field.key,
            label: near(field.name, Self.headers.map(\.name)))
          continue
        }
        guard let text = headers.text(field.value), !known.values.isEmpty, !text.isEmpty,
          !known.values.contains(text.lowercased())
        else { continue }
        refuse(
          "invalid value for \(field.name). Expected one of: "
            + known.values.map(GoText.quote).joined(separator: ", ")
            + ", but got: \(GoText.quote(text))", at: field.value)
      }
      headers.leave()
    }
    fields.close()
  }

  // MARK: Users

  private func users(_ fields: YAMLFields) {
    for field in fields.fields {
      guard let hash = fields.text(field.value) else { continue }
      if let problem = Self.bcryptProblem(hash) {
        refuse(problem, at: field.value, label: "a bcrypt hash, as of `htpasswd -nBC 10 USER`")
      }
    }
    fields.leave()
  }

  /// Why a text is no bcrypt hash, in the words of Go's library.
  static func bcryptProblem(_ hash: String) -> String? {
    let prefix = "crypto/bcrypt: "
    let bytes = Array(hash.utf8)
    if bytes.count < 59 { return prefix + "hashedSecret too short to be a bcrypted password" }
    if bytes[0] != UInt8(ascii: "$") {
      return prefix + "bcrypt hashes must start with '$', but hashedSecret started with '"
        + String(decoding: bytes[..<1], as: UTF8.self) + "'"
    }
    if bytes[1] > UInt8(ascii: "2") {
      return prefix + "bcrypt algorithm version '" + String(decoding: bytes[1...1], as: UTF8.self)
        + "' requested is newer than current version '2'"
    }
    let start = bytes[2] == UInt8(ascii: "$") ? 3 : 4
    let digits = String(decoding: bytes[start..<(start + 2)], as: UTF8.self)
    guard let cost = Int(digits) else {
      return "strconv.Atoi: parsing \(GoText.quote(digits)): invalid syntax"
    }
    if cost < 4 || cost > 31 {
      return prefix + "cost \(cost) is outside allowed inclusive range 4..31"
    }
    return nil
  }
}

/// `check web-config`: the file of `--web.config.file`.
package enum CheckWebConfig {
  package static func run(
    _ arguments: [String], options: CheckOptions = CheckOptions()
  ) -> CheckOutcome {
    var report = CheckReport(options)
    for path in arguments.isEmpty ? ["-"] : arguments {
      guard let source = report.read(path) else { continue }
      report.add(
        path: source.name,
        diagnostics: WebConfig.diagnostics(
          source, directory: path == "-" ? "." : FileSystem.directory(of: path)),
        success: "\(source.name) is a valid web configuration", counts: [])
    }
    return report.outcome()
  }
}
