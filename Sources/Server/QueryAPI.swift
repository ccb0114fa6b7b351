import Engine
import JSON
import Kernel
import Model
import PromQL

/// `/api/v1/query`, `/query_range`, `/format_query`, `/parse_query` and `/query_exemplars`.
struct QueryAPI: Sendable {
  /// More points per series than this are refused, as in Prometheus.
  private static let maxPoints: Int64 = 11_000

  let context: ServerContext

  func instant(_ parameters: RequestParameters) async throws(APIFailure) -> Answer {
    let limit = try parameters.limit("limit")
    let time = try parameters.time("time") ?? context.now()
    let timeout = try parameters.duration("timeout")
    let lookback = try parameters.duration("lookback_delta")
    let text = parameters["query"] ?? ""
    let expr = try context.queries.parse(text)
    let run = try await context.queries.run(
      expr, text: text, times: .instant(time), timeout: timeout, lookback: lookback)
    return answer(run, limit: limit, showsStatistics: parameters["stats"] != nil)
  }

  func range(_ parameters: RequestParameters) async throws(APIFailure) -> Answer {
    let limit = try parameters.limit("limit")
    let start = try parameters.requiredTime("start")
    let end = try parameters.requiredTime("end")
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
    let text = parameters["query"] ?? ""
    let expr = try context.queries.parse(text)
    guard expr.type == .scalar || expr.type == .vector else {
      throw .invalidParameter(
        "query",
        "invalid expression type \"\(expr.type.name)\" for range query, "
          + "must be Scalar or instant Vector"
      )
    }
    let run = try await context.queries.run(
      expr, text: text, times: .range(from: start, through: end, step: step), timeout: timeout,
      lookback: lookback)
    return answer(run, limit: limit, showsStatistics: parameters["stats"] != nil)
  }

  /// The expression laid out over lines.
  func format(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let expr = try context.queries.parse(parameters["query"] ?? "")
    return Envelope.success { $0.string(expr.pretty) }
  }

  /// The expression as a tree.
  func parse(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let expr = try context.queries.parse(parameters["query"] ?? "")
    return Envelope.success { ExpressionTree.write(expr, to: &$0) }
  }

  /// An empty list, since exemplars are not kept; the parameters must be good all the same.
  func exemplars(_ parameters: RequestParameters) throws(APIFailure) -> Answer {
    let start = try parameters.time("start")
    let end = try parameters.time("end")
    if let start, let end, end < start {
      throw APIFailure(.badData, "end timestamp must not be before start timestamp")
    }
    let text = parameters["query"] ?? ""
    do {
      _ = try PromQLParser.parse(text, options: context.queries.parser)
    } catch {
      throw APIFailure(.badData, error.text(in: text))
    }
    return Envelope.success { $0.array { _ in } }
  }

  private func answer(_ run: QueryRun, limit: Int, showsStatistics: Bool) -> Answer {
    var result = run.result
    result.truncate(to: limit)
    var closing = "]"
    if showsStatistics {
      var json = JSONWriter()
      run.timings.write(samples: result.samples, to: &json)
      closing += #","stats":"# + json.text
    }
    closing += "}"
    let (warnings, infos) = (result.warnings, result.infos)
    switch result.value {
    case .vector(let samples):
      return Envelope.success(
        of: samples, opening: #"{"resultType":"vector","result":["#, closing: closing,
        warnings: warnings, infos: infos
      ) { QueryJSON.write($0, to: &$1) }
    case .matrix(let series):
      return Envelope.success(
        of: series, opening: #"{"resultType":"matrix","result":["#, closing: closing,
        warnings: warnings, infos: infos
      ) { QueryJSON.write($0, to: &$1) }
    case .scalar, .string:
      return Envelope.success(warnings: warnings, infos: infos) { json in
        json.object { json in
          QueryJSON.write(result.value, to: &json)
          if showsStatistics {
            json.key("stats")
            run.timings.write(samples: result.samples, to: &json)
          }
        }
      }
    }
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
