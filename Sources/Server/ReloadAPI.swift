import HTTPTypes
import Hummingbird
import JSON

/// What a reload would do, or why that cannot be said.
package enum PlanAnswer: Sendable {
  /// A JSON document.
  case plan([UInt8])
  /// The request cannot be understood.
  case refused(String)
}

/// `/api/v1/reload/plan`: a reload without its effects.
struct ReloadAPI: Sendable {
  /// Rule files of ten thousands of rules have a few megabytes.
  private static let maxBody = 64 << 20

  let context: ServerContext

  func register(_ router: Router<BasicRequestContext>) {
    let context = context
    router.post("/api/v1/reload/plan") { request, _ in
      guard context.allowsLifecycle else {
        return Self.answer(APIFailure(.badData, "Lifecycle API is not enabled."), .forbidden)
      }
      guard let plan = context.planReload,
        let body = try? await request.body.collect(upTo: Self.maxBody)
      else {
        return Self.answer(
          APIFailure(.badData, "request body too large or unreadable"), .badRequest)
      }
      switch await plan(Array(body.readableBytesView)) {
      case .refused(let why): return Self.answer(APIFailure(.badData, why), .badRequest)
      case .plan(let document):
        return Envelope.success { $0.raw(bytes: document) }.response
      }
    }
  }

  private static func answer(_ failure: APIFailure, _ status: HTTPResponse.Status) -> Response {
    Plain.text(failure.body, type: "application/json", status: status)
  }
}
