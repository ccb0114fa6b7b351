import Diagnostics
import Model
import YAML

/// The scalar types of Prometheus' files that are more than a text or a number.
extension YAMLFields {
  /// A duration (`1h30m`); absent or null reads as nil.
  package func duration(_ name: String) -> PromDuration? {
    guard let node = value(name), let text = text(node) else { return nil }
    do throws(DurationProblem) {
      return try PromDuration(parsing: text)
    } catch {
      reader.report(
        "yaml/duration", error.description, at: node,
        label: "durations look like `30s`, `5m` or `1h30m`")
      return nil
    }
  }

  /// A size in bytes (`10MB`, `1.5GiB`): powers of two, a unit is required.
  package func byteSize(_ name: String) -> Int? {
    guard let node = value(name), let text = text(node) else { return nil }
    if let size = ByteSize.parse(text) { return size }
    reader.report(
      "yaml/byte-size", "not a valid size: `\(text)`", at: node,
      label: "sizes look like `512KB`, `10MB` or `1GiB`")
    return nil
  }

  /// One of several words.
  package func word(_ name: String, of allowed: [String]) -> String? {
    guard let node = value(name), let text = text(node) else { return nil }
    if allowed.contains(where: { $0.utf8.elementsEqual(text.utf8) }) { return text }
    reader.report(
      "yaml/value", "unknown \(name) `\(text)`: expected \(allowed.joined(separator: ", "))",
      at: node, label: NearestName.find(text, among: allowed).map { "did you mean `\($0)`?" })
    return nil
  }

  /// Label names and values, both checked.
  package func labels(_ name: String, allowsMetricName: Bool = true) -> LabelSet? {
    guard let pairs = map(name) else { return nil }
    var labels: [Label] = []
    for (label, text, field) in pairs {
      if label.isEmpty || (!allowsMetricName && label == LabelName.metricName) {
        reader.report(
          "config/label-name", "\(GoText.quote(label)) is not a valid label name", at: field.key)
        continue
      }
      labels.append(Label(name: label, value: text))
    }
    return LabelSet(labels: labels)
  }
}

/// Sizes with the binary units of Prometheus.
package enum ByteSize {
  /// `1.5GB` and `1.5GiB` are the same; nil for a text without a known unit.
  package static func parse(_ text: String) -> Int? {
    if text == "0" { return 0 }
    var total = 0.0
    var rest = Array(text.utf8)[...]
    if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !($0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e) }
      rest = rest.dropFirst(unit.count)
      guard let number = Double(String(decoding: digits, as: UTF8.self)),
        let shift = shift(String(decoding: unit, as: UTF8.self))
      else { return nil }
      total += number * Double(1 << shift)
    }
    return total < 9.2e18 ? Int(total) : nil
  }

  private static func shift(_ unit: String) -> Int? {
    switch unit {
    case "B": 0
    case "KB", "KiB": 10
    case "MB", "MiB": 20
    case "GB", "GiB": 30
    case "TB", "TiB": 40
    case "PB", "PiB": 50
    case "EB", "EiB": 60
    default: nil
    }
  }
}
