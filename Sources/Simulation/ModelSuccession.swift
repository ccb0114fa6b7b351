import Model
import Rules

/// Which rules run after a reload: once more from the description, for one group.
///
/// A rule that cannot be loaded is stood in for by its last good version: the one of its kind, name
/// and labels, else of its kind and name, else, where no name can be read, the one at its place.
struct ModelSuccession {
  /// What stands at a place of a rule file.
  struct Place: Sendable {
    /// Among the rules that run; nil for a rule that was never good.
    var index: Int?
    /// What is wrong with it.
    var problem: String?
  }

  private(set) var rules: [ModelRule] = []
  private(set) var places: [Place] = []
  private var old: [ModelRule?]

  /// - Parameter isStart: whether only the alerts are known of what was before.
  init(from before: AlertModel.Group?, to written: RuleGroupDefinition, isStart: Bool) {
    old = before?.rules ?? []
    let entries = written.entries
    var found = [ModelRule?](repeating: nil, count: entries.count)
    for (place, entry) in entries.enumerated() {
      guard case .rule(let rule) = entry else { continue }
      found[place] = heir(of: rule)
    }
    let broken = entries.enumerated().compactMap { place, entry -> (Int, QuarantinedRule)? in
      if case .quarantined(let rule) = entry { (place, rule) } else { nil }
    }
    if !isStart {
      for (place, rule) in broken where rule.kind != nil {
        found[place] = take { $0.kind == rule.kind && $0.isNamed(rule.name, rule.labels) }
      }
      for (place, rule) in broken where found[place] == nil && !rule.name.isEmpty {
        found[place] = take {
          ByteOrder.equal($0.name, rule.name) && (rule.kind == nil || rule.kind == $0.kind)
        }
      }
      for (place, rule) in broken where found[place] == nil && rule.name.isEmpty {
        guard let places = before?.places, places.indices.contains(rule.position),
          let index = places[rule.position].index
        else { continue }
        found[place] = old[index]
        old[index] = nil
      }
    }
    for (entry, rule) in zip(entries, found) {
      var problem: String?
      if case .quarantined(let broken) = entry { problem = broken.message }
      places.append(Place(index: rule == nil ? nil : rules.count, problem: problem))
      if let rule { rules.append(rule) }
    }
  }

  private mutating func take(_ isIt: (RuleDefinition) -> Bool) -> ModelRule? {
    guard let place = old.firstIndex(where: { $0.map { isIt($0.definition) } ?? false }) else {
      return nil
    }
    defer { old[place] = nil }
    return old[place]
  }

  /// A rule in order with the alerts of the one it continues.
  private mutating func heir(of rule: RuleDefinition) -> ModelRule {
    var taken = ModelRule(definition: rule)
    guard let before = take({ ByteOrder.equal($0.identity, rule.identity) }) else { return taken }
    taken.alerts = before.alerts
    // What a changed rule asks for may not have been kept so far.
    if !before.definition.isSame(as: rule) { taken.awaitData() }
    taken.isFailing = before.isFailing
    taken.failedAt = before.failedAt
    return taken
  }
}

extension RuleDefinition {
  fileprivate func isNamed(_ name: String, _ labels: [Label]) -> Bool {
    ByteOrder.equal(self.name, name) && self.labels == labels
  }
}
