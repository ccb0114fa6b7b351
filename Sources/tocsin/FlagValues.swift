extension RunCommand {
  /// Every flag with the value in force, for `/api/v1/status/flags`.
  var flagValues: [(name: String, value: String)] {
    [
      (
        "alertmanager.drain-notification-queue-on-shutdown", "\(notifier.drainsOnShutdown)"
      ),
      ("alertmanager.notification-batch-size", "\(notifier.batchSize)"),
      ("alertmanager.notification-queue-capacity", "\(notifier.queueCapacity)"),
      ("config.auto-reload", "\(autoReload)"),
      ("config.auto-reload-interval", autoReloadInterval),
      ("config.file", configFile ?? ""),
      ("enable-feature", enableFeature.joined(separator: ",")),
      ("log.format", logFormat.rawValue),
      ("log.level", logLevel.rawValue),
      ("query.lookback-delta", lookbackDelta),
      ("query.max-concurrency", "\(queryMaxConcurrency)"),
      ("query.max-samples", "\(queryMaxSamples)"),
      ("query.timeout", queryTimeout),
      ("rules.alert.for-grace-period", gracePeriod),
      ("rules.alert.for-outage-tolerance", outageTolerance),
      ("rules.alert.no-resend-on-error", "\(noResendOnError)"),
      ("rules.alert.resend-delay", resendDelay),
      ("rules.max-concurrent-evals", "\(maxConcurrentEvaluations)"),
      ("rules.strict", "\(strictRules)"),
      ("storage.keep", storage.keep?.rawValue ?? ""),
      ("storage.memory-limit", storage.memoryLimit ?? ""),
      ("storage.path", storagePath ?? ""),
      ("storage.retention", storage.retention ?? ""),
      ("tocsin.file", tocsinFile ?? ""),
      ("web.cors.origin", corsOrigin),
      ("web.enable-admin-api", "\(enableAdminAPI)"),
      ("web.enable-lifecycle", "\(enableLifecycle)"),
      ("web.enable-remote-write-receiver", "\(enableRemoteWriteReceiver)"),
      ("web.external-url", externalURL ?? ""),
      ("web.listen-address", listenAddress),
    ]
  }
}
