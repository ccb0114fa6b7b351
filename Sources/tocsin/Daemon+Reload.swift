import Config
import Diagnostics
import Glibc
import Kernel
import Model
import Server
import Synchronization

extension Daemon {
  /// How long a reload waits for the kernel to take it.
  private static let patience = 10_000

  /// Loads the configuration anew and waits until it is in force; nil is success.
  ///
  /// A configuration that cannot be used changes nothing. Rules that cannot be loaded are
  /// quarantined, the rest is applied; that is no success either.
  func reload(_ gate: KernelGate) -> String? {
    reloading.withLock { _ in
      if stopRequests.load(ordering: .relaxed) > 0 { return "Tocsin is stopping" }
      if options.autoReload != nil { known.withLock { $0 = configuration.fingerprint() } }
      let loaded = configuration.load()
      for diagnostic in loaded.diagnostics { report(diagnostic) }
      let errors = loaded.diagnostics.filter { $0.severity == .error }
      metrics.noteReload(succeeded: errors.isEmpty && loaded.settings != nil, at: clock.now())
      guard let settings = loaded.settings else {
        log.log(
          .error, "config", "The new configuration has errors; the old one stays in force",
          [("errors", "\(errors.count)")])
        return "the old configuration stays in force\n" + HumanRenderer().render(errors)
      }
      adopt(settings, gate)
      if errors.isEmpty { return nil }
      log.log(
        .error, "config", "Configuration applied except for rules with errors",
        [("errors", "\(errors.count)")])
      return "everything is applied but what has errors: its last good version stays in force\n"
        + HumanRenderer().render(errors)
    }
  }

  private func adopt(_ settings: Settings, _ gate: KernelGate) {
    let before = gate.visit { $0.reloads }
    configuration.adopt(settings)
    for _ in 0..<(Self.patience / 2) {
      if gate.visit({ $0.reloads }) > before { return }
      usleep(2000)
    }
  }

  /// Looks at the files now and then, if asked to, and reloads when their content has changed.
  func startAutoReload(_ gate: KernelGate) {
    guard let interval = options.autoReload else { return }
    log.log(
      .info, "config", "Looking for changes of the configuration files",
      [("interval", interval.description)])
    SystemThread.start("auto-reload") { [self] in
      while stopRequests.load(ordering: .relaxed) == 0 {
        usleep(UInt32(min(interval.milliseconds, 1 << 20)) * 1000)
        let now = configuration.fingerprint()
        let isKnown = known.withLock { known in
          defer { known = now }
          return known == now
        }
        if isKnown { continue }
        log.log(.info, "config", "A configuration file has changed: reloading")
        _ = reload(gate)
      }
    }
  }
}
