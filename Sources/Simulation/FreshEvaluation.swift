import Engine
import Kernel
import Model
import PromQL
import Rules

/// A standing plan's result against that of a plan compiled on the spot.
enum FreshEvaluation {
  /// What differs; nil if nothing does.
  static func difference(
    _ expr: Expr, at time: Timestamp, _ result: Result<RuleInspector.Elements, RuleProblem>,
    in kernel: Kernel
  ) -> String? {
    let fresh: [LabelSet: [UInt64]]
    do {
      fresh = try elements(expr, at: time, in: kernel)
    } catch {
      guard case .failure(let problem) = result else {
        return "fails with \(error.message) when compiled on the spot"
      }
      // Which of several offending series a text names depends on the order of their birth.
      let isSame = ByteOrder.equal(kind(of: problem.description), kind(of: error.message))
      return isSame ? nil : "fails with \(problem), freshly with \(error.message)"
    }
    guard case .success(let elements) = result else {
      return "fails, and works when compiled on the spot"
    }
    let standing = table(elements)
    if standing == fresh { return nil }
    let labels = Set(standing.keys).union(fresh.keys).sorted()
      .first { standing[$0] != fresh[$0] }
    guard let labels else { return "differs" }
    return "\(labels) is \(text(standing[labels])), freshly \(text(fresh[labels]))"
  }

  /// An error's text without the series it names.
  private static func kind(of text: String) -> String {
    String(text.prefix { $0 != "{" && $0 != "[" })
  }

  private static func elements(
    _ expr: Expr, at time: Timestamp, in kernel: Kernel
  ) throws(QueryProblem) -> [LabelSet: [UInt64]] {
    var settings = EngineSettings()
    settings.lookback = kernel.settings.global.lookback
    settings.maxSamples = kernel.settings.global.maxSamples
    let plan = try Plan(expr, store: kernel.store, settings: settings, standing: false)
    defer { plan.close() }
    switch try plan.instant(at: time).value {
    case .scalar(_, let value): return [.empty: [value.bitPattern]]
    case .vector(let samples): return table(samples.map { ($0.labels, $0.value) })
    case .string, .matrix: return [:]
    }
  }

  /// Bits by label set; several elements may share one before a rule's labels are added.
  private static func table(_ elements: RuleInspector.Elements) -> [LabelSet: [UInt64]] {
    var out: [LabelSet: [UInt64]] = [:]
    for (labels, value) in elements {
      if case .float(let number) = value { out[labels, default: []].append(number.bitPattern) }
    }
    return out
  }

  private static func text(_ bits: [UInt64]?) -> String {
    guard let bits else { return "absent" }
    return bits.map { "\(Double(bitPattern: $0)) (\(String($0, radix: 16)))" }.joined(
      separator: ", ")
  }
}
