import Model
import PromQL

/// Looks over the shoulder of evaluations: a simulation checks what it sees, a daemon has none.
package struct RuleInspector {
  /// What a standing plan yielded: label sets and values in the order of its slots.
  package typealias Elements = [(labels: LabelSet, value: SampleValue)]

  /// Called right after a rule's expression was evaluated, before anything came of it.
  package var sawResult: (Expr, Timestamp, Result<Elements, RuleProblem>) -> Void
  /// Called when a rule's evaluation is over.
  package var sawEvaluation: (RuleSighting) -> Void

  package init(
    sawResult: @escaping (Expr, Timestamp, Result<Elements, RuleProblem>) -> Void,
    sawEvaluation: @escaping (RuleSighting) -> Void
  ) {
    self.sawResult = sawResult
    self.sawEvaluation = sawEvaluation
  }
}

/// One evaluation of one rule as an inspector sees it.
package struct RuleSighting {
  package var group: RuleGroupDefinition
  package var slot: Timestamp
  package var offset: PromDuration
  package var evaluation: RuleEvaluation
}
