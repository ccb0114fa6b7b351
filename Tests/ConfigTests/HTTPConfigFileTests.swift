import Config
import Diagnostics
import Kernel
import TestSupport
import Testing

@Suite("files of --http.config.file")
struct HTTPConfigFileTests {
  private func load(
    _ text: String, in folder: String = "/etc/client"
  ) -> (settings: HTTPSettings?, diagnostics: [Diagnostic]) {
    HTTPConfigFile.load(SourceText(name: "client.yml", text: text), directory: folder)
  }

  @Test func nothingAtAllIsTheDefault() {
    for text in ["", "# nothing\n", "{}", "null"] {
      let (settings, diagnostics) = load(text)
      #expect(settings != nil, "\(text)")
      #expect(diagnostics.isEmpty, "\(text)")
    }
  }

  @Test func credentialsAndTLS() throws {
    let folder = try TemporaryFolder(["token": "secret", "ca.pem": ""])
    let (settings, diagnostics) = load(
      """
      authorization: {credentials_file: token}
      tls_config: {ca_file: ca.pem, server_name: inside, insecure_skip_verify: true}
      follow_redirects: false
      """, in: folder.path)
    #expect(diagnostics.map(\.message) == [])
    let read = try #require(settings)
    // Paths start at the folder of the file.
    #expect(read.authorization?.credentials == .file(folder.path + "/token"))
    #expect(read.tls.caFile == folder.path + "/ca.pem")
    #expect(read.tls.serverName == "inside")
    #expect(read.tls.insecureSkipVerify)
    #expect(!read.followRedirects)
  }

  @Test(
    "mistakes are told with their place, and nothing is used",
    arguments: [
      ("basic_auth: {username: a}\nauthorization: {}", "client.yml"),
      ("basic_out: {}", "client.yml"), ("[1]", "client.yml"), ("a: [", "client.yml"),
      ("tls_config: {ca: x, ca_file: y}", "client.yml"), ("bearer_token: [x]", "client.yml"),
    ])
  func mistakes(_ text: String, _ name: String) {
    let (settings, diagnostics) = load(text)
    #expect(settings == nil, "\(text)")
    #expect(diagnostics.contains { $0.severity == .error && $0.position != nil }, "\(text)")
    #expect(diagnostics.allSatisfy { $0.source?.name == name })
  }

  @Test func aSlipIsGuessed() {
    let (_, diagnostics) = load("tls_konfig: {}")
    #expect(diagnostics.map(\.id) == ["yaml/unknown-field"])
    #expect(diagnostics.first?.label?.contains("tls_config") == true)
  }
}
