import Model

extension RuleDefinition {
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
    let kind =
      switch self {
      case .alert: "alert"
      case .recording: "record"
      }
    let texts = labels.map { GoText.quote($0.name) + "=" + GoText.quote($0.value) }
    return kind + " " + GoText.quote(name) + " {" + texts.joined(separator: ",") + "}"
  }

  /// Everything that decides how the rule behaves, as one text; positions are left out.
  var signature: String {
    var parts = [identity, expr.description]
    if case .alert(let rule) = self {
      parts.append("for \(rule.holdDuration.milliseconds) keep \(rule.keepFiringFor.milliseconds)")
      for field in rule.annotations {
        parts.append(GoText.quote(field.name) + "=" + GoText.quote(field.text))
      }
    }
    return parts.joined(separator: "\n")
  }
}

extension RuleGroupDefinition {
  /// Whether two groups behave alike: same place, name, times, limit and rules.
  package func isSame(as other: RuleGroupDefinition) -> Bool {
    ByteOrder.equal(key, other.key) && interval == other.interval
      && queryOffset == other.queryOffset && limit == other.limit
      && rules.count == other.rules.count
      && zip(rules, other.rules).allSatisfy { ByteOrder.equal($0.signature, $1.signature) }
  }
}
