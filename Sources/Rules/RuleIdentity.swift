import Model
import PromQL

/// How a rule is named across reloads.
enum RuleIdentity {
  /// Kind, name and labels as one text.
  static func text(kind: RuleReport.Kind, name: String, labels: [Label]) -> String {
    let word = kind == .alerting ? "alert" : "record"
    let texts = labels.map { GoText.quote($0.name) + "=" + GoText.quote($0.value) }
    return word + " " + GoText.quote(name) + " {" + texts.joined(separator: ",") + "}"
  }
}

extension RuleDefinition {
  /// The kind, in the words of the API.
  package var kind: RuleReport.Kind {
    switch self {
    case .alert: .alerting
    case .recording: .recording
    }
  }

  /// The rule's labels as configured, templates unexpanded, by name.
  package var labels: [Label] {
    switch self {
    case .alert(let rule): rule.labels.map { Label(name: $0.name, value: $0.text) }
    case .recording(let rule): rule.labels.labels
    }
  }

  /// Line of the rule in its file.
  package var line: Int {
    switch self {
    case .alert(let rule): rule.line
    case .recording(let rule): rule.line
    }
  }

  /// Kind, name and labels: rules with the same identity are one rule before and after a reload,
  /// whatever their expression.
  package var identity: String {
    RuleIdentity.text(kind: kind, name: name, labels: labels)
  }

  /// Whether two rules behave alike; positions in the file do not count.
  package func isSame(as other: RuleDefinition) -> Bool {
    switch (self, other) {
    case (.alert(let a), .alert(let b)):
      ByteOrder.equal(a.name, b.name) && a.holdDuration == b.holdDuration
        && a.keepFiringFor == b.keepFiringFor && Self.areSame(a.labels, b.labels)
        && Self.areSame(a.annotations, b.annotations) && Self.areSame(a.expr, b.expr)
    case (.recording(let a), .recording(let b)):
      ByteOrder.equal(a.name, b.name) && a.labels == b.labels && Self.areSame(a.expr, b.expr)
    default: false
    }
  }

  private static func areSame(_ a: [AlertRule.Field], _ b: [AlertRule.Field]) -> Bool {
    a.elementsEqual(b) { ByteOrder.equal($0.name, $1.name) && ByteOrder.equal($0.text, $1.text) }
  }

  /// Whether two expressions print alike: `==` alone would let different spellings of one number
  /// pass as a change of nothing.
  private static func areSame(_ a: Expr, _ b: Expr) -> Bool {
    a == b && ByteOrder.equal(a.description, b.description)
  }
}

extension RuleGroupDefinition {
  /// Whether two groups behave alike: same place, name, times, limit and rules, the quarantined
  /// ones included.
  package func isSame(as other: RuleGroupDefinition) -> Bool {
    ByteOrder.equal(key, other.key) && interval == other.interval
      && queryOffset == other.queryOffset && limit == other.limit
      && headProblem == other.headProblem && labels == other.labels
      && quarantined == other.quarantined && hasSameRules(as: other)
  }

  private func hasSameRules(as other: RuleGroupDefinition) -> Bool {
    if rules.count != other.rules.count { return false }
    // A file that was not read anew yields the very same array.
    let isShared = rules.withUnsafeBufferPointer { a in
      other.rules.withUnsafeBufferPointer { b in a.baseAddress == b.baseAddress }
    }
    return isShared || zip(rules, other.rules).allSatisfy { $0.isSame(as: $1) }
  }
}
