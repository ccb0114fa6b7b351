import Engine
import JSON
import Model
import PromQL
import RuleTest
import Storage

extension Suites {
  /// `differential/query.jsonl`: generated queries over untidy data.
  static func queries(in folder: CaseFolder) -> [Suite] {
    let stores = StoreCache()
    return jsonLines("differential/query", "differential/query.jsonl", in: folder) { one in
      try QueryCase(one, stores: stores).failure()
    }
  }
}

/// Stores by the text of their load command; many cases share one.
final class StoreCache {
  private var stores: [String: Store] = [:]

  func store(for text: String) throws -> Store {
    if let store = stores[text] { return store }
    let store = Store(StoreSettings.everything)
    let script = try PromQLScriptParser.parse(text, name: "load")
    for case .load(let load) in script.commands {
      try ScriptLoad.append(load, to: store, script: "load")
    }
    stores[text] = store
    return store
  }
}

/// One query with the reference's answer.
private struct QueryCase {
  let one: JSONCase
  let store: Store

  init(_ one: JSONCase, stores: StoreCache) throws {
    self.one = one
    store = try stores.store(for: one.text("load") ?? "")
  }

  func failure() throws -> String? {
    let text = one.text("expr") ?? ""
    let wantedError = one.text("error")
    let expr: Expr
    do {
      expr = try PromQLParser.parse(text, options: .all)
    } catch {
      guard one.text("stage") == "parse" else { return "does not parse: \(error.text(in: text))" }
      return difference("error", error.text(in: text), wantedError)
    }
    let outcome = evaluate(expr)
    switch outcome {
    case .failure(let problem):
      // Refusing a type for a range query belongs to the first stage, and its text is exact.
      if one.text("stage") == "parse" { return difference("error", problem.message, wantedError) }
      return wantedError == nil ? "error: \(problem.message); \(text)" : nil
    case .success(let result):
      if let wantedError { return "no error, expected \(wantedError); \(text)" }
      guard let expected = one.json["expected"] else { return "case without an answer" }
      return (annotations(result, expected) ?? value(result.value, expected)).map {
        "\($0); \(text)"
      }
    }
  }

  private func evaluate(_ expr: Expr) -> Result<QueryResult, QueryProblem> {
    var settings = EngineSettings()
    settings.delayedNameRemoval = true
    settings.startTimestamps = true
    if let lookback = one.text("lookback"), let d = try? PromDuration(parsing: lookback) {
      settings.lookback = d
    }
    do throws(QueryProblem) {
      let plan = try Plan(
        expr, store: store, settings: settings, standing: false, text: one.text("expr"))
      defer { plan.close() }
      if let time = one.json["time"]?.double {
        return .success(try plan.instant(at: Timestamp(seconds: time)))
      }
      return .success(
        try plan.range(
          from: Timestamp(seconds: one.json["start"]?.double ?? 0),
          through: Timestamp(seconds: one.json["end"]?.double ?? 0),
          step: PromDuration(seconds: one.json["step"]?.double ?? 1)))
    } catch {
      return .failure(error)
    }
  }

  private func annotations(_ result: QueryResult, _ expected: JSONValue) -> String? {
    for (kind, got) in [("warnings", result.warnings), ("infos", result.infos)] {
      let wanted = Set((expected[kind]?.array ?? []).compactMap(\.string))
      if Set(got) != wanted { return "\(kind) \(got), expected \(wanted.sorted())" }
    }
    return nil
  }

  private func value(_ value: QueryValue, _ expected: JSONValue) -> String? {
    let result = expected["result"]
    switch (value, expected["type"]?.string) {
    case (.scalar(let t, let v), "scalar"):
      return point(t, .float(v), result)
    case (.string(_, let s), "string"): return difference("string", s, result?[1]?.string)
    case (.vector(let samples), "vector"): return vector(samples, result?.array ?? [])
    case (.matrix(let series), "matrix"): return matrix(series, result?.array ?? [])
    default: return "type \(value), expected \(expected["type"]?.string ?? "")"
    }
  }

  private func vector(_ samples: [VectorSample], _ expected: [JSONValue]) -> String? {
    if samples.count != expected.count {
      return "\(samples.count) series, expected \(expected.count): got "
        + samples.map(\.labels.description).sorted().joined(separator: " ")
    }
    let ordered = one.json["ordered"]?.bool ?? false
    for (i, wanted) in expected.enumerated() {
      let labels = JSONCase.labels(wanted["metric"])
      let found = ordered ? samples[i] : samples.first { $0.labels == labels }
      guard let sample = found, sample.labels == labels else {
        return "series \(labels) is missing"
      }
      if let message = point(sample.timestamp, sample.value, wanted["value"] ?? wanted["histogram"])
      {
        return "\(labels): \(message)"
      }
    }
    return nil
  }

  private func matrix(_ series: [MatrixSeries], _ expected: [JSONValue]) -> String? {
    if series.count != expected.count {
      return "\(series.count) series, expected \(expected.count): got "
        + series.map(\.labels.description).joined(separator: " ")
    }
    for wanted in expected {
      let labels = JSONCase.labels(wanted["metric"])
      guard let got = series.first(where: { $0.labels == labels }) else {
        return "series \(labels) is missing"
      }
      let points = (wanted["values"]?.array ?? []) + (wanted["histograms"]?.array ?? [])
      if got.samples.count != points.count {
        return "\(labels): \(got.samples.count) points, expected \(points.count)"
      }
      for wantedPoint in points {
        let ms = Int64(wantedPoint[0]?.int ?? 0)
        guard let sample = got.samples.first(where: { $0.timestamp.milliseconds == ms }) else {
          return "\(labels): no point at \(ms)"
        }
        if let message = point(sample.timestamp, sample.value, wantedPoint) {
          return "\(labels): \(message)"
        }
      }
    }
    return nil
  }

  private func point(_ t: Timestamp, _ value: SampleValue, _ expected: JSONValue?) -> String? {
    let wanted = expected?[1]?.string ?? ""
    if let ms = expected?[0]?.int, Int64(ms) != t.milliseconds {
      return "time \(t.milliseconds), expected \(ms)"
    }
    switch value {
    case .float(let v):
      guard let number = JSONCase.number(wanted) else { return "float \(v), expected \(wanted)" }
      return Self.close(v, number) ? nil : "\(v) at \(t.milliseconds), expected \(wanted)"
    case .histogram(let h):
      guard wanted.hasPrefix("{{"),
        let series = try? PromQLParser.parseSeriesDescription("{} " + wanted),
        let other = series.values.first?.histogram
      else { return "histogram \(h.testExpression), expected \(wanted)" }
      return Self.close(h, other)
        ? nil : "\(h.testExpression) at \(t.milliseconds), expected \(wanted)"
    }
  }

  private static func close(_ a: Double, _ b: Double) -> Bool {
    if a.isNaN && b.isNaN || a == b { return true }
    return (a - b).magnitude <= 1e-9 * max(a.magnitude, b.magnitude)
  }

  private static func close(_ a: FloatHistogram, _ b: FloatHistogram) -> Bool {
    a.schema == b.schema && a.zeroThreshold == b.zeroThreshold && a.customValues == b.customValues
      && a.counterResetHint == b.counterResetHint && close(a.count, b.count) && close(a.sum, b.sum)
      && close(a.zeroCount, b.zeroCount)
      && close(a.positiveSpans, a.positiveBuckets, b.positiveSpans, b.positiveBuckets)
      && close(a.negativeSpans, a.negativeBuckets, b.negativeSpans, b.negativeBuckets)
  }

  private static func close(
    _ spansA: [FloatHistogram.Span], _ countsA: [Double], _ spansB: [FloatHistogram.Span],
    _ countsB: [Double]
  ) -> Bool {
    let a = byIndex(spansA, countsA)
    let b = byIndex(spansB, countsB)
    return Set(a.keys).union(b.keys).allSatisfy { close(a[$0] ?? 0, b[$0] ?? 0) }
  }

  private static func byIndex(
    _ spans: [FloatHistogram.Span], _ counts: [Double]
  ) -> [Int32: Double] {
    var out: [Int32: Double] = [:]
    var index: Int32 = 0
    var next = 0
    for span in spans {
      index += span.offset
      for _ in 0..<span.length {
        if next < counts.count { out[index] = counts[next] }
        next += 1
        index += 1
      }
    }
    return out
  }
}
