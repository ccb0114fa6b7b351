import Config
import Diagnostics
import JSON
import Kernel
import Model
import YAML

/// One relabelling with the reference's answer.
enum RelabelCase {
  /// `cases/relabel`: steps spelled out in JSON, all valid.
  static func fixed(_ one: JSONCase) -> String? {
    var rules: [RelabelRule] = []
    for item in one.json["relabel"]?.array ?? [] {
      do throws(RegexpProblem) {
        var rule = RelabelRule(regexp: try Regexp(wrapped: item["regex"]?.string ?? ""))
        rule.action = RelabelRule.Action(rawValue: item["action"]?.string ?? "") ?? .replace
        rule.sourceLabels = (item["source_labels"]?.array ?? []).compactMap(\.string)
        rule.separator = item["separator"]?.string ?? ""
        rule.modulus = UInt64(item["modulus"]?.int ?? 0)
        rule.replacement = item["replacement"]?.string ?? ""
        rule.targetLabel = item["target_label"]?.string ?? ""
        rules.append(rule)
      } catch {
        return "refused: \(error)"
      }
    }
    let drops = one.json["drop"]?.bool ?? false
    return outcome(rules.apply(to: one.labels("input")), drops ? nil : one.labels("output"))
  }

  private static func outcome(_ got: LabelSet?, _ wanted: LabelSet?) -> String? {
    got == wanted
      ? nil : "\(got?.description ?? "dropped"), expected \(wanted?.description ?? "dropped")"
  }

  /// `differential/relabel`: a YAML list as in a configuration.
  static func generated(_ one: JSONCase) -> String? {
    let source = SourceText(name: "relabel", text: one.text("config") ?? "")
    let document = YAMLDocument.parse(source: source)
    var rules: [RelabelRule] = []
    var diagnostics = document.diagnostics
    if diagnostics.isEmpty, let root = document.root {
      (rules, diagnostics) = RelabelReading.read(list: root)
    }
    let problem = diagnostics.first?.message
    if !one.isAccepted {
      let wanted = one.text("error") ?? ""
      if wanted.hasPrefix("yaml:") { return problem == nil ? "accepted, expected \(wanted)" : nil }
      return difference("error", problem, wanted)
    }
    if let problem { return "refused: \(problem)" }
    let keeps = one.json["keep"]?.bool ?? false
    return outcome(rules.apply(to: one.labels("labels")), keeps ? one.labels("output") : nil)
  }
}
