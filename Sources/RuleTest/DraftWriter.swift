import Engine
import Model
import PromQL
import Rules

/// Writes a unit test file that promtool reads, too.
struct DraftWriter {
  /// One test with what came out of it.
  struct Entry {
    var test: UnitTestFile.TestGroup
    var alerts: [(time: PromDuration, name: String, firing: [AlertInstance])] = []
    var samples: [(time: PromDuration, expr: String, samples: [VectorSample])] = []
    /// A comment.
    var remark: String?
  }

  private(set) var text: String
  private let interval: PromDuration

  init(ruleFiles: [String], interval: PromDuration) {
    self.interval = interval
    text =
      "# A first test: it passes as it is. Read what it expects, change what shall be otherwise.\n"
    text += "rule_files:\n"
    for name in ruleFiles { text += "  - \(Self.quoted(name))\n" }
    text += "\nevaluation_interval: \(interval)\n\ntests:\n"
  }

  mutating func add(_ entry: Entry) {
    let test = entry.test
    if let remark = entry.remark {
      text += "  # \(remark.split(whereSeparator: \.isNewline).joined(separator: " "))\n"
    }
    text += "  - name: \(Self.quoted(test.name))\n    interval: \(interval)\n"
    if !test.series.isEmpty { text += "    input_series:\n" }
    for series in test.series {
      text += "      - series: \(Self.quoted(series.labels.metricText))\n"
      text += "        values: \(Self.quoted(Self.values(series.values)))\n"
    }
    if !entry.alerts.isEmpty { text += "    alert_rule_test:\n" }
    for (time, name, firing) in entry.alerts {
      text += "      - eval_time: \(time)\n        alertname: \(Self.quoted(name))\n"
      text += "        exp_alerts:\(firing.isEmpty ? " []" : "")\n"
      for alert in firing {
        let labels = alert.labels.dropping([LabelName.alertName]).labels
        var block = Self.map("exp_labels", labels, indent: "            ")
        block += Self.map("exp_annotations", alert.annotations, indent: "            ")
        text += block.isEmpty ? "          - {}\n" : "          - " + block.dropFirst(12)
      }
    }
    if !entry.samples.isEmpty { text += "    promql_expr_test:\n" }
    for (time, expr, samples) in entry.samples {
      text += "      - expr: \(Self.quoted(expr))\n        eval_time: \(time)\n"
      text += "        exp_samples:\(samples.isEmpty ? " []" : "")\n"
      for sample in samples {
        guard case .float(let value) = sample.value else { continue }
        text += "          - labels: \(Self.quoted(sample.labels.metricText))\n"
        text += "            value: \(Self.number(value))\n"
      }
    }
  }

  private static func map(_ name: String, _ labels: [Label], indent: String) -> String {
    if labels.isEmpty { return "" }
    var out = "\(indent)\(name):\n"
    for label in labels {
      out += "\(indent)  \(quoted(label.name)): \(quoted(label.value))\n"
    }
    return out
  }

  private static func number(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-.inf" : ".inf" }
    return NumberText.plain(value)
  }

  /// The shortest notation: `1x5`, `0+60x5`, or one by one.
  static func values(_ values: [SequenceValue]) -> String {
    let numbers = values.map(\.value)
    if values.count > 2, values.allSatisfy({ !$0.isOmitted }), let first = numbers.first {
      if numbers.allSatisfy({ $0 == first }) {
        return "\(NumberText.plain(first))x\(values.count - 1)"
      }
      let growth = numbers[1] - first
      let isRamp = numbers.indices.allSatisfy { numbers[$0] == first + growth * Double($0) }
      if isRamp, growth.isFinite {
        let sign = growth < 0 ? "-" : "+"
        let (start, step) = (NumberText.plain(first), NumberText.plain(growth.magnitude))
        return "\(start)\(sign)\(step)x\(values.count - 1)"
      }
    }
    return values.map { $0.isOmitted ? "_" : NumberText.plain($0.value) }.joined(separator: " ")
  }

  /// A YAML scalar: plain where it cannot be mistaken for anything else.
  static func quoted(_ text: String) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
    let isPlain = text.utf8.allSatisfy {
      ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a || $0 == 0x5f || $0 == 0x2f || $0 == 0x2e
    }
    if isPlain, let first = text.utf8.first, (first | 0x20) >= 0x61 || first == 0x5f,
      !words.contains(text.lowercased())
    {
      return text
    }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
      return GoText.quote(text)
    }
    return "'" + text.replacing("'", with: "''") + "'"
  }
}
