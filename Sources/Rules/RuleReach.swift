import Model
import PromQL

/// What the evaluation of a rule reads from the store and what it writes there, as far as its text
/// tells.
///
/// Only the expression counts: templates and policies read the store when the result is committed,
/// which happens in the order of the rules anyway.
struct RuleReach {
  /// Series that a rule writes: those with this metric name and these labels, and any others.
  struct Family {
    let name: String
    /// Labels whose values are known.
    let labels: [Label]

    /// Whether a series of the family could fulfil the conditions.
    func couldFulfil(_ matchers: [Matcher]) -> Bool {
      matchers.allSatisfy { matcher in
        if ByteOrder.equal(matcher.name, LabelName.metricName) { return matcher.matches(name) }
        let known = labels.first { ByteOrder.equal($0.name, matcher.name) }
        return known.map { matcher.matches($0.value) } ?? true
      }
    }
  }

  /// The conditions of each selector; nil for an expression that may look at any series.
  let reads: [[Matcher]]?
  let writes: [Family]

  init(_ rule: RuleDefinition) {
    reads = Self.selectors(of: rule.expr)
    switch rule {
    case .recording(let rule):
      writes = [Family(name: rule.name, labels: rule.labels.labels)]
    case .alert(let rule):
      let name = Label(name: LabelName.alertName, value: rule.name)
      writes = [SyntheticSeries.alerts, SyntheticSeries.alertsForState].map {
        Family(name: $0, labels: [name])
      }
    }
  }

  private static func selectors(of expr: Expr) -> [[Matcher]]? {
    var found: [[Matcher]] = []
    var isOpen = false
    expr.walk { part, _ in
      switch part {
      case .selector(let selector): found.append(selector.matchers)
      // Its second argument only narrows down what it takes labels from.
      case .call(let call) where call.function.name == "info": isOpen = true
      default: break
      }
    }
    return isOpen ? nil : found
  }
}
