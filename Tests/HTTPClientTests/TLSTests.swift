import Foundation
import Glibc
import Synchronization
import Testing

@testable import HTTPClient

/// TLS against OpenSSL's own test server; without the `openssl` command there is nothing to run.
@Suite(.serialized, .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct TLSTests {
  /// Certificates and a server in a folder of their own.
  private final class Peer {
    let directory = NSTemporaryDirectory() + "tocsin-tls-\(UUID().uuidString)"
    let port = UInt16.random(in: 20_000..<30_000)
    private var server: pid_t?

    init() throws {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      let names = "subjectAltName=DNS:target.example,IP:127.0.0.1"
      try openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca")
      for name in ["server", "client"] {
        try openssl(
          "req -newkey rsa:2048 -nodes -keyout \(name).key -out \(name).csr -subj /CN=\(name)")
        try names.write(toFile: "\(directory)/ext", atomically: true, encoding: .utf8)
        try openssl(
          "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
            + " -out \(name).pem -extfile ext"
        )
      }
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    func text(_ name: String) throws -> String {
      try String(contentsOfFile: path(name), encoding: .utf8)
    }

    var url: String { "https://127.0.0.1:\(port)/" }

    func start(_ options: String = "") async throws {
      server = try launch(
        "s_server -accept 127.0.0.1:\(port) -cert server.pem -key server.key -www -quiet \(options)"
      )
      try await Task.sleep(for: .milliseconds(300))
    }

    func stop() {
      if let server {
        kill(server, SIGKILL)
        waitpid(server, nil, 0)
      }
      try? FileManager.default.removeItem(atPath: directory)
    }

    private func openssl(_ arguments: String) throws {
      var status: Int32 = 0
      waitpid(try launch(arguments), &status, 0)
      try #require(status == 0, "openssl \(arguments)")
    }

    private func launch(_ arguments: String) throws -> pid_t {
      var process = pid_t()
      let line =
        "cd '\(directory)' && exec /usr/bin/openssl \(arguments) </dev/null >/dev/null 2>&1"
      var words: [UnsafeMutablePointer<CChar>?] =
        ["sh", "-c", line].map { (word: String) in strdup(word) } + [nil]
      defer { for word in words { free(word) } }
      try #require(posix_spawn(&process, "/bin/sh", nil, nil, &words, environ) == 0)
      return process
    }
  }

  private func text(_ outcome: HTTPOutcome) -> String {
    switch outcome.result {
    case .success(let response): response.statusText
    case .failure(let failure): failure.text
    }
  }

  @Test func authoritiesAndNames() async throws {
    let peer = try Peer()
    defer { peer.stop() }
    try await peer.start()
    let client = try HTTPClient()
    defer { client.shutdown() }
    var request = HTTPRequest(url: peer.url)
    #expect(
      text(await client.send(request))
        == "tls: failed to verify certificate: x509: certificate signed by unknown authority")
    request.tls.authorities = .file(peer.path("ca.pem"))
    #expect(text(await client.send(request)).hasPrefix("200"))
    request.tls.authorities = .inline(try peer.text("ca.pem"))
    #expect(text(await client.send(request)).hasPrefix("200"))
    request.tls.serverName = "target.example"
    #expect(text(await client.send(request)).hasPrefix("200"))
    request.tls.serverName = "other.example"
    let misnamed = text(await client.send(request))
    #expect(
      misnamed.hasPrefix(
        "tls: failed to verify certificate: x509: certificate is not valid for other.example"))
    request.tls = .init()
    request.tls.skipsVerification = true
    #expect(text(await client.send(request)).hasPrefix("200"))
    request.tls = .init()
    request.tls.authorities = .file("/nonexistent.pem")
    guard case .failure(.request(let reason)) = await client.send(request).result else {
      Issue.record("a missing CA file was accepted")
      return
    }
    #expect(reason.hasPrefix("unable to read CA cert"))
  }

  @Test func clientCertificates() async throws {
    let peer = try Peer()
    defer { peer.stop() }
    try await peer.start("-Verify 1 -CAfile ca.pem -verify_return_error")
    let client = try HTTPClient()
    defer { client.shutdown() }
    var request = HTTPRequest(url: peer.url)
    request.tls.authorities = .file(peer.path("ca.pem"))
    let without = text(await client.send(request))
    #expect(!without.hasPrefix("200"), "\(without)")
    request.tls.certificate = .file(peer.path("client.pem"))
    request.tls.key = .file(peer.path("client.key"))
    #expect(text(await client.send(request)).hasPrefix("200"))
    request.tls.certificate = .inline(try peer.text("client.pem"))
    request.tls.key = .inline(try peer.text("client.key"))
    #expect(text(await client.send(request)).hasPrefix("200"))
  }

  @Test func versions() async throws {
    let peer = try Peer()
    defer { peer.stop() }
    try await peer.start("-tls1_2")
    let client = try HTTPClient()
    defer { client.shutdown() }
    var request = HTTPRequest(url: peer.url)
    request.tls.skipsVerification = true
    request.tls.maximum = .tls12
    #expect(text(await client.send(request)).hasPrefix("200"))
    request.tls.maximum = nil
    request.tls.minimum = .tls13
    #expect(text(await client.send(request)) == "remote error: tls: protocol version not supported")
    request.tls.minimum = nil
    let plain = LoopbackServer { _, connection in connection.send("nope") && false }
    defer { plain.stop() }
    request.url = "https://127.0.0.1:\(plain.port)/"
    request.timeout = 300
    #expect(text(await client.send(request)) == "context deadline exceeded")
  }
}
