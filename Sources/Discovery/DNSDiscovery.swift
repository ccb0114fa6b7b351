import Kernel
import Model
import Synchronization

/// Finds targets and Alertmanagers in DNS records (`dns_sd_configs`).
///
/// A name that cannot be looked up keeps the targets it had; a name that has gone has none.
package final class DNSDiscovery: Sendable {
  /// Looks up a name; it may block.
  package typealias Lookup =
    @Sendable (String, DNSDiscoverySettings.Record) -> Result<
      [DNSMessage.Record], DNSMessage.Problem
    >

  private typealias Watch = DiscoveryWatch<DNSDiscoverySettings>

  /// A name that somebody looks up.
  private struct Place: Hashable {
    var owner: DiscoveryOwner
    var mechanism: String
    var name: String
  }

  private struct State {
    var watches: [Watch] = []
    /// The last good answers.
    var groups: [Place: [TargetGroup]] = [:]
    var lookups: UInt64 = 0
    var failures: UInt64 = 0
  }

  private let state = Mutex(State())
  private let lookup: Lookup
  private let report: @Sendable (Event) -> Void
  private let log: @Sendable (LogRecord) -> Void

  package init(
    lookup: @escaping Lookup, report: @escaping @Sendable (Event) -> Void,
    log: @escaping @Sendable (LogRecord) -> Void
  ) {
    self.lookup = lookup
    self.report = report
    self.log = log
  }

  /// Look-ups that came to an end, and those of them that failed.
  package var counts: (lookups: UInt64, failures: UInt64) {
    state.withLock { ($0.lookups, $0.failures) }
  }

  /// Whether the settings name names to look up.
  package var isWanted: Bool { state.withLock { !$0.watches.isEmpty } }

  /// Takes over the discoveries of new settings.
  package func adopt(_ settings: Settings) {
    let all = DiscoveryOwner.all(
      in: settings, scrapes: \.dnsDiscovery, alertmanagers: \.dnsDiscovery)
    let fresh = all.map {
      Watch(owner: $0.owner, mechanism: "dns_sd/\($0.index)", settings: $0.settings)
    }
    state.withLock { state in
      state.watches = Watch.adopted(fresh, from: state.watches, gone: report)
      let live = state.watches
      state.groups = state.groups.filter { key, _ in
        live.contains { $0.owner == key.owner && $0.mechanism == key.mechanism }
      }
    }
  }

  /// Looks up the names that are due, one after the other, on the caller's thread.
  package func look(now: UInt64) {
    let due = state.withLock { state -> [Watch] in
      state.watches.indices.compactMap { i in
        if state.watches[i].nextRefresh > now { return nil }
        let interval = max(1000, state.watches[i].settings.refreshInterval.milliseconds)
        state.watches[i].nextRefresh = now + UInt64(interval) * 1_000_000
        return state.watches[i]
      }
    }
    for watch in due {
      let answers = watch.settings.names.map { ($0, lookup($0, watch.settings.record)) }
      state.withLock { take(answers, watch, &$0) }
    }
  }

  private func take(
    _ answers: [(String, Result<[DNSMessage.Record], DNSMessage.Problem>)], _ watch: Watch,
    _ state: inout State
  ) {
    guard let index = state.watches.firstIndex(where: { $0.isSame(as: watch) }) else { return }
    func place(_ name: String) -> Place {
      Place(owner: watch.owner, mechanism: watch.mechanism, name: name)
    }
    var problems: [String] = []
    for (name, result) in answers {
      state.lookups += 1
      switch result {
      case .success(let records):
        state.groups[place(name)] = Self.groups(name, records, port: watch.settings.port)
      case .failure(let problem):
        state.failures += 1
        problems.append(problem.description)
      }
    }
    let problem = problems.joined(separator: "; ")
    if !problem.isEmpty {
      let isNew = !ByteOrder.equal(state.watches[index].lastProblem, problem)
      log(
        LogRecord(
          isNew ? .error : .debug, "discovery",
          "A name cannot be looked up; its last targets stay",
          [watch.owner.field, ("err", problem)]))
    }
    state.watches[index].lastProblem = problem
    let groups = watch.settings.names.flatMap {
      state.groups[place($0)] ?? []
    }
    if let event = state.watches[index].news(groups) { report(event) }
  }

  /// The targets of a name, each a group of its own since their labels differ; sorted, for servers
  /// answer in another order each time.
  static func groups(
    _ name: String, _ records: [DNSMessage.Record], port: Int
  ) -> [TargetGroup] {
    var groups: [String: TargetGroup] = [:]
    for record in records {
      var labels = LabelSet([("__meta_dns_name", name)])
      let address: String
      switch record {
      case .address(let text): address = "\(text):\(port)"
      case .service(let target, let own):
        address = "\(trimmed(target)):\(own)"
        labels = labels.setting("__meta_dns_srv_record_target", to: target)
          .setting("__meta_dns_srv_record_port", to: "\(own)")
      case .mail(let target):
        address = "\(trimmed(target)):\(port)"
        labels = labels.setting("__meta_dns_mx_record_target", to: target)
      case .nameServer(let target):
        address = "\(trimmed(target)):\(port)"
        labels = labels.setting("__meta_dns_ns_record_target", to: target)
      }
      let source = "\(name)/\(address)"
      groups[source] = TargetGroup(source: source, targets: [address], labels: labels)
    }
    return groups.keys.sorted().compactMap { groups[$0] }
  }

  /// Rooted names look more usual without their last dot.
  private static func trimmed(_ name: String) -> String {
    name.hasSuffix(".") ? String(name.dropLast()) : name
  }
}
