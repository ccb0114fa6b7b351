import Engine
import Model
import PromQL

/// Compares results with what an `eval` command expects; each check answers nil or what differs.
struct ScriptExpectation {
  private typealias Outcome = Result<QueryResult, QueryProblem>

  private let eval: PromQLScript.Eval

  init(_ eval: PromQLScript.Eval) { self.eval = eval }

  /// An instant evaluation at `t`.
  func checkInstant(_ outcome: Result<QueryResult, QueryProblem>, at t: Timestamp) -> String? {
    switch settled(outcome) {
    case .done(let message): return message
    case .compare(let result):
      if let (from, _, step) = eval.rangeVector {
        return matrix(result.value, from: from, step: step)
      }
      return instantValue(result.value)
    }
  }

  /// A range evaluation.
  func checkRange(
    _ outcome: Result<QueryResult, QueryProblem>, from: Timestamp, step: PromDuration
  ) -> String? {
    switch settled(outcome) {
    case .done(let message): return message
    case .compare(let result): return matrix(result.value, from: from, step: step)
    }
  }

  /// The middle step of a range query against an instant expectation.
  func checkMiddle(_ outcome: Result<QueryResult, QueryProblem>, at t: Timestamp) -> String? {
    switch outcome {
    case .failure(let problem): return "error: \(problem.message)"
    case .success(let result):
      guard case .matrix(let series) = result.value else { return "expected a matrix" }
      if let message = unsorted(series) { return message }
      let vector = series.compactMap { one in
        one.samples.first { $0.timestamp == t }.map {
          VectorSample(labels: one.labels, timestamp: t, value: $0.value)
        }
      }
      if eval.scalar != nil {
        guard case .float(let v)? = vector.first?.value else {
          return "no scalar at the middle step"
        }
        return instantValue(.scalar(t, v))
      }
      return instantValue(.vector(vector))
    }
  }

  private enum Settled {
    case done(String?)
    case compare(QueryResult)
  }

  /// Settles failure and annotations; what remains is a value to compare.
  private func settled(_ outcome: Result<QueryResult, QueryProblem>) -> Settled {
    switch outcome {
    case .failure(let problem):
      guard let wanted = eval.failure else { return .done("error: \(problem.message)") }
      return .done(
        wanted.accepts(problem.message) ? nil : "failed with other words: \(problem.message)")
    case .success(let result):
      if eval.failure != nil { return .done("expected an error, got \(result.value)") }
      let warnings = result.warnings.map(Self.withoutPosition)
      let infos = result.infos.map(Self.withoutPosition)
      let message =
        annotations(
          "warnings", warnings, eval.warnings, forbidden: eval.forbidsWarnings,
          wanted: eval.wantsWarning)
        ?? annotations(
          "infos", infos, eval.infos, forbidden: eval.forbidsInfos, wanted: eval.wantsInfo)
      if let message { return .done(message) }
      return .compare(result)
    }
  }

  /// Scripts expect texts without their ` (line:col)`.
  private static func withoutPosition(_ text: String) -> String {
    guard text.hasSuffix(")"), let open = text.lastIndex(of: "(") else { return text }
    let inside = text[text.index(after: open)...].dropLast()
    guard inside.contains(":"), inside.allSatisfy({ $0.isNumber || $0 == ":" }) else { return text }
    return String(text[..<open].dropLast())
  }

  private func annotations(
    _ kind: String, _ got: [String], _ expected: [PromQLScript.TextExpectation], forbidden: Bool,
    wanted: Bool
  ) -> String? {
    if forbidden, !got.isEmpty { return "unexpected \(kind): \(got)" }
    if wanted, got.isEmpty { return "expected \(kind), got none" }
    if expected.isEmpty { return nil }
    if let missing = expected.first(where: { e in !got.contains { e.accepts($0) } }) {
      return "expected \(kind) \(missing), got \(got)"
    }
    if let extra = got.first(where: { g in !expected.contains { $0.accepts(g) } }) {
      return "unexpected among \(kind): \(extra)"
    }
    return nil
  }

  private func instantValue(_ value: QueryValue) -> String? {
    switch value {
    case .scalar(_, let v):
      guard let wanted = eval.scalar else { return "unexpected scalar \(v)" }
      return SampleComparison.close(wanted, v) ? nil : "expected \(wanted), got \(v)"
    case .string(_, let s):
      guard let wanted = eval.string else { return "unexpected string \(s)" }
      return wanted == s ? nil : "expected \(wanted), got \(s)"
    case .vector(let samples):
      if eval.scalar != nil || eval.string != nil { return "expected another type than a vector" }
      return vector(samples)
    case .matrix: return "unexpected matrix"
    }
  }

  private func vector(_ samples: [VectorSample]) -> String? {
    if eval.isOrdered {
      for (sample, wanted) in zip(samples, eval.series) where sample.labels != wanted.labels {
        return "expected \(wanted.labels) at this position, got \(sample.labels)"
      }
    }
    for sample in samples {
      guard let wanted = eval.series.first(where: { $0.labels == sample.labels }) else {
        return "unexpected series \(sample.labels) with \(Self.text(sample.value))"
      }
      guard let value = wanted.values.first, wanted.values.count == 1 else {
        return "line \(wanted.line) should have one value"
      }
      if !SampleComparison.matches(value, sample.value) {
        return "expected \(Self.text(value)) for \(sample.labels), got \(Self.text(sample.value))"
      }
    }
    if let missing = eval.series.first(where: { w in !samples.contains { $0.labels == w.labels } })
    {
      return "expected series \(missing.labels), which is missing"
    }
    return samples.count == eval.series.count
      ? nil : "\(samples.count) series, expected \(eval.series.count)"
  }

  private func matrix(_ value: QueryValue, from: Timestamp, step: PromDuration) -> String? {
    guard case .matrix(let series) = value else { return "expected a matrix" }
    if eval.isOrdered { return "expected ordered result, but query returned a matrix" }
    if let message = unsorted(series) { return message }
    for one in series {
      guard let wanted = eval.series.first(where: { $0.labels == one.labels }) else {
        return "unexpected series \(one.labels)"
      }
      if let message = points(one, wanted, from: from, step: step) { return message }
    }
    if let missing = eval.series.first(where: { w in !series.contains { $0.labels == w.labels } }) {
      return "expected series \(missing.labels), which is missing"
    }
    return nil
  }

  private func points(
    _ got: MatrixSeries, _ wanted: PromQLScript.ExpectedSeries, from: Timestamp, step: PromDuration
  ) -> String? {
    let expected = wanted.values.enumerated().filter { !$0.element.isOmitted }
    if expected.count != got.samples.count {
      return "expected \(expected.count) points for \(got.labels), got \(got.samples.count): "
        + got.samples.map { "\(Self.text($0.value)) @ \($0.timestamp.seconds)" }.joined(
          separator: ", ")
    }
    for (want, sample) in zip(expected, got.samples) {
      let t = from + step * Int64(want.offset)
      if sample.timestamp != t {
        return
          "expected a point at \(t.seconds)s for \(got.labels), got \(sample.timestamp.seconds)s"
      }
      if !SampleComparison.matches(want.element, sample.value) {
        return "expected \(Self.text(want.element)) at \(t.seconds)s for \(got.labels), "
          + "got \(Self.text(sample.value))"
      }
    }
    return nil
  }

  private func unsorted(_ series: [MatrixSeries]) -> String? {
    for (a, b) in zip(series, series.dropFirst()) where b.labels < a.labels {
      return "matrix is not sorted: \(a.labels) before \(b.labels)"
    }
    return nil
  }

  private static func text(_ value: SampleValue) -> String {
    switch value {
    case .float(let v): NumberText.plain(v)
    case .histogram(let h): h.testExpression
    }
  }

  private static func text(_ value: SequenceValue) -> String {
    value.histogram.map(\.testExpression) ?? NumberText.plain(value.value)
  }
}
