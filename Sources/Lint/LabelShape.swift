import Diagnostics
import Model
import PromQL

/// What can be said of the labels of an expression's series without looking at data.
///
/// Only what follows from the language itself: which labels an aggregation leaves, what a matcher
/// demands, what a vector match makes equal. `conflict` is exact: where it finds one, no data can
/// make the two sides match.
struct LabelShape {
  /// Which labels the series may carry.
  enum Reach {
    /// Any, but not these; with the part of the expression that takes each away.
    case any(except: [String: SourceRange])
    /// These at most; with the part that takes all others away.
    case only(Set<String>, by: SourceRange)
  }

  var reach: Reach
  /// Conditions the values of a label are known to meet; an absent label is the empty text.
  var conditions: [String: [Matcher]] = [:]
  /// Labels the author counts on: named in `by (…)`, or given to every scraped series.
  var expected: Set<String> = []

  static let anything = LabelShape(reach: .any(except: [:]))

  static func nothing(by range: SourceRange) -> LabelShape {
    LabelShape(reach: .only([], by: range))
  }

  /// Whether a series may carry the label.
  func mayHave(_ label: String) -> Bool {
    switch reach {
    case .any(let except): except[label] == nil
    case .only(let names, _): names.contains(label)
    }
  }

  /// Whether there is no label but the metric's name that is known to be missing.
  var mayHaveAny: Bool {
    guard case .any(let except) = reach else { return false }
    return except.keys.allSatisfy { $0 == LabelName.metricName }
  }

  /// The part of the expression that takes a label away.
  func thief(of label: String) -> SourceRange? {
    switch reach {
    case .any(let except): except[label]
    case .only(let names, let range): names.contains(label) ? nil : range
    }
  }

  /// Whether every series is known to carry the label.
  func mustHave(_ label: String) -> Bool {
    conditions[label]?.contains { !$0.matchesEmpty } ?? false
  }

  /// Labels with something known about them.
  var named: Set<String> { expected.union(conditions.keys) }

  /// Whether no value of a label suits both sides, the absent label included.
  func conflict(with other: LabelShape, on label: String) -> Bool {
    let mine = conditions[label] ?? []
    let theirs = other.conditions[label] ?? []
    if !mayHave(label) { return !theirs.allSatisfy(\.matchesEmpty) }
    if !other.mayHave(label) { return !mine.allSatisfy(\.matchesEmpty) }
    let all = mine + theirs
    guard let candidates = all.lazy.compactMap(\.literalValues).first else { return false }
    return !candidates.contains { value in all.allSatisfy { $0.matches(value) } }
  }
}

extension LabelShape {
  /// The labels of two sides that have to be equal, in a stable order.
  func matched(with other: LabelShape, _ matching: VectorMatching) -> [String] {
    let labels =
      matching.isOn
      ? Set(matching.labels)
      : named.union(other.named).subtracting(matching.labels)
        .subtracting([LabelName.metricName])
    return labels.sorted(by: ByteOrder.less)
  }

  /// Whether two sides can never match.
  func conflicts(with other: LabelShape, _ matching: VectorMatching) -> Bool {
    matched(with: other, matching).contains { conflict(with: other, on: $0) }
  }
}

/// Transformations.
extension LabelShape {
  func dropping(_ names: [String], by range: SourceRange) -> LabelShape {
    var out = self
    switch reach {
    case .any(var except):
      for name in names where except[name] == nil { except[name] = range }
      out.reach = .any(except: except)
    case .only(let kept, let by): out.reach = .only(kept.subtracting(names), by: by)
    }
    for name in names { out.conditions[name] = nil }
    out.expected.subtract(names)
    return out
  }

  func keeping(_ names: [String], by range: SourceRange) -> LabelShape {
    var out = self
    let kept = Set(names.filter(mayHave))
    if case .only(let all, let by) = reach, all.isSubset(of: kept) {
      out.reach = .only(all, by: by)
    } else {
      out.reach = .only(kept, by: range)
    }
    out.conditions = conditions.filter { kept.contains($0.key) }
    out.expected = expected.intersection(kept)
    return out
  }

  /// With a label that is written anew.
  func adding(_ name: String) -> LabelShape {
    var out = self
    switch reach {
    case .any(var except):
      except[name] = nil
      out.reach = .any(except: except)
    case .only(let kept, let by): out.reach = .only(kept.union([name]), by: by)
    }
    out.conditions[name] = nil
    out.expected.insert(name)
    return out
  }

  var withoutName: LabelShape {
    var out = self
    if case .any(var except) = reach {
      except[LabelName.metricName] = except[LabelName.metricName] ?? .zero
      out.reach = .any(except: except)
    } else if case .only(var names, let by) = reach {
      names.remove(LabelName.metricName)
      out.reach = .only(names, by: by)
    }
    out.conditions[LabelName.metricName] = nil
    out.expected.remove(LabelName.metricName)
    return out
  }

  /// The labels of series that are in either.
  func union(_ other: LabelShape) -> LabelShape {
    var out = self
    switch (reach, other.reach) {
    case (.any(let a), .any(let b)): out.reach = .any(except: a.filter { b[$0.key] != nil })
    case (.any(let except), .only(let names, _)), (.only(let names, _), .any(let except)):
      out.reach = .any(except: except.filter { !names.contains($0.key) })
    case (.only(let a, let by), .only(let b, _)): out.reach = .only(a.union(b), by: by)
    }
    out.conditions = conditions.filter { other.conditions[$0.key] == $0.value }
    out.expected = expected.intersection(other.expected)
    return out
  }

  /// With what equality to the other side on a label adds: both have the same value or none.
  mutating func equate(_ label: String, with other: LabelShape) {
    if let range = other.thief(of: label), mayHave(label) {
      self = dropping([label], by: range)
      return
    }
    for condition in other.conditions[label] ?? []
    where conditions[label]?.contains(condition) != true {
      conditions[label, default: []].append(condition)
    }
    if other.expected.contains(label), mayHave(label) { expected.insert(label) }
  }
}
