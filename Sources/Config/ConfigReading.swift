import Diagnostics
import Kernel
import Model
import YAML

/// What the readers of one configuration file share.
final class ConfigReading {
  let reader: YAMLReader
  /// Relative paths in the file start here.
  let directory: String
  /// Looks up an environment variable.
  let environment: (String) -> String?

  init(
    directory: String, environment: @escaping (String) -> String?, reader: YAMLReader = YAMLReader()
  ) {
    self.reader = reader
    self.directory = directory
    self.environment = environment
  }

  func path(_ text: String) -> String { FileSystem.join(directory, text) }

  /// Reports a setting that Prometheus refuses.
  func refuse(_ message: String, at node: YAMLNode, label: String? = nil, id: String? = nil) {
    reader.report(id ?? "config/invalid", message, at: node, label: label)
  }

  /// Names settings that are valid, and that nothing here obeys yet.
  func ignore(_ fields: YAMLFields, _ names: [String], unless isDefault: (YAMLNode) -> Bool) {
    for name in names {
      guard let field = fields.field(name), !field.value.isNull, !isDefault(field.value) else {
        continue
      }
      warnIgnored(field)
    }
  }

  /// Names one setting that nothing here obeys yet.
  func warnIgnored(_ field: YAMLFields.Field, effect: String = "it has no effect") {
    reader.report(
      "config/not-supported", "\(field.name) is not supported yet: \(effect)", severity: .warning,
      at: field.key)
  }
}

extension YAMLNode {
  /// Whether the node is the boolean false or the number zero, the usual "not set".
  var isOff: Bool {
    switch resolved {
    case .bool(false), .int(0): true
    default: text == ""
    }
  }

  /// Whether a collection without elements.
  var isEmptyCollection: Bool {
    switch content.kind {
    case .sequence(let items): items.isEmpty
    case .mapping(let entries): entries.isEmpty
    default: false
    }
  }
}
