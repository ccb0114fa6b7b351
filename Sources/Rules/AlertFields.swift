import Model
import Template

/// The label and annotation templates of one alert rule, expanded with a memory per slot of the
/// plan.
///
/// In steady state the result element of a slot is the same label set again and again; its alert
/// labels are then built once, and its annotations again only when the value moved.
struct AlertFields {
  /// What was expanded last for one slot of the plan.
  private struct Memory {
    var input = LabelSet.empty
    var isValid = false
    var labels = LabelSet.empty
    var annotations: [Label] = []
    var valueBits: UInt64 = 0
  }

  private let rule: AlertRule
  private let labelDependence: FieldDependence
  private let annotationDependence: FieldDependence
  private var memories: [Memory] = []

  init(_ rule: AlertRule) {
    self.rule = rule
    labelDependence = rule.labels.map { FieldDependence(of: $0.text) }.max() ?? .nothing
    annotationDependence = rule.annotations.map { FieldDependence(of: $0.text) }.max() ?? .nothing
  }

  /// Forgets all expansions, as when the external labels change.
  mutating func forget() { memories.removeAll() }

  /// The alert that a result element stands for; failed expansions are reported and leak into the
  /// text.
  mutating func candidate(
    slot: Int, labels input: LabelSet, value: SampleValue, expander: FieldExpander
  ) -> AlertCandidate {
    var number = 0.0
    var isFloat = false
    if case .float(let v) = value {
      number = v
      isFloat = true
    }
    while memories.count <= slot { memories.append(Memory()) }
    let isKnown = memories[slot].isValid && memories[slot].input == input
    let sameValue = isKnown && isFloat && memories[slot].valueBits == number.bitPattern
    if !isKnown || !isReusable(labelDependence, sameValue: sameValue) {
      memories[slot].labels = expandLabels(input, value, expander)
    }
    if !isKnown || !isReusable(annotationDependence, sameValue: sameValue) {
      memories[slot].annotations = rule.annotations.map {
        Label(name: $0.name, value: expander.expand($0, input, value))
      }
    }
    memories[slot].input = input
    memories[slot].isValid = true
    memories[slot].valueBits = number.bitPattern
    return AlertCandidate(
      labels: memories[slot].labels, annotations: memories[slot].annotations, value: number)
  }

  /// The alert of an element that is not in the result, expanded afresh.
  func candidate(
    labels input: LabelSet, value: Double, basis: AlertBasis, expander: FieldExpander
  ) -> AlertCandidate {
    AlertCandidate(
      labels: expandLabels(input, .float(value), expander),
      annotations: rule.annotations.map {
        Label(name: $0.name, value: expander.expand($0, input, .float(value)))
      }, value: value, basis: basis)
  }

  private func isReusable(_ dependence: FieldDependence, sameValue: Bool) -> Bool {
    switch dependence {
    case .nothing, .labels: true
    case .value: sameValue
    case .world: false
    }
  }

  private func expandLabels(
    _ input: LabelSet, _ value: SampleValue, _ expander: FieldExpander
  ) -> LabelSet {
    var all = input.labels.filter { !ByteOrder.equal($0.name, LabelName.metricName) }
    for field in rule.labels {
      all.append(Label(name: field.name, value: expander.expand(field, input, value)))
    }
    all.append(Label(name: LabelName.alertName, value: rule.name))
    return LabelSet(labels: all)
  }
}

/// Expands single fields at one evaluation and collects what went wrong.
final class FieldExpander {
  private let externalLabels: LabelSet
  private let externalURL: String
  private let context: TemplateContext
  private(set) var problems: [String] = []
  /// Texts with actions in them that were expanded.
  private(set) var expansions = 0

  init(externalLabels: LabelSet, externalURL: String, context: TemplateContext) {
    self.externalLabels = externalLabels
    self.externalURL = externalURL
    self.context = context
  }

  func expand(_ field: AlertRule.Field, _ labels: LabelSet, _ value: SampleValue) -> String {
    if FieldDependence(of: field.text) == .nothing { return field.text }
    expansions += 1
    do {
      return try field.template.expand(
        TemplateInput(
          labels: labels, externalLabels: externalLabels, externalURL: externalURL, value: value),
        context: context)
    } catch {
      problems.append(error.description)
      return "<error expanding template: \(error.description)>"
    }
  }
}
