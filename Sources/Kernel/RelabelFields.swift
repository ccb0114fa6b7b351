import Model

/// Why a relabelling step was refused, in Prometheus' words.
package struct RelabelProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String
  /// The key to point at, where it is one.
  package let field: RelabelFields.Field?

  package var description: String { message }

  init(_ message: String, _ field: RelabelFields.Field? = nil) {
    self.message = message
    self.field = field
  }
}

/// One item of a relabelling list while it is being read.
///
/// Keys are set in the order of the document, because the first problem is the one that is told;
/// `validated` then checks what concerns several keys. A key without a value (YAML's null) is as
/// good as absent: it is not set.
package struct RelabelFields: Sendable {
  /// The keys, by their names in YAML.
  package enum Field: String, Hashable, Sendable, CaseIterable {
    case action, regex, separator, modulus, replacement
    case sourceLabels = "source_labels"
    case targetLabel = "target_label"
  }

  private static let defaultSeparator = ";"
  private static let defaultReplacement = "$1"
  private static let defaultPattern = "(.*)"

  private var action = RelabelRule.Action.replace
  private var regexp: Regexp?
  private var sourceLabels: [String]?
  private var separator = defaultSeparator
  private var modulus: UInt64 = 0
  private var targetLabel = ""
  private var replacement = defaultReplacement

  /// Starts with the defaults.
  package init() {}

  /// Sets `action`; case does not matter.
  package mutating func setAction(_ text: String) throws(RelabelProblem) {
    guard let known = RelabelRule.Action(rawValue: GoText.lowercased(text)) else {
      throw RelabelProblem("unknown relabel action \(GoText.quote(text))", .action)
    }
    action = known
  }

  /// Sets `regex`.
  package mutating func setRegex(_ text: String) throws(RelabelProblem) {
    do {
      regexp = try Regexp(wrapped: text)
    } catch {
      throw RelabelProblem(error.description, .regex)
    }
  }

  /// Sets `source_labels`; an empty list counts as given.
  ///
  /// A null in the list (nil here) is an empty name that nobody checks, as in Prometheus.
  package mutating func setSourceLabels(_ names: [String?]) throws(RelabelProblem) {
    if names.contains("") {
      throw RelabelProblem("\"\" is not a valid label name", .sourceLabels)
    }
    sourceLabels = names.map { $0 ?? "" }
  }

  /// Sets `separator`.
  package mutating func setSeparator(_ text: String) { separator = text }

  /// Sets `target_label`.
  package mutating func setTargetLabel(_ text: String) { targetLabel = text }

  /// Sets `replacement`.
  package mutating func setReplacement(_ text: String) { replacement = text }

  /// Sets `modulus`.
  package mutating func setModulus(_ n: UInt64) { modulus = n }

  /// The finished step, or the first thing that is wrong with the keys together.
  package func validated() throws(RelabelProblem) -> RelabelRule {
    try checkTarget(action)
    try checkForeignFields(action)
    do {
      var rule = RelabelRule(regexp: try regexp ?? Regexp(wrapped: Self.defaultPattern))
      rule.action = action
      rule.sourceLabels = sourceLabels ?? []
      rule.separator = separator
      rule.modulus = modulus
      rule.targetLabel = targetLabel
      rule.replacement = replacement
      return rule
    } catch {
      preconditionFailure("the default pattern of relabelling compiles")
    }
  }

  private func checkTarget(_ action: RelabelRule.Action) throws(RelabelProblem) {
    switch action {
    case .hashmod where modulus == 0:
      throw RelabelProblem("relabel configuration for hashmod requires non-zero modulus", .modulus)
    case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
      if targetLabel.isEmpty {
        throw RelabelProblem(
          "relabel configuration for \(action.rawValue) action requires 'target_label' value",
          .action)
      }
    case .keep, .drop, .labelmap, .labeldrop, .labelkeep: break
    }
    switch action {
    case .lowercase, .uppercase, .keepequal, .dropequal:
      if replacement != Self.defaultReplacement {
        throw RelabelProblem(
          "'replacement' can not be set for \(action.rawValue) action", .replacement)
      }
    case .labelmap where replacement.isEmpty:
      throw RelabelProblem("\"\" is invalid 'replacement' for labelmap action", .replacement)
    default: break
    }
  }

  private func checkForeignFields(_ action: RelabelRule.Action) throws(RelabelProblem) {
    let hasRegexp = regexp != nil && regexp?.pattern != Self.defaultPattern
    let hasOthers =
      modulus != 0 || separator != Self.defaultSeparator
      || replacement != Self.defaultReplacement
    switch action {
    case .keepequal, .dropequal:
      if hasRegexp || hasOthers {
        throw RelabelProblem(
          "\(action.rawValue) action requires only 'source_labels' and `target_label`, "
            + "and no other fields", .action)
      }
    case .labeldrop, .labelkeep:
      if sourceLabels != nil || !targetLabel.isEmpty || hasOthers {
        throw RelabelProblem(
          "\(action.rawValue) action requires only 'regex', and no other fields", .action)
      }
    default: break
    }
  }
}

extension RelabelRule {
  /// The step that the keys describe, or the first thing that is wrong with them.
  package static func validated(
    from fields: RelabelFields
  ) throws(RelabelProblem) -> RelabelRule {
    try fields.validated()
  }
}
