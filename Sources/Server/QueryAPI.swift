import Engine
import Hummingbird
import JSON
import Kernel
import Model
import PromQL
import Storage

/// `/api/v1/query`, `/query_range`, `/format_query`, `/labels`, `/label/<name>/values` and
/// `/series`.
struct QueryAPI: Sendable {
  /// More points per series than this are refused, as in Prometheus.
  private static let maxPoints: Int64 = 11_000

  let context: ServerContext

  func instant(_ parameters: RequestParameters) async throws(APIFailure) -> [UInt8] {
    let time = try parameters.time("time") ?? context.now()
    let timeout = try parameters.duration("timeout")
    let lookback = try parameters.duration("lookback_delta")
    let limit = try parameters.limit("limit")
    let text = parameters["query"] ?? ""
    let expr = try context.queries.parse(text)
    var result = try await context.queries.run(
      expr, text: text, times: .instant(time), timeout: timeout, lookback: lookback)
    result.truncate(to: limit)
    return answer(result)
  }

  func range(_ parameters: RequestParameters) async throws(APIFailure) -> [UInt8] {
    guard let start = try parameters.time("start") else {
      throw .invalidParameter("start", "cannot parse \"\" to a valid timestamp")
    }
    guard let end = try parameters.time("end") else {
      throw .invalidParameter("end", "cannot parse \"\" to a valid timestamp")
    }
    if end < start { throw .invalidParameter("end", "end timestamp must not be before start time") }
    guard let step = try parameters.duration("step") else {
      throw .invalidParameter("step", "cannot parse \"\" to a valid duration")
    }
    if step <= .zero {
      throw .invalidParameter(
        "step",
        "zero or negative query resolution step widths are not accepted. Try a positive integer")
    }
    if (end - start).milliseconds / step.milliseconds > Self.maxPoints {
      throw APIFailure(
        .badData,
        "exceeded maximum resolution of 11,000 points per timeseries. "
          + "Try decreasing the query resolution (?step=XX)"
      )
    }
    let timeout = try parameters.duration("timeout")
    let lookback = try parameters.duration("lookback_delta")
    let limit = try parameters.limit("limit")
    let text = parameters["query"] ?? ""
    let expr = try context.queries.parse(text)
    guard expr.type == .scalar || expr.type == .vector else {
      throw .invalidParameter(
        "query",
        "invalid expression type \"\(expr.type.name)\" for range query, "
          + "must be Scalar or instant Vector"
      )
    }
    var result = try await context.queries.run(
      expr, text: text, times: .range(from: start, through: end, step: step), timeout: timeout,
      lookback: lookback)
    result.truncate(to: limit)
    return answer(result)
  }

  /// The expression laid out over lines.
  func format(_ parameters: RequestParameters) throws(APIFailure) -> [UInt8] {
    let expr = try context.queries.parse(parameters["query"] ?? "")
    return Envelope.success { $0.string(expr.pretty) }
  }

  /// An empty list, since exemplars are not kept; the expression must be one all the same.
  func exemplars(_ parameters: RequestParameters) throws(APIFailure) -> [UInt8] {
    _ = try context.queries.parse(parameters["query"] ?? "")
    return Envelope.success { $0.array { _ in } }
  }

  private func answer(_ result: QueryResult) -> [UInt8] {
    Envelope.success(warnings: result.warnings, infos: result.infos) { json in
      QueryJSON.write(result.value, to: &json)
    }
  }

  // MARK: the index

  func labelNames(_ parameters: RequestParameters) throws(APIFailure) -> [UInt8] {
    let sets = try matcherSets(parameters)
    let limit = try parameters.limit("limit")
    let names = context.gate.visit { kernel in
      kernel.store.labelNames(matching: sets)
    }
    return list(names, limit: limit)
  }

  func labelValues(_ name: String, _ parameters: RequestParameters) throws(APIFailure) -> [UInt8] {
    let sets = try matcherSets(parameters)
    let limit = try parameters.limit("limit")
    if name.isEmpty { throw APIFailure(.badData, "invalid label name: \"\"") }
    let values = context.gate.visit { kernel in
      kernel.store.labelValues(name, matching: sets)
    }
    return list(values, limit: limit)
  }

  func series(_ parameters: RequestParameters) throws(APIFailure) -> [UInt8] {
    let sets = try matcherSets(parameters)
    if sets.isEmpty { throw APIFailure(.badData, "no match[] parameter provided") }
    let limit = try parameters.limit("limit")
    let found = context.gate.visit { kernel in
      kernel.store.series(matching: sets)
    }
    let (kept, warnings) = Self.limited(found, limit)
    return Envelope.success(warnings: warnings) { json in
      json.array { json in for labels in kept { QueryJSON.labels(labels, to: &json) } }
    }
  }

  private func matcherSets(_ parameters: RequestParameters) throws(APIFailure) -> [[Matcher]] {
    let sets = try parameters.matcherSets()
    if sets.contains(where: { $0.allSatisfy { $0.matches("") } }) {
      throw .invalidParameter("match[]", "match[] must contain at least one non-empty matcher")
    }
    return sets
  }

  private func list(_ texts: [String], limit: Int) -> [UInt8] {
    let (kept, warnings) = Self.limited(texts, limit)
    return Envelope.success(warnings: warnings) { json in
      json.array { json in for text in kept { json.string(text) } }
    }
  }

  private static func limited<T>(_ all: [T], _ limit: Int) -> ([T], [String]) {
    if limit == 0 || all.count <= limit { return (all, []) }
    return (Array(all.prefix(limit)), ["results truncated due to limit"])
  }
}

extension QueryResult {
  /// Cuts a vector or matrix to `limit` series and says so; 0 = no limit.
  fileprivate mutating func truncate(to limit: Int) {
    if limit == 0 { return }
    switch value {
    case .vector(let samples) where samples.count > limit:
      value = .vector(Array(samples.prefix(limit)))
    case .matrix(let series) where series.count > limit:
      value = .matrix(Array(series.prefix(limit)))
    default: return
    }
    warnings.append("results truncated due to limit")
  }
}

extension ValueType {
  /// The type in the words of the API's errors.
  fileprivate var name: String {
    switch self {
    case .scalar: "scalar"
    case .vector: "instant vector"
    case .matrix: "range vector"
    case .string: "string"
    case .none: "none"
    }
  }
}
