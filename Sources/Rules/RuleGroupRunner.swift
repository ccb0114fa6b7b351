import Model
import Storage

/// A group at work: its rules in file order, each seeing the results of those before it.
package final class RuleGroupRunner {
  package let definition: RuleGroupDefinition
  package let rules: [RuleRunner]
  private let environment: RuleEnvironment
  package private(set) var lastEvaluation: Timestamp?
  /// Seconds the last evaluation took.
  package private(set) var lastDuration = 0.0

  package convenience init(_ definition: RuleGroupDefinition, environment: RuleEnvironment) {
    self.init(definition, environment: environment, replacing: nil)
  }

  /// Puts a changed group in the place of `old`: rules of equal identity carry their alerts and
  /// series over, the n-th of several equal ones to the n-th.
  ///
  /// Afterwards `old.orphans` are the rules that nobody took over; the caller ends them.
  package init(
    _ definition: RuleGroupDefinition, environment: RuleEnvironment, replacing old: RuleGroupRunner?
  ) {
    self.definition = definition
    self.environment = environment
    var heirs: [String: [RuleRunner]] = [:]
    for rule in old?.rules.reversed() ?? [] { heirs[rule.identity, default: []].append(rule) }
    var adopted: [RuleRunner] = []
    rules = definition.rules.map { rule in
      if let before = heirs[rule.identity]?.popLast() {
        adopted.append(before)
        let runner = RuleRunner(rule, output: before.output, environment: environment)
        runner.adopt(before)
        return runner
      }
      let output = RuleOutput(
        store: environment.store, name: "rule \(definition.key) \(rule.name)")
      return RuleRunner(rule, output: output, environment: environment)
    }
    lastEvaluation = old?.lastEvaluation
    lastDuration = old?.lastDuration ?? 0
    old?.close(adopted: adopted)
  }

  /// The rules whose state nobody took over when the group was replaced; all of them when it was
  /// removed.
  package private(set) var orphans: [RuleRunner] = []

  private func close(adopted: [RuleRunner]) {
    for rule in rules { rule.close() }
    orphans = rules.filter { rule in !adopted.contains { $0 === rule } }
  }

  /// Stops a group that is gone; all its rules become orphans.
  package func close() { close(adopted: []) }

  /// The offset of the group's queries and results.
  package var queryOffset: PromDuration { definition.queryOffset ?? environment.queryOffset }

  /// Evaluates all rules at a slot; one rule's failure does not touch the others.
  package func evaluate(at slot: Timestamp) -> [RuleEvaluation] {
    let started = environment.stopwatch()
    var results: [RuleEvaluation] = []
    results.reserveCapacity(rules.count)
    for (index, rule) in rules.enumerated() {
      results.append(
        rule.evaluate(at: slot, index: index, group: definition, offset: queryOffset))
    }
    lastEvaluation = slot
    lastDuration = environment.stopwatch() - started
    return results
  }

  /// Whether a group as written is the one at work, so that it may run on untouched.
  package func isSame(as other: RuleGroupDefinition) -> Bool {
    definition.isSame(as: other)
  }

  /// What the API shows.
  package var report: RuleGroupReport {
    RuleGroupReport(
      name: definition.name, file: definition.file, interval: definition.interval,
      queryOffset: queryOffset, limit: definition.limit, labels: definition.labels,
      lastEvaluation: lastEvaluation, evaluationTime: lastDuration,
      rules: rules.map { $0.report(group: definition) })
  }
}
