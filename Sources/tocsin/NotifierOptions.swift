import ArgumentParser
import Kernel
import Model

/// The `--alertmanager.*` flags, by Prometheus' names.
struct NotifierOptions: ParsableArguments {
  @Option(
    name: .customLong("alertmanager.notification-queue-capacity"),
    help: "Alerts that may wait for one Alertmanager, or be in the groups of one webhook.")
  var queueCapacity = 10_000

  @Option(
    name: .customLong("alertmanager.notification-batch-size"),
    help: "The most alerts in one request to an Alertmanager.")
  var batchSize = 256

  @Flag(
    name: .customLong("alertmanager.drain-notification-queue-on-shutdown"),
    inversion: .prefixedNo,
    help: "Try for some seconds to deliver what is queued before the process ends.")
  var drainsOnShutdown = true

  func validate() throws {
    if queueCapacity < 1 {
      throw ValidationError("--alertmanager.notification-queue-capacity must be at least 1")
    }
    if batchSize < 1 {
      throw ValidationError("--alertmanager.notification-batch-size must be at least 1")
    }
  }

  var flags: NotifierFlags {
    NotifierFlags(
      queueCapacity: queueCapacity, batchSize: batchSize, drainsOnShutdown: drainsOnShutdown)
  }
}

/// What flags say about notifications.
struct NotifierFlags: Sendable {
  var queueCapacity = 10_000
  var batchSize = 256
  var drainsOnShutdown = true

  func apply(to global: inout GlobalSettings) {
    global.notificationQueueCapacity = queueCapacity
    global.notificationBatchSize = batchSize
    if !drainsOnShutdown { global.drainTimeout = .zero }
  }
}
