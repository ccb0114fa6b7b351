import Kernel

/// Whose addresses a discovery finds.
package enum DiscoveryOwner: Sendable, Hashable {
  /// A scrape configuration, by its name.
  case job(String)
  /// An entry of `alerting.alertmanagers`, counted from 0.
  case alertmanagers(Int)

  /// The owners in settings, and what belongs to each of the discoveries of one kind.
  package static func all<Discovery>(
    in settings: Settings, scrapes: (ScrapeSettings) -> [Discovery],
    alertmanagers: (AlertmanagerSettings) -> [Discovery]
  ) -> [(owner: DiscoveryOwner, index: Int, settings: Discovery)] {
    let jobs = settings.scrapes.map { (DiscoveryOwner.job($0.jobName), scrapes($0)) }
    let blocks = settings.alertmanagers.enumerated().map { index, block in
      (DiscoveryOwner.alertmanagers(index), alertmanagers(block))
    }
    return (jobs + blocks).flatMap { owner, discoveries in
      discoveries.enumerated().map { (owner, $0.offset, $0.element) }
    }
  }

  /// The news of what a mechanism has found.
  package func event(mechanism: String, groups: [TargetGroup]) -> Event {
    switch self {
    case .job(let name): .discovered(job: name, mechanism: mechanism, groups: groups)
    case .alertmanagers(let index):
      .discoveredAlertmanagers(config: index, mechanism: mechanism, groups: groups)
    }
  }

  /// As the log names it.
  var field: (name: String, value: String) {
    switch self {
    case .job(let name): ("job", name)
    case .alertmanagers(let index): ("alertmanagers", "\(index)")
    }
  }
}
