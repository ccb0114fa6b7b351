import HTTPTypes
import Hummingbird
import Model

/// Which foreign origins may read the API from a browser: `--web.cors.origin`.
package struct AllowedOrigins: Sendable {
  /// Nil: every origin.
  private let pattern: Regexp?

  /// Allows every origin, as Prometheus does.
  package init() { pattern = nil }

  /// Allows the origins that a regular expression matches as a whole.
  package init(matching text: String) throws(RegexpProblem) {
    pattern = text == ".*" ? nil : try Regexp(anchored: text)
  }

  /// The headers that let a page of `origin` read an answer.
  func headers(for origin: String) -> [(HTTPField.Name, String)] {
    var headers: [(HTTPField.Name, String)] = [
      (.accessControlAllowHeaders, "Accept, Authorization, Content-Type, Origin"),
      (.accessControlAllowMethods, "GET, POST, OPTIONS"),
      (.accessControlExposeHeaders, "Date"),
      (.vary, "Origin"),
    ]
    guard let pattern else { return headers + [(.accessControlAllowOrigin, "*")] }
    var origin = origin
    if origin.withUTF8({ pattern.matches($0) }) {
      headers.append((.accessControlAllowOrigin, origin))
    }
    return headers
  }
}

/// Adds the headers of `AllowedOrigins` to answers of the API, and answers what a browser asks
/// before.
struct CrossOrigin: RouterMiddleware {
  let origins: AllowedOrigins

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    guard request.uri.path.hasPrefix("/api/") else { return try await next(request, context) }
    var response =
      request.method == .options
      ? Response(status: .noContent) : try await next(request, context)
    guard let origin = request.headers[.origin] else { return response }
    for (name, value) in origins.headers(for: origin) { response.headers[name] = value }
    return response
  }
}
