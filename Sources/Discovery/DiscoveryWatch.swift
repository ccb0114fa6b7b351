import Kernel
import Model

/// A discovery of one job or of Alertmanagers, and what it has reported so far.
struct DiscoveryWatch<Settings: Hashable & Sendable>: Sendable {
  let owner: DiscoveryOwner
  let mechanism: String
  var settings: Settings
  /// Monotonic nanoseconds.
  var nextRefresh: UInt64 = 0
  var isUnderWay = false
  /// Groups the kernel knows of.
  private var known: [String: TargetGroup] = [:]
  /// What went wrong last time; said once.
  var lastProblem = ""

  init(owner: DiscoveryOwner, mechanism: String, settings: Settings) {
    self.owner = owner
    self.mechanism = mechanism
    self.settings = settings
  }

  func isSame(as other: DiscoveryWatch) -> Bool {
    owner == other.owner && ByteOrder.equal(mechanism, other.mechanism)
      && settings == other.settings
  }

  /// The news in a complete list; nil when nothing has changed.
  mutating func news(_ groups: [TargetGroup]) -> Event? {
    var changed: [TargetGroup] = []
    var sources: Set<String> = []
    for group in groups {
      sources.insert(group.source)
      if known[group.source] != group { changed.append(group) }
    }
    for source in known.keys.sorted() where !sources.contains(source) {
      changed.append(TargetGroup(source: source, targets: []))
    }
    known = Dictionary(groups.map { ($0.source, $0) }, uniquingKeysWith: { $1 })
    if changed.isEmpty { return nil }
    return owner.event(mechanism: mechanism, groups: changed)
  }

  /// The watches of new settings; those that stay keep what they know, and `gone` are told of.
  static func adopted(
    _ fresh: [DiscoveryWatch], from old: [DiscoveryWatch], gone report: (Event) -> Void
  ) -> [DiscoveryWatch] {
    var rest = old
    let kept = fresh.map { new in
      guard let place = rest.firstIndex(where: { $0.isSame(as: new) }) else { return new }
      return rest.remove(at: place)
    }
    for var watch in rest { if let event = watch.news([]) { report(event) } }
    return kept
  }
}
