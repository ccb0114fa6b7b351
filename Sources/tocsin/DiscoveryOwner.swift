import Kernel

/// Whose addresses a discovery finds.
enum DiscoveryOwner: Sendable, Equatable {
  /// A scrape configuration, by its name.
  case job(String)
  /// An entry of `alerting.alertmanagers`, counted from 0.
  case alertmanagers(Int)

  /// The news of what a mechanism has found.
  func event(mechanism: String, groups: [TargetGroup]) -> Event {
    switch self {
    case .job(let name): .discovered(job: name, mechanism: mechanism, groups: groups)
    case .alertmanagers(let index):
      .discoveredAlertmanagers(config: index, mechanism: mechanism, groups: groups)
    }
  }
}
