import Kernel
import Model

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
  /// What `/api/v1/status` tells of the process.
  package var status = ProcessStatus()
  /// Transitions and deliveries; nil: what the kernel remembers.
  package var history: (any AlertHistory)?
  /// Whether the history goes back further than memory does.
  package var storesHistory = false
  /// What a reload with the rules in a request's body would do; nil: not offered.
  package var planReload: (@Sendable ([UInt8]) async -> PlanAnswer)?
  /// Whether `/api/v1/import` is allowed.
  package var allowsAdmin = false
  /// Whether `/api/v1/write` takes remote writes.
  package var acceptsRemoteWrite = false
  /// Which origins other than ours may read the API.
  package var origins = AllowedOrigins()

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

/// What `/api/v1/status/runtimeinfo`, `config` and `flags` tell.
package struct ProcessStatus: Sendable {
  /// How the last loading of the configuration went.
  package struct Reload: Sendable {
    package var succeeded = true
    /// The last one that went well.
    package var lastSuccess: Timestamp?

    package init() {}
  }

  package var started: Timestamp?
  package var workingDirectory = ""
  package var hostName = ""
  /// Every flag by name, without dashes, with the value in force.
  package var flags: [(name: String, value: String)] = []
  package var reload: @Sendable () -> Reload = { Reload() }
  /// Threads and processors.
  package var threads: @Sendable () -> Int = { 0 }
  package var processors = 1

  package init() {}
}
