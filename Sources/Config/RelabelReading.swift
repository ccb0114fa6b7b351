import Diagnostics
import Kernel
import Model
import YAML

/// Reads lists of relabelling steps.
package struct RelabelReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  /// The steps of a field; `what` words the complaint about an empty one.
  func read(_ fields: YAMLFields, _ name: String, empty what: String) -> [RelabelRule] {
    (fields.items(name) ?? []).compactMap { node in
      if node.isNull {
        config.refuse("empty or null \(what)", at: node, id: "config/relabel")
        return nil
      }
      return step(node)
    }
  }

  /// The steps of a list that stands alone, and everything that is wrong with them.
  package static func read(list: YAMLNode) -> (rules: [RelabelRule], diagnostics: [Diagnostic]) {
    let reading = RelabelReading(config: ConfigReading(directory: "", environment: { _ in nil }))
    let nodes = reading.reader.items(of: list, "a list of relabelling steps") ?? []
    let rules = nodes.compactMap { reading.step($0) }
    return (rules, reading.reader.diagnostics)
  }

  private func step(_ node: YAMLNode) -> RelabelRule? {
    guard let fields = reader.fields(of: node, "a relabelling step") else { return nil }
    let before = reader.diagnostics.count
    var step = RelabelFields()
    // In the order of the document: the first problem is the one Prometheus tells.
    for field in fields.fields {
      guard let key = RelabelFields.Field(rawValue: field.name) else { continue }
      set(key, field, fields, &step)
    }
    for key in RelabelFields.Field.allCases { _ = fields.field(key.rawValue) }
    fields.close()
    guard reader.diagnostics.count == before else { return nil }
    do throws(RelabelProblem) {
      return try step.validated()
    } catch {
      report(error, fields)
      return nil
    }
  }

  private func report(_ problem: RelabelProblem, _ fields: YAMLFields) {
    let place = problem.field.flatMap { fields.field($0.rawValue)?.value } ?? fields.node
    config.refuse(problem.message, at: place, id: "config/relabel")
  }

  private func set(
    _ key: RelabelFields.Field, _ field: YAMLFields.Field, _ fields: YAMLFields,
    _ step: inout RelabelFields
  ) {
    // A key without a value keeps its default, the action too.
    if field.value.isNull { return }
    do throws(RelabelProblem) {
      switch key {
      case .sourceLabels:
        if let names = fields.strings(field.name) {
          try step.setSourceLabels(names.map { $0.node.isNull ? nil : $0.text })
        }
      case .modulus:
        if let value = modulus(field.value) { step.setModulus(value) }
      case .action:
        if let text = fields.text(field.value) { try step.setAction(text) }
      case .regex:
        if let text = fields.text(field.value) { try step.setRegex(text) }
      case .separator:
        if let text = fields.text(field.value) { step.setSeparator(text) }
      case .targetLabel:
        if let text = fields.text(field.value) { step.setTargetLabel(text) }
      case .replacement:
        if let text = fields.text(field.value) { step.setReplacement(text) }
      }
    } catch {
      report(error, fields)
    }
  }

  /// Any whole number that fits 64 bits without a sign; a fraction is cut, as in Prometheus.
  private func modulus(_ node: YAMLNode) -> UInt64? {
    switch node.resolved {
    case .int(let value) where value >= 0: return UInt64(value)
    case .unsigned(let value): return value
    case .float(let value) where value >= 0 && value < 1.8e19: return UInt64(value)
    default:
      reader.wrongType(node, expected: "a whole number that is not negative")
      return nil
    }
  }
}
