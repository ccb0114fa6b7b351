import Model
import Storage

/// A recording rule at work: its plan and the columns its results go to.
final class RecordingRuleRunner {
  /// What the result element of one slot of the plan becomes.
  private struct Target {
    var input: LabelSet
    var labels: LabelSet
    var column: Column?
  }

  let rule: RecordingRule
  let query: RuleQuery
  private var targets: [Target?] = []

  init(_ rule: RecordingRule, environment: RuleEnvironment) throws(RuleProblem) {
    self.rule = rule
    query = try RuleQuery(rule.expr, place: rule.place, environment: environment)
  }

  /// Computes the results at a time; see `RuleQuery`.
  func compute(at time: Timestamp) { query.compute(at: time) }
  var cost: RuleCost { query.cost }

  /// Writes the results computed for `time` there.
  func commit(
    at time: Timestamp, limit: Int, output: RuleOutput, into result: inout RuleEvaluation
  ) throws(RuleProblem) {
    var found = 0
    var isUnique = true
    output.begin(at: time)
    do throws(RuleProblem) {
      try query.take(warnings: &result.warnings) { place, labels, value in
        found += 1
        isUnique = put(place, labels, value, to: output) && isUnique
      }
      if !isUnique { throw .duplicateRecordLabels }
      if limit > 0 && found > limit { throw .seriesLimit(limit, found: found) }
    } catch {
      output.abandon()
      throw error
    }
    result.samples = output.written
    if let problem = output.commit() { result.appendProblem = problem }
  }

  /// Writes one element; false if another one has become the same series.
  private func put(
    _ place: Int, _ labels: LabelSet, _ value: SampleValue, to output: RuleOutput
  ) -> Bool {
    while targets.count <= place { targets.append(nil) }
    var target = targets[place] ?? Target(input: labels, labels: outputLabels(labels))
    if target.input != labels { target = Target(input: labels, labels: outputLabels(labels)) }
    let isFirst = output.put(value, labels: target.labels, column: &target.column)
    targets[place] = target
    return isFirst
  }

  private func outputLabels(_ input: LabelSet) -> LabelSet {
    LabelSet(
      labels: input.labels + [Label(name: LabelName.metricName, value: rule.name)]
        + rule.labels.labels)
  }

  func close() { query.close() }
}
