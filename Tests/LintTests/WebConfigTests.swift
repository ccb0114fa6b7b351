import Diagnostics
import Lint
import TestSupport
import Testing

@Suite("check web-config")
struct WebConfigTests {
  private func problems(_ text: String) throws -> [String] {
    let folder = try TemporaryFolder(["c": "", "k": ""])
    return WebConfig.diagnostics(SourceText(name: "web.yml", text: text), directory: folder.path)
      .map(\.message)
  }

  private static let hash = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"

  @Test func good() throws {
    #expect(
      try problems(
        """
        tls_server_config: {cert_file: c, key_file: k, min_version: TLS12}
        http_server_config: {http2: true, headers: {X-Frame-Options: deny}}
        basic_auth_users: {alice: \(Self.hash)}
        """
      ).isEmpty)
    #expect(try problems("").isEmpty)
  }

  @Test(arguments: [
    ("basic_auth_users: {a: secret}", "hashedSecret too short"),
    ("basic_auth_users: {a: $3\(hash.dropFirst(2))}", "newer than current version"),
    ("basic_auth_users: {a: $2y$99\(hash.dropFirst(6))}", "outside allowed inclusive range"),
    ("tls_server_config: {cert_file: c}", "missing one of key or key_file"),
    ("tls_server_config: {key_file: k}", "missing one of cert or cert_file"),
    ("tls_server_config: {cert_file: c, key_file: none}", "no such file"),
    ("tls_server_config: {cert_file: c, key_file: k, min_version: TLS9}", "unknown TLS version"),
    ("tls_server_config: {cert_file: c, key_file: k, cipher_suites: [x]}", "unknown cipher"),
    (
      "tls_server_config: {cert_file: c, key_file: k, client_auth_type: VerifyClientCertIfGiven}",
      "Client CA"
    ),
    ("tls_server_config: {cert_file: c, key_file: k, client_ca_file: c}", "Client Auth Policy"),
    ("http_server_config: {headers: {X-Other: y}}", "can not be configured"),
    ("http_server_config: {headers: {X-Frame-Options: maybe}}", "invalid value"),
    ("users: {}", "field users not found"),
  ])
  func bad(_ text: String, _ message: String) throws {
    let found = try problems(text)
    #expect(found.count == 1 && found[0].contains(message), "\(found)")
  }
}
