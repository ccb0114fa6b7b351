import Model
import Template

/// What one rule would say, for a fire drill.
package struct RuleDrill: Sendable {
  /// Labels as the rule's alert would have them.
  package var labels: LabelSet
  package var annotations: [Label]
  /// Templates that failed, in Go's words.
  package var problems: [String]

  /// Expands the rule's real templates as if its expression had brought one element.
  ///
  /// Templates that ask for data with `query` get none.
  package init(
    of rule: AlertRule, element: LabelSet, value: Double, externalLabels: LabelSet,
    externalURL: String, at time: Timestamp
  ) {
    let context = TemplateContext(time: time, externalURL: externalURL) { _, _ in [] }
    let expander = FieldExpander(
      externalLabels: externalLabels, externalURL: externalURL, context: context)
    let candidate = AlertFields(rule).candidate(
      labels: element, value: value, basis: .condition, expander: expander)
    labels = candidate.labels
    annotations = candidate.annotations
    problems = expander.problems
  }
}
