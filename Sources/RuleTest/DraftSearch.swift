import Model
import PromQL
import Rules

/// Makes up series for selectors.
enum DraftSeries {
  /// How the values of a series go on.
  enum Course: Hashable {
    case none
    case constant(Double)
    /// From zero, by so much a step.
    case growing(Double)

    func values(_ length: Int) -> [SequenceValue] {
      switch self {
      case .none: []
      case .constant(let v): Array(repeating: .float(v), count: length)
      case .growing(let v): (0..<length).map { .float(v * Double($0)) }
      }
    }
  }

  /// Series as their names suggest: counters grow.
  static func plain(
    for selectors: [VectorSelector], length: Int, common: [String]
  ) -> [UnitTestFile.InputSeries] {
    var out: [UnitTestFile.InputSeries] = []
    for selector in selectors {
      let isCounter = ["_total", "_count", "_sum", "_bucket"].contains {
        selector.name?.hasSuffix($0) ?? false
      }
      let course = isCounter ? Course.growing(60) : .constant(1)
      for one in series(selector, course, length: length, common: common)
      where !out.contains(where: { $0.labels == one.labels }) {
        out.append(one)
      }
    }
    return out
  }

  /// A series a selector selects, or the buckets of a histogram.
  ///
  /// - Parameter common: labels that all series get, so that they go together.
  static func series(
    _ selector: VectorSelector, _ course: Course, length: Int, common: [String]
  ) -> [UnitTestFile.InputSeries] {
    if course == .none { return [] }
    guard var labels = labels(of: selector) else { return [] }
    for name in common where !selector.matchers.contains(where: { $0.name == name }) {
      labels = labels.setting(name, to: "\(name)-1")
    }
    let isBucket = selector.name?.hasSuffix("_bucket") ?? false
    if isBucket, labels[LabelName.bucketBound] == nil {
      let growth = if case .growing(let v) = course { v } else { 60.0 }
      return [("0.1", 0.1), ("1", 0.2), ("10", 1), ("+Inf", 1)].map { bound, share in
        UnitTestFile.InputSeries(
          labels: labels.setting(LabelName.bucketBound, to: bound),
          values: Course.growing(growth * share).values(length))
      }
    }
    return [UnitTestFile.InputSeries(labels: labels, values: course.values(length))]
  }

  /// Labels that satisfy all matchers of a selector; nil if none are found.
  static func labels(of selector: VectorSelector) -> LabelSet? {
    var pairs: [(String, String)] = []
    for matcher in selector.matchers where !pairs.contains(where: { $0.0 == matcher.name }) {
      let same = selector.matchers.filter { ByteOrder.equal($0.name, matcher.name) }
      guard
        let value = candidates(for: matcher).first(where: { value in
          same.allSatisfy { $0.matches(value) }
        })
      else { return nil }
      if !value.isEmpty { pairs.append((matcher.name, value)) }
    }
    return LabelSet(pairs)
  }

  private static func candidates(for matcher: Matcher) -> [String] {
    if matcher.kind == .equal { return [matcher.value] }
    if matcher.kind == .notEqual || matcher.kind == .notRegexp { return ["", "a", "1", "other"] }
    if let literals = matcher.literalValues { return literals }
    var out: [String] = []
    for part in matcher.value.split(separator: "|", omittingEmptySubsequences: false) {
      var text = part.filter { !"^$()?\\".contains($0) }
      for (pattern, stand) in [(".*", ""), (".+", "x"), ("[0-9]+", "1"), ("[a-z]+", "a")] {
        text = replace(pattern, by: stand, in: text)
      }
      // `5..` is a status code, `a.b` is a name with a dot.
      if text.allSatisfy({ $0 == "." || $0.isNumber }) {
        out.append(text.replacing(".", with: "0"))
      }
      out.append(text)
      out.append(text.replacing(".", with: "0"))
      out.append(text.replacing(".", with: "a"))
    }
    return out + ["a", "1", "x", "0", "500", "/", ""]
  }

  private static func replace(_ pattern: String, by text: String, in whole: String) -> String {
    whole.replacing(pattern, with: text)
  }
}

/// Looks for series that let an alert fire.
struct DraftSearch {
  private let rule: AlertRule
  private let sources: DraftSources
  private let groups: [RuleGroupDefinition]
  private let leaves: [VectorSelector]
  /// Labels the rule speaks of.
  private let common: [String]
  /// Values per series.
  private let length: Int
  /// Evaluations that may be spent on looking for one alert; a few attempts are free.
  private static let budget = 3_000
  private static let freeAttempts = 6
  private static let longest = 1_500

  init(rule: AlertRule, _ groups: [RuleGroupDefinition], _ sources: DraftSources) {
    self.rule = rule
    self.sources = sources
    leaves = sources.leaves(of: rule.expr)
    common = sources.labels(of: .alert(rule))
    let needed = sources.records(of: rule.expr)
    // Only what the alert hangs on has to be evaluated to see whether it fires.
    self.groups = groups.map { group in
      var group = group
      group.rules = group.rules.filter { one in
        switch one {
        case .alert(let alert):
          ByteOrder.equal(alert.name, rule.name) && alert.line == rule.line
        case .recording(let record): needed.contains { ByteOrder.equal($0, record.name) }
        }
      }
      return group
    }
    let window = sources.chain(of: rule.expr).map(Self.reach).reduce(PromDuration.zero, +)
    let minutes = (window + rule.holdDuration).milliseconds / 60_000 + 6
    length = Int(min(minutes, Int64(Self.longest)))
  }

  /// How far back an expression looks, windows inside windows added up.
  private static func reach(_ expr: Expr) -> PromDuration {
    let inner = expr.children.map(reach).max() ?? .zero
    switch expr {
    case .matrix(let matrix): return inner + max(.zero, matrix.window.constant)
    case .subquery(let query):
      return inner + max(.zero, query.window.constant + query.offset.constant)
    case .selector(let selector): return max(.zero, selector.offset.constant)
    default: return inner
    }
  }

  /// A test in which the alert fires, or the plainest one.
  func best() -> UnitTestFile.TestGroup {
    var spent = 0
    var seen: Set<[DraftSeries.Course]> = []
    for courses in assignments where seen.insert(courses).inserted {
      spent += length
      if spent > Self.budget && seen.count > Self.freeAttempts { break }
      let test = test(courses)
      let (world, problems) = UnitTestRunner.world(test, groups, step: UnitTestDraft.step)
      let fires = world.alerts(named: rule.name).contains { $0.state == .firing }
      if problems.isEmpty && fires { return test }
    }
    var plain = UnitTestFile.TestGroup()
    plain.series = DraftSeries.plain(for: leaves, length: length, common: common)
    return plain
  }

  private func test(_ courses: [DraftSeries.Course]) -> UnitTestFile.TestGroup {
    var test = UnitTestFile.TestGroup()
    for (selector, course) in zip(leaves, courses) {
      for one in DraftSeries.series(selector, course, length: length, common: common)
      where !test.series.contains(where: { $0.labels == one.labels }) {
        test.series.append(one)
      }
    }
    let end = UnitTestDraft.step * Int64(length - 1)
    test.alertTests = [
      .init(
        time: end, alertName: rule.name, expected: [],
        place: .init(line: 0, column: 0))
    ]
    return test
  }

  /// What the selectors' series do: all the same, then two kinds, then some of them absent.
  private var assignments: [[DraftSeries.Course]] {
    let courses = self.courses
    var out = courses.map { course in leaves.map { _ in course } }
    if leaves.count > 1 {
      for odd in leaves.indices {
        for a in courses {
          for b in courses where a != b {
            out.append(leaves.indices.map { $0 == odd ? a : b })
          }
        }
        out.append(leaves.indices.map { $0 == odd ? .none : .constant(1) })
      }
    }
    out.append(leaves.map { _ in .none })
    return out
  }

  /// Values around the numbers of the expression, and growth across them.
  private var courses: [DraftSeries.Course] {
    var numbers: [Double] = []
    for expr in sources.chain(of: rule.expr) {
      expr.walk { node, _ in
        guard case .number(let literal) = node, !numbers.contains(literal.value) else { return }
        numbers.append(literal.value)
      }
    }
    var out: [DraftSeries.Course] = [.constant(1), .constant(0)]
    for n in numbers.prefix(6) where n.isFinite {
      out += [.constant(n + 1), .constant(n), .constant(n - 1), .growing((n + 1) * 60)]
    }
    out += [.growing(60), .growing(6), .constant(1e9), .constant(-1e9), .growing(-60)]
    var seen: Set<DraftSeries.Course> = []
    return out.filter { seen.insert($0).inserted }
  }
}
