import Engine
import HTTPTypes
import Hummingbird
import JSON
import Kernel
import Model
import PromQL
import Storage

/// What the server needs to know of the process it lives in.
package struct ServerContext: Sendable {
  /// The kernel, for reports and for the samples of queries.
  package var gate: KernelGate
  /// Ad-hoc queries.
  package var queries: QueryRunner
  /// The wall clock.
  package var now: @Sendable () -> Timestamp
  /// Loads the configuration anew; nil is success, a text says why not.
  package var reload: @Sendable () async -> String?
  /// Whether `/-/reload` and `/-/quit` are allowed.
  package var allowsLifecycle: Bool
  /// Ends the process in order.
  package var quit: @Sendable () -> Void
  /// Lines of the process itself for `/metrics`.
  package var processMetrics: @Sendable () -> [UInt8]
  /// Version and the like for `buildinfo`.
  package var build: BuildInfo

  package init(
    gate: KernelGate, queries: QueryRunner, now: @escaping @Sendable () -> Timestamp,
    reload: @escaping @Sendable () async -> String?, allowsLifecycle: Bool,
    quit: @escaping @Sendable () -> Void, processMetrics: @escaping @Sendable () -> [UInt8],
    build: BuildInfo
  ) {
    self.gate = gate
    self.queries = queries
    self.now = now
    self.reload = reload
    self.allowsLifecycle = allowsLifecycle
    self.quit = quit
    self.processMetrics = processMetrics
    self.build = build
  }
}

/// What `/api/v1/status/buildinfo` tells.
package struct BuildInfo: Sendable {
  package var version: String
  package var revision: String

  package init(version: String, revision: String) {
    self.version = version
    self.revision = revision
  }
}

/// A success envelope around `data`.
enum Envelope {
  static func success(
    warnings: [String] = [], infos: [String] = [], _ data: (inout JSONWriter) -> Void
  ) -> [UInt8] {
    var writer = JSONWriter(escapesHTML: true)
    writer.object { json in
      json.field("status", "success")
      json.key("data")
      data(&json)
      list("warnings", warnings, to: &json)
      list("infos", infos, to: &json)
    }
    return writer.bytes
  }

  private static func list(_ name: String, _ texts: [String], to json: inout JSONWriter) {
    if texts.isEmpty { return }
    json.key(name)
    json.array { json in for text in texts { json.string(text) } }
  }
}

/// Turns answers into responses.
enum Answer {
  static func json(_ body: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
    text(body, type: "application/json", status: status)
  }

  static func text(
    _ body: [UInt8], type: String = "text/plain; charset=utf-8",
    status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }

  static func text(_ body: String, status: HTTPResponse.Status = .ok) -> Response {
    text(Array(body.utf8), status: status)
  }
}
