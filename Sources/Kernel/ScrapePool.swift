import Model

/// One scrape configuration and what discovery has found for it.
final class ScrapePool {
  /// A group of targets and the mechanism that reported it.
  private struct Found {
    let mechanism: String
    var group: TargetGroup
  }

  static let staticMechanism = "static"

  private(set) var settings: ScrapeSettings
  private var found: [Found] = []
  /// The pool's targets in the order of discovery.
  var targets: [Target] = []
  private(set) var dropped: [LabelSet] = []
  private(set) var droppedCount = 0
  private var loggedProblems: Set<String> = []
  // Counted since the start.
  var syncs: UInt64 = 0
  var failedSyncs: UInt64 = 0
  var reloads: UInt64 = 0
  var exceededTargetLimit: UInt64 = 0
  var syncLengths = DurationSummary()

  /// Targets found, before relabelling.
  var foundCount: Int { found.reduce(0) { $0 + $1.group.targets.count } }

  init(_ settings: ScrapeSettings) {
    self.settings = settings
    setStatic()
  }

  /// Obeys new settings; groups found by discovery stay until their mechanism says otherwise.
  func update(_ new: ScrapeSettings) {
    let mechanisms = Set(new.mechanisms)
    found.removeAll { !mechanisms.contains($0.mechanism) }
    settings = new
    reloads += 1
    setStatic()
  }

  private func setStatic() {
    found.removeAll { $0.mechanism == Self.staticMechanism }
    let groups = settings.staticTargets.map {
      Found(mechanism: Self.staticMechanism, group: $0)
    }
    found = groups + found
  }

  /// Takes the news of a mechanism; a group without targets is gone.
  func discover(mechanism: String, groups: [TargetGroup]) {
    for group in groups {
      let place = found.firstIndex {
        ByteOrder.equal($0.mechanism, mechanism) && ByteOrder.equal($0.group.source, group.source)
      }
      if let place {
        if group.targets.isEmpty {
          found.remove(at: place)
        } else {
          found[place].group = group
        }
      } else if !group.targets.isEmpty {
        found.append(Found(mechanism: mechanism, group: group))
      }
    }
  }

  /// The targets that there should be, each once, in the order of discovery.
  func specs(_ effects: inout EffectList) -> [TargetSpec] {
    syncs += 1
    dropped = []
    droppedCount = 0
    var problems: Set<String> = []
    var keys: Set<String> = []
    var specs: [TargetSpec] = []
    for item in found {
      for address in item.group.targets {
        switch TargetLabels.candidate(address: address, group: item.group, settings: settings) {
        case .active(let spec):
          if keys.insert(spec.key).inserted { specs.append(spec) }
        case .dropped(let labels):
          droppedCount += 1
          if settings.keepDroppedTargets == 0 || dropped.count < settings.keepDroppedTargets {
            dropped.append(labels)
          }
        case .refused(let problem):
          failedSyncs += 1
          let text = "target \(GoText.quote(address)): \(problem)"
          problems.insert(text)
          if loggedProblems.contains(text) { continue }
          effects.log(
            .error, "scrape", "Creating target failed", [("job", settings.jobName), ("err", text)])
        }
      }
    }
    loggedProblems = problems
    return specs
  }
}
