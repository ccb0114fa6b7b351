import Config
import Diagnostics
import Model

/// Finds rules that write the same series: equal name and labels within a file.
package enum DuplicateRules {
  package static func find(in file: RuleFile) -> [Diagnostic] {
    var seen: [Identity: RulePlace] = [:]
    var found: [Diagnostic] = []
    for place in file.places where !place.name.isEmpty {
      let identity = Identity(name: Array(place.name.utf8), labels: place.labels)
      guard let first = seen[identity] else {
        seen[identity] = place
        continue
      }
      let node = place.nameNode?.content ?? place.node
      let original = first.nameNode?.content ?? first.node
      let kind = place.isAlert ? "alert" : "record"
      var diagnostic = Diagnostic(
        "rules/duplicate", .warning,
        "duplicate rule: \(GoText.quote(place.name)) has the same name and labels as another rule",
        source: node.source, range: node.range,
        notes: [
          Diagnostic.Note(
            "first defined here, in group \(GoText.quote(first.group))", source: original.source,
            range: original.range)
        ],
        context: "in \(kind) \(GoText.quote(place.name)), group \(GoText.quote(place.group))")
      diagnostic.group = place.group
      diagnostic.rule = place.name
      found.append(diagnostic)
    }
    return found
  }

  private struct Identity: Hashable {
    let name: [UInt8]
    let labels: LabelSet
  }
}
