import Model

/// One step of relabelling, validated (defaults filled in, pattern compiled).
package struct RelabelRule: Sendable {
  /// The eleven actions of Prometheus.
  package enum Action: String, Sendable, CaseIterable {
    case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep
    case lowercase, uppercase
  }

  package var action = Action.replace
  package var sourceLabels: [String] = []
  package var separator = ";"
  package var regexp: Regexp
  package var modulus: UInt64 = 0
  /// May hold `$1` and the like for `replace`.
  package var targetLabel = "" {
    didSet { targetTemplate = RegexpReplacement(targetLabel) }
  }
  package var replacement = "$1" {
    didSet { replacementTemplate = RegexpReplacement(replacement) }
  }
  private var targetTemplate = RegexpReplacement("")
  private var replacementTemplate = RegexpReplacement("$1")

  package init(regexp: Regexp) { self.regexp = regexp }
}

extension RelabelRule {
  /// Applies the step; false drops the target, series or alert.
  package func apply(to labels: inout LabelBuilder) -> Bool {
    switch action {
    case .keep: return regexp.matches(source(labels))
    case .drop: return !regexp.matches(source(labels))
    case .keepequal: return ByteOrder.equal(labels[targetLabel], source(labels))
    case .dropequal: return !ByteOrder.equal(labels[targetLabel], source(labels))
    case .replace: replace(&labels)
    case .lowercase: labels[targetLabel] = GoText.lowercased(source(labels))
    case .uppercase: labels[targetLabel] = GoText.uppercased(source(labels))
    case .hashmod:
      let hash = MD5.digest(of: source(labels).utf8)
      // Only the last eight bytes count, for compatibility with Prometheus' first releases.
      let number = hash[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      labels[targetLabel] = String(number % modulus)
    case .labelmap:
      for label in labels.all where regexp.matches(label.name) {
        // Even the empty name is taken, as in Prometheus.
        labels[regexp.replacingAll(in: label.name, with: replacementTemplate)] = label.value
      }
    case .labeldrop:
      for label in labels.all where regexp.matches(label.name) { labels[label.name] = "" }
    case .labelkeep:
      for label in labels.all where !regexp.matches(label.name) { labels[label.name] = "" }
    }
    return true
  }

  private func source(_ labels: LabelBuilder) -> String {
    if sourceLabels.count == 1 { return labels[sourceLabels[0]] }
    return sourceLabels.map { labels[$0] }.joined(separator: separator)
  }

  /// Without a match, or where no label name comes out, nothing happens.
  private func replace(_ labels: inout LabelBuilder) {
    let text = source(labels)
    guard let target = regexp.expanding(targetTemplate, in: text), !target.isEmpty,
      let value = regexp.expanding(replacementTemplate, in: text)
    else { return }
    labels[target] = value
  }
}

extension [RelabelRule] {
  /// Applies the steps in order; false as soon as one drops.
  package func apply(to labels: inout LabelBuilder) -> Bool {
    for rule in self where !rule.apply(to: &labels) { return false }
    return true
  }

  /// Applies the steps in order; nil if one drops.
  package func apply(to labels: LabelSet) -> LabelSet? {
    if isEmpty { return labels }
    var builder = LabelBuilder(labels)
    return apply(to: &builder) ? builder.labels : nil
  }
}
