import Model

/// Where an alert stands.
package enum AlertState: String, Hashable, Sendable, CaseIterable, Codable {
  case inactive, pending, firing

  /// The order in which a rule's state is the highest of its alerts'.
  package var rank: Int {
    switch self {
    case .inactive: 0
    case .pending: 1
    case .firing: 2
    }
  }
}

/// One alert of a rule: the state behind one label set.
///
/// A value without behaviour: `AlertMachine` moves it, the reports copy it, persistence stores it.
package struct AlertInstance: Hashable, Sendable {
  /// The identity: result labels, the rule's labels over them, `alertname` over all.
  package let labels: LabelSet
  package var state: AlertState
  /// Expanded annotations by name; unlike labels they may be empty texts.
  package var annotations: [Label]
  /// The expression's value when it last held.
  package var value: Double
  /// When the condition began to hold: the clock of `for` and the value of ALERTS_FOR_STATE.
  package var activeAt: Timestamp
  /// When the alert turned firing: `startsAt` of its notifications.
  package var firedAt: Timestamp?
  package var resolvedAt: Timestamp?
  package var lastSentAt: Timestamp?
  /// How long receivers may believe the last notification.
  package var validUntil: Timestamp?
  /// Since when only `keep_firing_for` keeps the alert firing.
  package var keepFiringSince: Timestamp?
  /// Why the alert stands as it does.
  package var basis: AlertBasis

  package init(
    labels: LabelSet, state: AlertState = .pending, annotations: [Label], value: Double,
    activeAt: Timestamp, firedAt: Timestamp? = nil, resolvedAt: Timestamp? = nil,
    lastSentAt: Timestamp? = nil, validUntil: Timestamp? = nil, keepFiringSince: Timestamp? = nil,
    basis: AlertBasis = .condition
  ) {
    self.labels = labels
    self.state = state
    self.annotations = annotations
    self.value = value
    self.activeAt = activeAt
    self.firedAt = firedAt
    self.resolvedAt = resolvedAt
    self.lastSentAt = lastSentAt
    self.validUntil = validUntil
    self.keepFiringSince = keepFiringSince
    self.basis = basis
  }

  /// Whether the alert is pending or firing.
  package var isActive: Bool { state != .inactive }
}

/// The alerts of one rule in the order of their birth, found by label set.
package struct AlertTable: Sendable {
  package private(set) var instances: [AlertInstance] = []
  private var positions: [LabelSet: Int] = [:]

  package init() {}

  package init(_ instances: [AlertInstance]) {
    for instance in instances { put(instance) }
  }

  package var isEmpty: Bool { instances.isEmpty }

  /// The place of the alert with these labels, or nil.
  package func position(of labels: LabelSet) -> Int? { positions[labels] }

  /// Adds an alert or replaces the one with its labels; returns its place.
  @discardableResult
  package mutating func put(_ instance: AlertInstance) -> Int {
    if let place = positions[instance.labels] {
      instances[place] = instance
      return place
    }
    positions[instance.labels] = instances.count
    instances.append(instance)
    return instances.count - 1
  }

  /// Changes the alert at a place; its labels stay.
  package mutating func update<T>(at place: Int, _ body: (inout AlertInstance) -> T) -> T {
    body(&instances[place])
  }

  /// Forgets every alert for which `condition` holds; the order of the others stays.
  package mutating func removeAll(where condition: (AlertInstance) -> Bool) {
    let before = instances.count
    instances.removeAll(where: condition)
    if instances.count == before { return }
    positions.removeAll(keepingCapacity: true)
    for (place, instance) in instances.enumerated() { positions[instance.labels] = place }
  }

  package mutating func removeAll() {
    instances = []
    positions = [:]
  }

  /// The highest state of all alerts.
  package var state: AlertState {
    var highest = AlertState.inactive
    for alert in instances where alert.state.rank > highest.rank { highest = alert.state }
    return highest
  }
}
