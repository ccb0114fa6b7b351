import Hummingbird
import Logging
import Synchronization

/// The HTTP server: Prometheus' API, management paths, and a page for people.
package struct TocsinServer: Sendable {
  private let context: ServerContext
  private let host: String
  private let port: Int
  private let logger: Logger

  package init(context: ServerContext, host: String, port: Int, logger: Logger) {
    self.context = context
    self.host = host
    self.port = port
    self.logger = logger
  }

  /// Listens until the surrounding task is cancelled; calls `onReady` with the port once it does.
  package func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
    let port = port
    let app = Application(
      router: Routes(context: context).router(),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: "tocsin"),
      onServerRunning: { channel in onReady(channel.localAddress?.port ?? port) },
      logger: logger)
    try await app.run()
  }
}
