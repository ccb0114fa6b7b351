import JSON

/// `/api/v1/status/buildinfo`.
struct StatusAPI: Sendable {
  let context: ServerContext

  func buildInfo() -> [UInt8] {
    Envelope.success { json in
      json.object { json in
        json.field("version", context.build.version)
        json.field("revision", context.build.revision)
        json.field("branch", "")
        json.field("buildUser", "")
        json.field("buildDate", "")
        json.field("goVersion", "")
        json.field("application", "tocsin")
      }
    }
  }

  /// Types and help texts: none are kept.
  func metadata() -> [UInt8] { Envelope.success { $0.object { _ in } } }
}
