import HTTPTypes
import Hummingbird
import Kernel
import Model
import Synchronization

/// All paths of the server.
struct Routes: Sendable {
  /// The largest form body of a request.
  private static let maxBody = 4 << 20

  let context: ServerContext
  private let requests = RequestMetrics()
  private let known = KnownPaths()

  init(context: ServerContext) { self.context = context }

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.add(middleware: CountsRequests(metrics: requests))
    router.add(middleware: CrossOrigin(origins: context.origins))
    router.add(middleware: WrongPaths(known: known))
    management(router)
    queries(router)
    reports(router)
    history(router)
    push(router)
    ReloadAPI(context: context).register(router)
    router.get("/") { _, _ in
      Plain.text(await StatusPage(context: context).html(), type: "text/html; charset=utf-8")
    }
    return router
  }

  private func management(_ router: Router<BasicRequestContext>) {
    let context = context
    for method in [HTTPRequest.Method.get, .head] {
      router.on("/-/healthy", method: method) { _, _ in Plain.text("Tocsin is Healthy.\n") }
      router.on("/-/ready", method: method) { _, _ in
        context.gate.visit { $0.isConfigured }
          ? Plain.text("Tocsin is Ready.\n")
          : Plain.text("Service Unavailable", status: .serviceUnavailable)
      }
    }
    router.get("/metrics") { _, _ in
      var out = context.gate.visit { $0.metricsText() }
      context.queries.writeMetrics(to: &out)
      requests.write(to: &out)
      return Plain.text(
        out.bytes + context.processMetrics(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
    router.get("/version") { _, _ in
      Plain.text(StatusAPI(context: context).version(), type: "application/json")
    }
    for method in [HTTPRequest.Method.post, .put] {
      router.on("/-/reload", method: method) { _, _ in
        guard context.allowsLifecycle else { return Self.lifecycleForbidden }
        if let problem = await context.reload() {
          return Plain.text(
            "failed to reload config: \(problem)\n", status: .internalServerError)
        }
        return Plain.text("")
      }
      router.on("/-/quit", method: method) { _, _ in
        guard context.allowsLifecycle else { return Self.lifecycleForbidden }
        context.quit()
        return Plain.text("Requesting termination... Goodbye!\n")
      }
    }
    for path in ["/-/reload", "/-/quit"] as [RouterPath] {
      router.get(path) { _, _ in
        Plain.text("Only POST or PUT requests allowed", status: .methodNotAllowed)
      }
    }
  }

  private static var lifecycleForbidden: Response {
    Plain.text("Lifecycle API is not enabled.\n", status: .forbidden)
  }

  private func queries(_ router: Router<BasicRequestContext>) {
    let api = QueryAPI(context: context)
    let index = IndexAPI(context: context)
    form(router, "/api/v1/query", api.instant)
    form(router, "/api/v1/query_range", api.range)
    form(router, "/api/v1/format_query", api.format)
    form(router, "/api/v1/parse_query", api.parse)
    form(router, "/api/v1/query_exemplars", api.exemplars)
    form(router, "/api/v1/labels", index.labelNames)
    form(router, "/api/v1/series", index.series)
    router.get("/api/v1/label/:name/values") { request, context in
      await Self.answer { () throws(APIFailure) in
        let name = RequestParameters.decode(context.parameters.get("name") ?? "")
        return try await index.labelValues(name, RequestParameters(query: request.uri.query))
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
    plain(router, "/api/v1/targets/metadata", targets.targetMetadata)
    plain(router, "/api/v1/scrape_pools") { _ in targets.scrapePools() }
    plain(router, "/api/v1/metadata", targets.metadata)
    plain(router, "/api/v1/alertmanagers") { _ in targets.alertmanagers() }
    let receivers = ReceiversAPI(context: context)
    plain(router, "/api/v1/notifications/receivers") { _ in receivers.receivers() }
    plain(router, "/api/v1/status/buildinfo") { _ in status.buildInfo() }
    plain(router, "/api/v1/status/config") { _ in status.config() }
    plain(router, "/api/v1/status/flags") { _ in status.flags() }
    plain(router, "/api/v1/status/runtimeinfo") { _ in status.runtimeInfo() }
    plain(router, "/api/v1/status/tsdb", status.store)
    plain(router, "/api/v1/status/walreplay") { _ in status.walReplay() }
  }

  private func history(_ router: Router<BasicRequestContext>) {
    let history = HistoryAPI(context: context)
    router.get("/api/v1/transitions") { request, _ in
      await Self.answer { () async throws(APIFailure) in
        try await history.transitions(
          RequestParameters(query: request.uri.query), accept: request.headers[.accept] ?? "")
      }
    }
    router.get("/api/v1/notifications/log") { request, _ in
      await Self.answer { () async throws(APIFailure) in
        try await history.deliveries(
          RequestParameters(query: request.uri.query), accept: request.headers[.accept] ?? "")
      }
    }
  }

  /// What others hand in.
  private func push(_ router: Router<BasicRequestContext>) {
    let push = PushAPI(context: context)
    for path in ["/api/v1/write", "/api/v1/import"] { known.add(path, "POST") }
    router.post("/api/v1/write") { request, _ in await push.write(request) }
    router.post("/api/v1/import") { request, _ in
      await Self.answer { () async throws(APIFailure) in try await push.load(request) }
    }
  }

  /// A path that accepts parameters in the query string (GET) or in a form (POST).
  private func form(
    _ router: Router<BasicRequestContext>, _ path: RouterPath,
    _ handle: @escaping @Sendable (RequestParameters) async throws(APIFailure) -> Answer
  ) {
    plain(router, path, handle)
    known.add(path.description, "POST")
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
    _ handle: @escaping @Sendable (RequestParameters) async throws(APIFailure) -> Answer
  ) {
    known.add(path.description, "GET")
    router.get(path) { request, _ in
      await Self.answer { () async throws(APIFailure) in
        try await handle(RequestParameters(query: request.uri.query))
      }
    }
  }

  private static func answer(
    _ body: () async throws(APIFailure) -> Answer
  ) async -> Response {
    do throws(APIFailure) {
      return try await body().response
    } catch {
      return answer(to: error)
    }
  }

  private static func answer(to failure: APIFailure) -> Response {
    Plain.text(failure.body, type: "application/json", status: failure.kind.status)
  }
}

/// Which methods the paths of the API accept.
private final class KnownPaths: Sendable {
  private let methods = Mutex<[String: [String]]>([:])

  func add(_ path: String, _ method: String) {
    methods.withLock { $0[path, default: []].append(method) }
  }

  /// The value of `Allow`, or nil for a path that is not there.
  func allowed(at path: String) -> String? {
    methods.withLock { $0[path] }.map { ($0 + ["OPTIONS"]).sorted().joined(separator: ", ") }
  }
}

/// Unknown paths and methods get Go's words instead of an empty page.
private struct WrongPaths: RouterMiddleware {
  let known: KnownPaths

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      guard let allowed = known.allowed(at: request.uri.path) else {
        return Plain.text("404 page not found\n", status: .notFound)
      }
      var response = Plain.text("Method Not Allowed\n", status: .methodNotAllowed)
      response.headers[.allow] = allowed
      return response
    }
  }
}
