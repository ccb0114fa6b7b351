import Model

/// The rules before a place in an order of rules, by the metrics they write.
struct RuleWriters {
  private var rules: [(place: Int, families: [RuleReach.Family])] = []
  private var byName: [[UInt8]: [Int]] = [:]

  /// Adds the next rule.
  mutating func add(_ rule: RuleReach, at place: Int) {
    for family in rule.writes {
      byName[Array(family.name.utf8), default: []].append(rules.count)
    }
    rules.append((place, rule.writes))
  }

  /// The place of the last rule that could write series that fulfil conditions.
  func last(for matchers: [Matcher]) -> Int? {
    var last: Int?
    for numbers in candidates(matchers) {
      let found = numbers.last { number in
        rules[number].families.contains { $0.couldFulfil(matchers) }
      }
      if let found { last = max(last ?? 0, found) }
    }
    return last.map { rules[$0].place }
  }

  /// The numbers of those who write a metric that the conditions name, or of all where they name
  /// none.
  private func candidates(_ matchers: [Matcher]) -> [[Int]] {
    for matcher in matchers where ByteOrder.equal(matcher.name, LabelName.metricName) {
      guard let names = matcher.literalValues, !names.isEmpty else { continue }
      return names.compactMap { byName[Array($0.utf8)] }
    }
    // In any order: only the last of all counts.
    return Array(byName.values)
  }
}
