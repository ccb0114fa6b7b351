import Model

/// Rules in their order, cut into waves: the rules of one wave may be computed in any order, or
/// side by side, once those before it are committed.
///
/// A rule waits for the rules before it whose series it could select, and for no others. Results
/// are committed strictly in order, so that nothing shows whether rules were computed together.
struct RuleWaves {
  struct Wave: Equatable {
    /// The rules to compute, by their places.
    var members: [Int]
    /// The rules whose results can be committed then.
    var commits: Range<Int>
  }

  private(set) var waves: [Wave] = []

  init(_ rules: [RuleReach]) {
    let waits = Self.waits(rules)
    let order = rules.indices.sorted { (waits[$0], $0) < (waits[$1], $1) }
    var next = 0
    var committed = 0
    var isComputed = [Bool](repeating: false, count: rules.count)
    while committed < rules.count {
      let first = next
      while next < order.count, waits[order[next]] <= committed {
        isComputed[order[next]] = true
        next += 1
      }
      let start = committed
      // The next in line waits at most for those before it: every wave commits something.
      while committed < rules.count, isComputed[committed] { committed += 1 }
      waves.append(Wave(members: order[first..<next].sorted(), commits: start..<committed))
    }
  }

  /// How many rules from the front each rule wants committed before it is computed.
  private static func waits(_ rules: [RuleReach]) -> [Int] {
    var writers = RuleWriters()
    return rules.enumerated().map { place, rule in
      let last = (rule.reads ?? []).compactMap { writers.last(for: $0) }.max() ?? -1
      writers.add(rule, at: place)
      return rule.reads == nil ? place : last + 1
    }
  }
}
