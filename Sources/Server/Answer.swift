import HTTPTypes
import Hummingbird
import JSON

/// What a handler of the API answers.
struct Answer: Sendable {
  /// Larger answers leave in parts of this size, each made when the one before has left.
  static let partSize = 1 << 16

  private let body: ResponseBody
  private var type = "application/json"

  /// An answer that is there as a whole.
  init(_ bytes: [UInt8]) { body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)) }

  /// An answer that is written as it leaves.
  init(
    type: String = "application/json",
    _ write: @escaping @Sendable (inout AnswerWriter) async throws -> Void
  ) {
    self.type = type
    body = ResponseBody { writer in
      var parts = AnswerWriter(to: writer)
      try await write(&parts)
      try await parts.finish()
    }
  }

  var response: Response {
    Response(status: .ok, headers: [.contentType: type], body: body)
  }
}

/// Collects bytes and lets them leave in parts.
struct AnswerWriter {
  private var writer: any ResponseBodyWriter
  private var bytes: [UInt8] = []

  init(to writer: any ResponseBodyWriter) { self.writer = writer }

  /// Adds bytes; waits for the client if it is slow.
  mutating func add(_ more: some Collection<UInt8>) async throws {
    bytes.append(contentsOf: more)
    if bytes.count >= Answer.partSize { try await flush() }
  }

  /// Lets what has been collected leave at once.
  mutating func flush() async throws {
    if bytes.isEmpty { return }
    try await writer.write(ByteBuffer(bytes: bytes))
    bytes.removeAll(keepingCapacity: true)
  }

  fileprivate mutating func finish() async throws {
    try await flush()
    try await writer.finish(nil)
  }
}

/// A success envelope around `data`.
enum Envelope {
  static func success(
    warnings: [String] = [], infos: [String] = [], _ data: (inout JSONWriter) -> Void
  ) -> Answer {
    var writer = JSONWriter(escapesHTML: true)
    writer.object { json in
      json.field("status", "success")
      json.key("data")
      data(&json)
      remarks(warnings, infos, to: &json)
    }
    return Answer(writer.bytes)
  }

  /// A success whose `data` is a list, or holds one, of elements too many to be written at once.
  ///
  /// - Parameters:
  ///   - opening: what stands between `"data":` and the first element.
  ///   - closing: what stands behind the last element and belongs to `data`.
  static func success<Element: Sendable>(
    of elements: [Element], opening: String = "[", closing: String = "]",
    warnings: [String] = [], infos: [String] = [],
    _ write: @escaping @Sendable (Element, inout JSONWriter) -> Void
  ) -> Answer {
    var tail = JSONWriter(escapesHTML: true)
    tail.object { remarks(warnings, infos, to: &$0) }
    let rest = tail.bytes.count > 2 ? "," + tail.text.dropFirst() : "}"
    if elements.count <= 512 {
      var bytes = Array((#"{"status":"success","data":"# + opening).utf8)
      for (i, element) in elements.enumerated() {
        bytes += Self.bytes(element, isFirst: i == 0, write)
      }
      return Answer(bytes + Array((closing + rest).utf8))
    }
    return Answer { parts in
      try await parts.add((#"{"status":"success","data":"# + opening).utf8)
      for (i, element) in elements.enumerated() {
        try await parts.add(Self.bytes(element, isFirst: i == 0, write))
      }
      try await parts.add((closing + rest).utf8)
    }
  }

  private static func bytes<Element>(
    _ element: Element, isFirst: Bool, _ write: (Element, inout JSONWriter) -> Void
  ) -> [UInt8] {
    var json = JSONWriter(escapesHTML: true)
    write(element, &json)
    return isFirst ? json.bytes : [UInt8(ascii: ",")] + json.bytes
  }

  private static func remarks(
    _ warnings: [String], _ infos: [String], to json: inout JSONWriter
  ) {
    list("warnings", warnings, to: &json)
    list("infos", infos, to: &json)
  }

  private static func list(_ name: String, _ texts: [String], to json: inout JSONWriter) {
    if texts.isEmpty { return }
    json.key(name)
    json.array { json in for text in texts { json.string(text) } }
  }
}

/// Answers outside the API.
enum Plain {
  static func text(
    _ body: [UInt8], type: String = "text/plain; charset=utf-8",
    status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }

  static func text(_ body: String, status: HTTPResponse.Status = .ok) -> Response {
    text(Array(body.utf8), status: status)
  }
}
