import HTTPTypes
import Hummingbird
import JSON
import Kernel
import Model

/// All paths of the server.
struct Routes: Sendable {
  /// The largest form body of a request.
  private static let maxBody = 4 << 20

  let context: ServerContext

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.add(middleware: NotFound())
    management(router)
    queries(router)
    reports(router)
    router.get("/") { _, _ in
      Answer.text(
        StatusPage(context: context).html(), type: "text/html; charset=utf-8")
    }
    return router
  }

  private func management(_ router: Router<BasicRequestContext>) {
    let context = context
    for method in [HTTPRequest.Method.get, .head] {
      router.on("/-/healthy", method: method) { _, _ in Answer.text("Tocsin is Healthy.\n") }
      router.on("/-/ready", method: method) { _, _ in Answer.text("Tocsin is Ready.\n") }
    }
    router.get("/metrics") { _, _ in
      let own = context.gate.visit { $0.metricsText().bytes }
      return Answer.text(
        own + context.processMetrics(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
    for method in [HTTPRequest.Method.post, .put] {
      router.on("/-/reload", method: method) { _, _ in
        guard context.allowsLifecycle else { return Self.lifecycleForbidden }
        if let problem = await context.reload() {
          return Answer.text(
            "failed to reload config: \(problem)\n", status: .internalServerError)
        }
        return Answer.text("")
      }
      router.on("/-/quit", method: method) { _, _ in
        guard context.allowsLifecycle else { return Self.lifecycleForbidden }
        context.quit()
        return Answer.text("Requesting termination... Goodbye!\n")
      }
    }
    for path in ["/-/reload", "/-/quit"] as [RouterPath] {
      router.get(path) { _, _ in
        Answer.text("Only POST or PUT requests allowed", status: .methodNotAllowed)
      }
    }
  }

  private static var lifecycleForbidden: Response {
    Answer.text("Lifecycle API is not enabled.\n", status: .forbidden)
  }

  private func queries(_ router: Router<BasicRequestContext>) {
    let api = QueryAPI(context: context)
    form(router, "/api/v1/query", api.instant)
    form(router, "/api/v1/query_range", api.range)
    form(router, "/api/v1/format_query", api.format)
    form(router, "/api/v1/query_exemplars", api.exemplars)
    form(router, "/api/v1/labels", api.labelNames)
    form(router, "/api/v1/series", api.series)
    router.get("/api/v1/label/:name/values") { request, context in
      await Self.answer { () throws(APIFailure) in
        let name = RequestParameters.decode(context.parameters.get("name") ?? "")
        return try api.labelValues(name, RequestParameters(query: request.uri.query))
      }
    }
  }

  private func reports(_ router: Router<BasicRequestContext>) {
    let rules = RulesAPI(context: context)
    let targets = TargetsAPI(context: context)
    let status = StatusAPI(context: context)
    plain(router, "/api/v1/rules", rules.rules)
    plain(router, "/api/v1/alerts") { _ in rules.alerts() }
    plain(router, "/api/v1/targets", targets.targets)
    plain(router, "/api/v1/scrape_pools") { _ in targets.scrapePools() }
    plain(router, "/api/v1/metadata") { _ in status.metadata() }
    plain(router, "/api/v1/alertmanagers") { _ in targets.alertmanagers() }
    plain(router, "/api/v1/status/buildinfo") { _ in status.buildInfo() }
  }

  /// A path that accepts parameters in the query string (GET) or in a form (POST).
  private func form(
    _ router: Router<BasicRequestContext>, _ path: RouterPath,
    _ handle: @escaping @Sendable (RequestParameters) async throws(APIFailure) -> [UInt8]
  ) {
    router.get(path) { request, _ in
      await Self.answer { () async throws(APIFailure) in
        try await handle(RequestParameters(query: request.uri.query))
      }
    }
    router.post(path) { request, _ in
      guard let body = try? await request.body.collect(upTo: Self.maxBody) else {
        return Self.answer(to: APIFailure(.badData, "request body too large or unreadable"))
      }
      let form = String(buffer: body)
      return await Self.answer { () async throws(APIFailure) in
        try await handle(RequestParameters(query: request.uri.query, form: form))
      }
    }
  }

  private func plain(
    _ router: Router<BasicRequestContext>, _ path: RouterPath,
    _ handle: @escaping @Sendable (RequestParameters) throws(APIFailure) -> [UInt8]
  ) {
    router.get(path) { request, _ in
      await Self.answer { () async throws(APIFailure) in
        try handle(RequestParameters(query: request.uri.query))
      }
    }
  }

  private static func answer(
    _ body: () async throws(APIFailure) -> [UInt8]
  ) async -> Response {
    do throws(APIFailure) {
      return Answer.json(try await body())
    } catch {
      return answer(to: error)
    }
  }

  private static func answer(to failure: APIFailure) -> Response {
    Answer.json(failure.body, status: failure.kind.status)
  }
}

/// Unknown paths get Go's words instead of an empty page.
private struct NotFound: RouterMiddleware {
  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      return Answer.text("404 page not found\n", status: .notFound)
    }
  }
}
