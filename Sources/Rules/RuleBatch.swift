import Model

/// Evaluates the groups that are due together, what is independent side by side.
///
/// Effects, results and their order are those of evaluating one rule after the other.
package final class RuleBatch {
  /// A group with the slot it is due for.
  package typealias Due = (group: RuleGroupRunner, slot: Timestamp)

  /// How many combinations of groups are remembered.
  private static let capacity = 256

  /// Who computes rules side by side; nil evaluates one rule after the other.
  package var work: (any ParallelWork)?
  /// Seconds that the rules of a wave took the last time from which the help of others is worth
  /// asking for.
  package var worthwhile = 0.000_2
  private var known: [[ObjectIdentifier]: RuleWaves] = [:]

  package init() {}

  /// Groups have changed: what they read and write is found out anew.
  package func forget() { known.removeAll() }

  /// Evaluates the groups, in this order.
  package func evaluate(_ due: [Due]) -> [[RuleEvaluation]] {
    guard let work, due.reduce(0, { $0 + $1.group.rules.count }) > 1 else {
      return due.map { $0.group.evaluate(at: $0.slot) }
    }
    var rules: [(due: Int, index: Int)] = []
    for (i, one) in due.enumerated() {
      for index in one.group.rules.indices { rules.append((i, index)) }
    }
    for one in due { one.group.begin() }
    var results: [[RuleEvaluation]] = Array(repeating: [], count: due.count)
    for wave in waves(of: due).waves {
      compute(wave.members.map { rules[$0] }, due, work)
      for place in wave.commits {
        let (i, index) = rules[place]
        results[i].append(due[i].group.commit(index, at: due[i].slot))
      }
    }
    for (one, evaluations) in zip(due, results) {
      one.group.finish(at: one.slot, duration: evaluations.reduce(0) { $0 + $1.duration })
    }
    return results
  }

  private func compute(
    _ rules: [(due: Int, index: Int)], _ due: [Due], _ work: any ParallelWork
  ) {
    let body = { (i: Int) in
      let one = due[rules[i].due]
      one.group.compute(rules[i].index, at: one.slot)
    }
    let expected = rules.reduce(0) { $0 + due[$1.due].group.rules[$1.index].computing }
    if rules.count > 1 && expected >= worthwhile {
      work.run(rules.count, body)
    } else {
      for i in rules.indices { body(i) }
    }
  }

  private func waves(of due: [Due]) -> RuleWaves {
    let key = due.map { ObjectIdentifier($0.group) }
    if let waves = known[key] { return waves }
    let waves = RuleWaves(due.flatMap { $0.group.rules.map { RuleReach($0.definition) } })
    if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
    known[key] = waves
    return waves
  }
}
