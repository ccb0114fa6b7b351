import Config
import Kernel
import Model
import YAML

/// Reads one relabelling step of a YAML list.
enum RelabelNode {
  /// The step; what the YAML layer finds wrong is in the reader's diagnostics.
  static func rule(_ node: YAMLNode, _ reader: YAMLReader) throws(RelabelProblem) -> RelabelRule {
    var step = RelabelFields()
    guard let fields = reader.fields(of: node, "a relabelling step") else {
      return try step.validated()
    }
    // In the order of the document: the first problem is the one that is told.
    for field in fields.fields {
      guard let key = RelabelFields.Field(rawValue: field.name), !field.value.isNull else {
        continue
      }
      let text = key == .sourceLabels ? nil : fields.text(field.value)
      switch key {
      case .action: try step.setAction(text ?? "")
      case .regex: try step.setRegex(text ?? "")
      case .separator: step.setSeparator(text ?? "")
      case .targetLabel: step.setTargetLabel(text ?? "")
      case .replacement: step.setReplacement(text ?? "")
      case .modulus:
        if let value = RelabelModulus.read(field.value) {
          step.setModulus(value)
        } else {
          reader.wrongType(field.value, expected: "a whole number that is not negative")
        }
      case .sourceLabels:
        let names = fields.strings(field.name) ?? []
        try step.setSourceLabels(names.map { $0.node.isNull ? nil : $0.text })
      }
    }
    for key in RelabelFields.Field.allCases { _ = fields.field(key.rawValue) }
    fields.close()
    return try step.validated()
  }
}
