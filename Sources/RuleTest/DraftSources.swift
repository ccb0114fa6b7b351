import JSON
import Model
import PromQL
import Rules

/// Which series rules read in the end: those no rule writes.
struct DraftSources {
  /// What a rule reads, directly or through other rules.
  private struct Reads {
    var names: Set<String>
    /// Whether a selector without a name, or of alerts, may select anything.
    var isOpen: Bool
  }

  private let groups: [RuleGroupDefinition]
  private var recorded: [String: [RecordingRule]] = [:]
  /// By group and rule, in the order of `groups`.
  private var reads: [[Reads]] = []

  init(_ groups: [RuleGroupDefinition]) {
    self.groups = groups
    for case .recording(let record) in groups.flatMap(\.rules) {
      recorded[record.name, default: []].append(record)
    }
    reads = groups.map { $0.rules.map { Self.reads(chain(of: $0.expr)) } }
  }

  private static func reads(_ chain: [Expr]) -> Reads {
    var reads = Reads(names: [], isOpen: false)
    for selector in chain.flatMap(\.selectors) {
      if let name = selector.name, !name.hasPrefix("ALERTS") {
        reads.names.insert(name)
      } else {
        reads.isOpen = true
      }
    }
    return reads
  }

  /// The rules that some series can matter to, and those an alert hangs on; the others see no data
  /// and so have nothing to say.
  func concerned(
    by series: [UnitTestFile.InputSeries], _ alert: AlertRule
  ) -> [RuleGroupDefinition] {
    let names = Set(series.map { $0.labels[LabelName.metricName] ?? "" })
    let needed = Set(records(of: alert.expr))
    return zip(groups, reads).compactMap { group, reads in
      var group = group
      group.rules = zip(group.rules, reads).filter { rule, reads in
        if reads.isOpen || !reads.names.isDisjoint(with: names) { return true }
        switch rule {
        case .alert(let other): return other.line == alert.line && other.name == alert.name
        case .recording(let record): return needed.contains(record.name)
        }
      }.map(\.0)
      return group.rules.isEmpty ? nil : group
    }
  }

  /// The rules that write a metric.
  private func writers(of name: String) -> [RecordingRule] {
    (recorded[name] ?? []).filter { ByteOrder.equal($0.name, name) }
  }

  /// The expressions a rule's result hangs on: its own, then those of recording rules it reads.
  func chain(of expr: Expr) -> [Expr] {
    var out = [expr]
    var seen: Set<String> = []
    var next = 0
    while next < out.count {
      for selector in out[next].selectors {
        guard let name = selector.name, seen.insert(name).inserted else { continue }
        out += writers(of: name).map(\.expr)
      }
      next += 1
    }
    return out
  }

  /// The labels a rule speaks of: in `by` and `on`, and in the templates of an alert.
  func labels(of rule: RuleDefinition) -> [String] {
    var out: [String] = []
    for expr in chain(of: rule.expr) {
      expr.walk { node, _ in
        switch node {
        case .aggregate(let aggregate) where !aggregate.without: out += aggregate.grouping
        case .binary(let binary) where binary.matching?.isOn == true:
          out += binary.matching?.labels ?? []
        default: break
        }
      }
    }
    if case .alert(let alert) = rule {
      for field in alert.labels + alert.annotations { out += Self.labels(in: field.text) }
    }
    var seen = [LabelName.bucketBound, LabelName.alertName, LabelName.metricName]
    return out.filter { name in
      if seen.contains(name) { return false }
      seen.append(name)
      return true
    }
  }

  /// The names after `$labels.` and `.Labels.`.
  private static func labels(in text: String) -> [String] {
    var out: [String] = []
    for mark in ["$labels.", ".Labels."] {
      for part in text.split(separator: mark).dropFirst(text.hasPrefix(mark) ? 0 : 1) {
        let name = part.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        if LabelName.isLegacyValid(name) { out.append(String(name)) }
      }
    }
    return out
  }

  /// The names of the recording rules a rule's result hangs on.
  func records(of expr: Expr) -> [String] {
    chain(of: expr).flatMap(\.selectors).compactMap(\.name).filter { !writers(of: $0).isEmpty }
  }

  /// The selectors of series from outside, each once, without offsets.
  func leaves(of expr: Expr) -> [VectorSelector] {
    var out: [VectorSelector] = []
    var seen: [String] = []
    for selector in chain(of: expr).flatMap(\.selectors) {
      if let name = selector.name {
        if name == "ALERTS" || name == "ALERTS_FOR_STATE" { continue }
        if !writers(of: name).isEmpty { continue }
      }
      let plain = VectorSelector(name: selector.name, matchers: selector.matchers)
      let text = Expr.selector(plain).description
      if seen.contains(text) { continue }
      seen.append(text)
      out.append(plain)
    }
    return out
  }
}

extension UnitTestDraft {
  /// A series as a server has it.
  package struct LiveSeries: Sendable {
    package var labels: LabelSet
    package var values: [SequenceValue]

    /// The series of the answer to a range query with steps of a minute.
    package static func read(_ data: JSONValue) -> [LiveSeries] {
      var out: [(labels: LabelSet, points: [(time: Int, value: Double)])] = []
      for one in data["result"]?.array ?? [] {
        let labels = LabelSet(
          labels: (one["metric"]?.object ?? []).map {
            Label(name: $0.key, value: $0.value.string ?? "")
          })
        let points = (one["values"]?.array ?? []).compactMap { point -> (Int, Double)? in
          guard let time = point[0]?.double, let value = point[1]?.string.flatMap(Double.init)
          else { return nil }
          return (Int(time), value)
        }
        if !points.isEmpty { out.append((labels, points)) }
      }
      let first = out.compactMap(\.points.first?.time).min() ?? 0
      return out.sorted { $0.labels < $1.labels }.map { series in
        var values: [SequenceValue] = []
        for point in series.points {
          let place = (point.time - first) / 60
          while values.count < place { values.append(.omitted) }
          values.append(.float(point.value))
        }
        return LiveSeries(labels: series.labels, values: values)
      }
    }
  }
}
