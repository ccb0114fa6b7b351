import Config
import Diagnostics
import Model
import PromQL

/// What the checks would like to know of a server about the rules of some files.
package struct LintQuestions: Sendable {
  /// Metrics asked for by name, sorted, each with the labels whose values matter.
  package private(set) var metrics: [(name: String, labels: [String])] = []
  /// Expressions whose number of series matters, by their canonical text.
  package private(set) var expressions: [String] = []
  /// Alerts: their expressions, the text of the answer's key, and how long they must hold.
  package private(set) var alerts: [(key: String, expr: String, hold: PromDuration)] = []

  /// Reads rule files; what cannot be read asks nothing.
  package init(files: [String], options: CheckOptions) {
    var labels: [String: Set<String>] = [:]
    var texts: Set<String> = []
    var keys: Set<String> = []
    var loading = RuleFileLoader.Options()
    loading.parser = options.parser
    for path in files where path != "-" {
      guard let bytes = try? FileSystem.read(path) else { continue }
      let file = RuleFileLoader.load(SourceText(name: path, bytes: bytes), options: loading)
      for place in file.places {
        guard let definition = place.definition else { continue }
        Self.gather(definition.expr, &labels, &texts)
        if case .alert(let alert) = definition {
          let text = alert.expr.description
          if keys.insert(text).inserted {
            alerts.append((key: "alert:" + text, expr: text, hold: alert.holdDuration))
          }
        }
      }
    }
    metrics = labels.keys.sorted(by: ByteOrder.less).map { name in
      (name, (labels[name] ?? []).sorted(by: ByteOrder.less))
    }
    expressions = texts.sorted(by: ByteOrder.less)
  }

  private static func gather(
    _ expr: Expr, _ labels: inout [String: Set<String>], _ texts: inout Set<String>
  ) {
    for selector in expr.selectors {
      guard let name = selector.name else { continue }
      var asked = labels[name] ?? []
      for matcher in selector.matchers
      where matcher.name != LabelName.metricName && !matcher.matchesEmpty {
        asked.insert(matcher.name)
      }
      labels[name] = asked
    }
    expr.walk { part, _ in
      guard case .binary(let node) = part, node.lhs.type == .vector, node.rhs.type == .vector,
        let question = VectorMatches.question(node)
      else { return }
      texts.insert(question.description)
      texts.insert(node.lhs.description)
      texts.insert(node.rhs.description)
    }
  }
}
