import Diagnostics

/// A name, its text, and the field they stand in.
package typealias YAMLNamedText = (name: String, text: String, field: YAMLFields.Field)

/// The fields of one mapping, read by name.
///
/// Every name asked for is a known name; `close` reports the fields nobody asked for, with the
/// nearest
/// known name. So the code that reads a mapping is also its schema.
package final class YAMLFields {
  /// A key with its value, merges resolved.
  package struct Field {
    package let name: String
    package let key: YAMLNode
    package let value: YAMLNode
  }

  package let reader: YAMLReader
  package let node: YAMLNode
  package let fields: [Field]
  private let what: String
  private let isSkipped: Bool
  private var known: [String] = []
  /// Which of the first 64 fields were asked for.
  private var asked: UInt64 = 0

  init(reader: YAMLReader, node: YAMLNode, what: String, fields: [Field], isSkipped: Bool) {
    self.reader = reader
    self.node = node
    self.what = what
    self.fields = fields
    self.isSkipped = isSkipped
  }

  /// The field of a name, which is known from now on.
  package func field(_ name: String) -> Field? {
    // A mapping of free names is asked for none.
    if known.isEmpty { known.reserveCapacity(fields.count + 8) }
    known.append(name)
    var found: Int?
    for i in fields.indices where fields[i].name.hasBytes(of: name) {
      if i < 64 { asked |= 1 << UInt64(i) }
      if found == nil { found = i }
    }
    return found.map { fields[$0] }
  }

  /// The value of a field, if it is there at all.
  package func node(_ name: String) -> YAMLNode? { field(name)?.value }

  /// The value of a field, if it is there and not null.
  package func value(_ name: String) -> YAMLNode? {
    guard let value = node(name), !value.isNull else { return nil }
    return value
  }

  /// The text of a field; any scalar has one.
  package func string(_ name: String) -> String? { value(name).flatMap(text) }

  package func bool(_ name: String) -> Bool? {
    guard let node = value(name) else { return nil }
    if case .bool(let value) = node.resolved { return value }
    if case .scalar(let text, .plain) = node.content.kind, node.content.tag == nil {
      switch text {
      case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": return true
      case "n", "N", "no", "No", "NO", "off", "Off", "OFF": return false
      default: break
      }
    }
    reader.wrongType(node, expected: "true or false")
    return nil
  }

  /// A whole number; a number with a fraction loses it, as in Prometheus.
  package func int(_ name: String) -> Int? {
    guard let node = value(name) else { return nil }
    switch node.resolved {
    case .int(let value): return value
    case .float(let value) where value.isFinite && value.magnitude < 9e18: return Int(value)
    default:
      reader.wrongType(node, expected: "a whole number")
      return nil
    }
  }

  /// A whole number that is not negative.
  package func count(_ name: String) -> Int? {
    guard let node = value(name), let value = int(name) else { return nil }
    if value >= 0 { return value }
    reader.wrongType(node, expected: "a number that is not negative")
    return nil
  }

  package func double(_ name: String) -> Double? {
    guard let node = value(name) else { return nil }
    switch node.resolved {
    case .int(let value): return Double(value)
    case .unsigned(let value): return Double(value)
    case .float(let value): return value
    default:
      reader.wrongType(node, expected: "a number")
      return nil
    }
  }

  /// The texts of a list.
  package func strings(_ name: String) -> [(text: String, node: YAMLNode)]? {
    guard let node = value(name), let items = reader.items(of: node, "a list") else { return nil }
    return items.compactMap { item in
      if item.isNull { return ("", item) }
      return text(item).map { ($0, item) }
    }
  }

  /// Names and texts of a mapping, in the order written.
  package func map(_ name: String) -> [YAMLNamedText]? {
    guard let node = value(name), let inner = reader.fields(of: node, "a mapping") else {
      return nil
    }
    defer { inner.leave() }
    return inner.fields.compactMap { field in
      if field.key.isNull { return nil }
      if field.value.isNull { return (field.name, "", field) }
      return text(field.value).map { (field.name, $0, field) }
    }
  }

  /// The fields of a field.
  package func fields(_ name: String, _ what: String) -> YAMLFields? {
    value(name).flatMap { reader.fields(of: $0, what) }
  }

  /// The items of a field that is a list.
  package func items(_ name: String) -> [YAMLNode]? {
    value(name).flatMap { reader.items(of: $0, "a list") }
  }

  /// The text of a scalar; a collection is reported.
  package func text(_ node: YAMLNode) -> String? { reader.text(of: node) }

  /// Reports the fields that were not asked for, and ends the reading of the mapping.
  package func close(hint: (String) -> String? = { _ in nil }) {
    for (i, field) in fields.enumerated() where !wasAsked(i) {
      var fix: Diagnostic.Fix?
      var label = hint(field.name)
      if label == nil, let near = NearestName.find(field.name, among: known) {
        label = "did you mean `\(near)`?"
        fix = Diagnostic.Fix(
          "write `\(near)`", range: field.key.content.range, replacement: near)
      }
      reader.report(
        "yaml/unknown-field", "field \(field.name) not found in \(what)", at: field.key,
        label: label, fix: fix)
    }
    leave()
  }

  private func wasAsked(_ i: Int) -> Bool {
    i < 64 ? asked >> UInt64(i) & 1 == 1 : known.contains { $0.hasBytes(of: fields[i].name) }
  }

  /// Ends the reading of a mapping whose keys are free.
  package func leave() {
    if isSkipped { reader.leaveSkipped() }
  }
}
