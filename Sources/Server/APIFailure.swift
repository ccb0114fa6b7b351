import HTTPTypes
import JSON

/// A request that gets an error envelope, in the words and status codes of Prometheus' API.
struct APIFailure: Error {
  /// `errorType` of the envelope, each with its status.
  enum Kind: String {
    case badData = "bad_data"
    case execution
    case canceled
    case timeout
    case notFound = "not_found"
    case internalError = "internal"
    case unavailable

    var status: HTTPResponse.Status {
      switch self {
      case .badData: .badRequest
      case .execution: .init(code: 422, reasonPhrase: "Unprocessable Entity")
      case .canceled: .init(code: 499)
      case .timeout: .serviceUnavailable
      case .notFound: .notFound
      case .internalError, .unavailable: .internalServerError
      }
    }
  }

  let kind: Kind
  let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// Prometheus' text for a parameter that cannot be read.
  static func invalidParameter(_ name: String, _ reason: String) -> APIFailure {
    APIFailure(.badData, "invalid parameter \"\(name)\": \(reason)")
  }

  /// The error envelope.
  var body: [UInt8] {
    var writer = JSONWriter(escapesHTML: true)
    writer.object { json in
      json.field("status", "error")
      json.field("errorType", kind.rawValue)
      json.field("error", message)
    }
    return writer.bytes
  }
}
