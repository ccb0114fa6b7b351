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
    var writers: [[UInt8]: [Int]] = [:]
    return rules.enumerated().map { place, rule in
      let last = lastWriter(for: rule, writers, rules) ?? -1
      for family in rule.writes { writers[Array(family.name.utf8), default: []].append(place) }
      return rule.reads == nil ? place : last + 1
    }
  }

  private static func lastWriter(
    for rule: RuleReach, _ writers: [[UInt8]: [Int]], _ rules: [RuleReach]
  ) -> Int? {
    var last: Int?
    for matchers in rule.reads ?? [] {
      for places in candidates(matchers, writers) {
        let found = places.last { place in
          rules[place].writes.contains { $0.couldFulfil(matchers) }
        }
        if let found { last = max(last ?? 0, found) }
      }
    }
    return last
  }

  /// The places of those who write a metric that a selector names, or of all where it names none.
  private static func candidates(
    _ matchers: [Matcher], _ writers: [[UInt8]: [Int]]
  ) -> [[Int]] {
    for matcher in matchers where ByteOrder.equal(matcher.name, LabelName.metricName) {
      guard let names = matcher.literalValues, !names.isEmpty else { continue }
      return names.compactMap { writers[Array($0.utf8)] }
    }
    // In any order: only the last of all counts.
    return Array(writers.values)
  }
}
