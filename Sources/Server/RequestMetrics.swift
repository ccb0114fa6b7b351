import Dispatch
import HTTPTypes
import Hummingbird
import Kernel
import Model
import Synchronization

/// Requests that were answered, by path and status: `prometheus_http_*`.
final class RequestMetrics: Sendable {
  private struct Key: Hashable {
    var path: String
    var code: Int
  }

  private struct State {
    var requests: [Key: UInt64] = [:]
    var durations: [String: DurationHistogram] = [:]
  }

  private let state = Mutex(State())

  func note(path: String, code: Int, seconds: Double) {
    state.withLock { state in
      state.requests[Key(path: path, code: code), default: 0] += 1
      state.durations[path, default: DurationHistogram(DurationHistogram.requests)]
        .observe(seconds)
    }
  }

  func write(to out: inout MetricsText) {
    let state = state.withLock { $0 }
    let requests = state.requests.sorted { a, b in
      ByteOrder.equal(a.key.path, b.key.path)
        ? a.key.code < b.key.code : ByteOrder.less(a.key.path, b.key.path)
    }
    let prefix = "prometheus_http_"
    if requests.isEmpty { return }
    out.family(prefix + "requests_total", .counter, "Counter of HTTP requests.")
    for (key, count) in requests {
      out.sample(count, [("code", "\(key.code)"), ("handler", key.path)])
    }
    out.family(
      prefix + "request_duration_seconds", .histogram, "Histogram of latencies for HTTP requests.")
    for path in state.durations.keys.sorted(by: ByteOrder.less) {
      if let histogram = state.durations[path] { out.histogram(histogram, [("handler", path)]) }
    }
  }
}

/// Counts requests of known paths.
struct CountsRequests: RouterMiddleware {
  let metrics: RequestMetrics

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let started = DispatchTime.now().uptimeNanoseconds
    let response = try await next(request, context)
    if let path = context.endpointPath {
      let seconds = Double(DispatchTime.now().uptimeNanoseconds - started) / 1e9
      metrics.note(
        path: path.replacing("{", with: ":").replacing("}", with: ""),
        code: response.status.code, seconds: seconds)
    }
    return response
  }
}
