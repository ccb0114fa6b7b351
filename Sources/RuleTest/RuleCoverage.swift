import Model

/// Which parts of rules tests have brought to work.
package struct RuleCoverage: Sendable {
  /// Something a test can bring about.
  package struct Point: Sendable {
    package enum Kind: Hashable, Sendable { case rule, branch, label, annotation }

    package var kind: Kind
    /// What is missing while nothing brings it about: `never fires`.
    package var lack: String
    package var line: Int
    package var hits = 0
  }

  /// A rule with its points; the first is the rule itself.
  package struct Rule: Sendable {
    package var file: String
    package var group: String
    package var name: String
    package var line: Int
    package var points: [Point]
  }

  /// By file, then as they stand there.
  package private(set) var rules: [Rule] = []
  private var places: [String: Int] = [:]

  package init() {}

  mutating func add(_ rule: Rule, index: Int) {
    let key = "\(rule.file);\(rule.group);\(index)"
    guard let place = places[key], rules[place].points.count == rule.points.count else {
      if places[key] != nil { return }
      places[key] = rules.count
      rules.append(rule)
      keys.append((rule.file, index, key))
      return
    }
    for i in rule.points.indices { rules[place].points[i].hits += rule.points[i].hits }
  }

  private var keys: [(file: String, index: Int, key: String)] = []

  /// Adds what other tests have brought to work; the same rules may be among them.
  package mutating func merge(_ other: RuleCoverage) {
    for (rule, key) in zip(other.rules, other.keys) { add(rule, index: key.index) }
  }

  /// Points that were reached, and all.
  package var count: (covered: Int, total: Int) { Self.count(rules[...]) }

  /// In percent; 100 where there is nothing to cover.
  package var percent: Double {
    let (covered, total) = count
    return total == 0 ? 100 : 100 * Double(covered) / Double(total)
  }

  private static func count(_ rules: ArraySlice<Rule>) -> (covered: Int, total: Int) {
    let points = rules.flatMap(\.points)
    return (points.count { $0.hits > 0 }, points.count)
  }

  private var files: [(name: String, rules: [Rule])] {
    var out: [(name: String, rules: [Rule])] = []
    for rule in rules {
      if let i = out.firstIndex(where: { ByteOrder.equal($0.name, rule.file) }) {
        out[i].rules.append(rule)
      } else {
        out.append((rule.file, [rule]))
      }
    }
    return out.sorted { ByteOrder.less($0.name, $1.name) }
  }

  // MARK: texts

  /// What is not covered, and how much is.
  package var text: String {
    var out = ""
    for file in files {
      for rule in file.rules {
        for point in rule.points where point.hits == 0 {
          out += "  \(file.name):\(point.line): \(rule.name) \(point.lack)\n"
        }
      }
    }
    for file in files {
      let (covered, total) = Self.count(file.rules[...])
      out += "  \(file.name): \(covered) of \(total) (\(Self.share(covered, total)))\n"
    }
    let (covered, total) = count
    return "Coverage: \(covered) of \(total) (\(Self.share(covered, total)))\n" + out
  }

  private static func share(_ covered: Int, _ total: Int) -> String {
    let tenths = total == 0 ? 1000 : (2000 * covered + total) / (2 * total)
    // All is all: what is missing does not vanish in rounding.
    let shown = covered < total ? min(tenths, 999) : tenths
    return "\(shown / 10).\(shown % 10) %"
  }

  /// The tracefile of `lcov`: rules as functions, the sides of operators as branches.
  package var lcov: String {
    var out = ""
    for file in files {
      out += "TN:\nSF:\(file.name)\n"
      for rule in file.rules { out += "FN:\(rule.line),\(rule.name)\n" }
      for rule in file.rules {
        out += "FNDA:\(rule.points.first?.hits ?? 0),\(rule.name)\n"
      }
      let reached = file.rules.count { ($0.points.first?.hits ?? 0) > 0 }
      out += "FNF:\(file.rules.count)\nFNH:\(reached)\n"
      out += Self.branches(file.rules) + Self.lines(file.rules) + "end_of_record\n"
    }
    return out
  }

  private static func branches(_ rules: [Rule]) -> String {
    var out = ""
    var (found, taken) = (0, 0)
    for rule in rules {
      let branches = rule.points.filter { $0.kind == .branch }
      for (i, point) in branches.enumerated() {
        out += "BRDA:\(point.line),\(i / 2),\(i % 2),\(point.hits)\n"
        found += 1
        if point.hits > 0 { taken += 1 }
      }
    }
    return out + "BRF:\(found)\nBRH:\(taken)\n"
  }

  private static func lines(_ rules: [Rule]) -> String {
    var hits: [Int: Int] = [:]
    for point in rules.flatMap(\.points) where point.kind != .branch {
      hits[point.line] = max(hits[point.line] ?? 0, point.hits)
    }
    let sorted = hits.sorted { $0.key < $1.key }
    return sorted.map { "DA:\($0.key),\($0.value)\n" }.joined()
      + "LF:\(sorted.count)\nLH:\(sorted.count { $0.value > 0 })\n"
  }
}
