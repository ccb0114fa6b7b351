import Config
import Engine
import Model
import PromQL
import Rules
import Storage
import YAML

/// Watches evaluations and notes what of the rules they bring to work.
final class CoverageRecorder {
  /// An `and`, `or` or `unless`, computed at the time of its rule.
  private struct Branch {
    var op: BinaryOperator
    var whole: Expr
    var left: Expr
    /// The first of its two points.
    var point: Int
  }

  private struct Subject {
    var rule: RuleCoverage.Rule
    var index: Int
    var branches: [Branch]
  }

  private var subjects: [Subject] = []
  /// By the key of the group, then the place in it.
  private var places: [String: [Int]] = [:]

  init(_ files: [RuleFile]) {
    for file in files {
      for group in file.groups where places[group.key] == nil {
        var list: [Int] = []
        for (index, rule) in group.rules.enumerated() {
          let place = file.places.first {
            ByteOrder.equal($0.group, group.name) && $0.index == index
          }
          list.append(subjects.count)
          subjects.append(Self.subject(rule, index, in: group, node: place?.node))
        }
        places[group.key] = list
      }
    }
  }

  /// What has been reached so far.
  var coverage: RuleCoverage {
    var out = RuleCoverage()
    for subject in subjects { out.add(subject.rule, index: subject.index) }
    return out
  }

  // MARK: points

  private static func subject(
    _ rule: RuleDefinition, _ index: Int, in group: RuleGroupDefinition, node: YAMLNode?
  ) -> Subject {
    let line = node.map { Self.line(of: $0) } ?? 0
    var points: [RuleCoverage.Point] = []
    switch rule {
    case .alert: points.append(.init(kind: .rule, lack: "never fires", line: line))
    case .recording:
      points.append(.init(kind: .rule, lack: "never has a result", line: line))
    }
    var branches: [Branch] = []
    rule.expr.walk { expr, path in
      guard case .binary(let binary) = expr, binary.op.isSet, !isInSubquery(path) else { return }
      let (at, line) = place(binary.opRange.start, of: rule, line)
      branches.append(
        Branch(op: binary.op, whole: expr, left: binary.lhs, point: points.count))
      for lack in lacks(of: binary.op) {
        points.append(
          .init(kind: .branch, lack: "(`\(binary.op.rawValue)` at \(at)): \(lack)", line: line))
      }
    }
    if case .alert(let alert) = rule {
      for field in alert.labels {
        let line = node.flatMap { Self.line(of: field.name, in: "labels", of: $0) } ?? line
        points.append(
          .init(kind: .label, lack: "never expands its label \(field.name)", line: line))
      }
      for field in alert.annotations {
        let line = node.flatMap { Self.line(of: field.name, in: "annotations", of: $0) } ?? line
        points.append(
          .init(
            kind: .annotation, lack: "never expands its annotation \(field.name)", line: line))
      }
    }
    let covered = RuleCoverage.Rule(
      file: clean(group.file), group: group.name, name: rule.name, line: line, points: points)
    return Subject(rule: covered, index: index, branches: branches)
  }

  /// The path without the detours through other folders, so that all tests name a file alike.
  static func clean(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else {
        parts.append(part)
      }
    }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  private static func lacks(of op: BinaryOperator) -> [String] {
    op == .or
      ? ["the left side never has a result", "the right side never adds a result"]
      : ["it never lets anything through", "it never holds anything back"]
  }

  /// Computed at other times than the rule.
  private static func isInSubquery(_ path: [Expr]) -> Bool {
    path.contains { if case .subquery = $0 { true } else { false } }
  }

  /// `line:column` in the file, and the line.
  private static func place(
    _ offset: Int, of rule: RuleDefinition, _ fallback: Int
  ) -> (text: String, line: Int) {
    let parts = rule.place?.locate(offset).split(separator: ":").suffix(2) ?? []
    guard parts.count == 2, let first = parts.first, let line = Int(first) else {
      return ("\(fallback)", fallback)
    }
    return (parts.joined(separator: ":"), line)
  }

  private static func line(of node: YAMLNode) -> Int {
    node.content.source.position(at: node.content.range.start).line
  }

  private static func line(of name: String, in block: String, of rule: YAMLNode) -> Int? {
    entry(block, of: rule).flatMap { entry(name, of: $0.value) }.map { line(of: $0.key) }
  }

  private static func entry(_ name: String, of node: YAMLNode) -> YAMLEntry? {
    guard case .mapping(let entries) = node.content.kind else { return nil }
    return entries.first { $0.key.text.map { ByteOrder.equal($0, name) } ?? false }
  }

  // MARK: watching

  /// An inspector for a world.
  func inspector(_ store: Store, _ engine: EngineSettings) -> RuleInspector {
    RuleInspector(
      sawResult: { _, _, _ in },
      sawEvaluation: { sighting in self.note(sighting, store, engine) })
  }

  private func note(_ sighting: RuleSighting, _ store: Store, _ engine: EngineSettings) {
    let evaluation = sighting.evaluation
    guard let list = places[sighting.group.key], list.indices.contains(evaluation.index),
      evaluation.problem == nil
    else { return }
    let place = list[evaluation.index]
    let isAlert = evaluation.observed != nil
    let hasResult = isAlert ? evaluation.observed?.isEmpty == false : evaluation.samples > 0
    let fires = evaluation.transitions.contains { $0.to == .firing }
    for i in subjects[place].rule.points.indices {
      switch subjects[place].rule.points[i].kind {
      case .rule:
        if isAlert ? fires : hasResult { subjects[place].rule.points[i].hits += 1 }
      case .label, .annotation: if hasResult { subjects[place].rule.points[i].hits += 1 }
      case .branch: break
      }
    }
    let time = sighting.slot - sighting.offset
    for branch in subjects[place].branches { note(branch, of: place, at: time, store, engine) }
  }

  private func note(
    _ branch: Branch, of place: Int, at time: Timestamp, _ store: Store, _ engine: EngineSettings
  ) {
    // Each is computed until both of its sides have been seen.
    let points = subjects[place].rule.points
    if points[branch.point].hits > 0 && points[branch.point + 1].hits > 0 { return }
    guard let whole = count(branch.whole, at: time, store, engine),
      let left = count(branch.left, at: time, store, engine)
    else { return }
    let first = branch.op == .or ? left > 0 : whole > 0
    let second = branch.op == .or ? whole > left : whole < left
    if first { subjects[place].rule.points[branch.point].hits += 1 }
    if second { subjects[place].rule.points[branch.point + 1].hits += 1 }
  }

  private func count(
    _ expr: Expr, at time: Timestamp, _ store: Store, _ engine: EngineSettings
  ) -> Int? {
    guard let plan = try? Plan(expr, store: store, settings: engine, standing: false) else {
      return nil
    }
    defer { plan.close() }
    guard case .vector(let samples)? = try? plan.instant(at: time).value else { return nil }
    return samples.count
  }
}
