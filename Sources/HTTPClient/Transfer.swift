import CCurl
import Glibc

/// One request on its way: what its callbacks need, confined to the loop's thread once it is
/// started.
final class Transfer: @unchecked Sendable {
  let id: UInt64
  let request: HTTPRequest
  let completion: @Sendable (HTTPOutcome) -> Void
  /// Monotonic nanoseconds.
  let sent: Int64
  private(set) var started: Int64
  private let hardLimit: Int
  private var inflater: Inflater?
  private var decodingFailure: HTTPFailure?

  private(set) var easy: UnsafeMutableRawPointer?
  private let options: EasyOptions
  private let message: UnsafeMutablePointer<CChar>
  private var body: [UInt8] = []
  private var reachedLimit = false
  private var reason = ""
  private var contentType = ""
  private var hasHeaders = false

  init(
    id: UInt64, request: HTTPRequest, hardLimit: Int, sent: Int64,
    completion: @escaping @Sendable (HTTPOutcome) -> Void
  ) {
    self.id = id
    self.request = request
    self.options = EasyOptions(request)
    self.hardLimit = hardLimit
    self.sent = sent
    self.started = sent
    self.completion = completion
    message = .allocate(capacity: Int(CURL_ERROR_SIZE))
    message[0] = 0
  }

  deinit { message.deallocate() }

  /// Monotonic nanoseconds after which the request has failed, or nil.
  var deadline: Int64? {
    request.timeout > 0 ? sent + Int64(request.timeout) * 1_000_000 : nil
  }

  /// The decoded bytes a body may not reach.
  private var limit: Int { request.bodyLimit > 0 ? request.bodyLimit : hardLimit }

  // MARK: Set-up

  /// Configures a handle for this request.
  func attach(_ easy: UnsafeMutableRawPointer, now: Int64) {
    self.easy = easy
    started = now
    tcurl_set_pointer(easy, CURLOPT_ERRORBUFFER, message)
    if let deadline {
      tcurl_set_long(easy, CURLOPT_TIMEOUT_MS, max(1, Int((deadline - now) / 1_000_000)))
    }
    let context = Unmanaged.passUnretained(self).toOpaque()
    tcurl_set_pointer(easy, CURLOPT_PRIVATE, context)
    tcurl_set_header(easy, Self.onHeader, context)
    tcurl_set_write(easy, Self.onBody, context)
    options.apply(to: easy)
    if request.expectedBodySize > 0 {
      body.reserveCapacity(min(request.expectedBodySize, limit))
    }
  }

  // MARK: Callbacks

  private static let onHeader: tcurl_data_callback = { data, size, count, context in
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    transfer.header(
      UnsafeRawBufferPointer(start: UnsafeRawPointer(data), count: size * count))
    return size * count
  }

  private func header(_ line: UnsafeRawBufferPointer) {
    let text = String(decoding: line, as: UTF8.self)
    if text.hasPrefix("HTTP/") {
      // A status line: of the answer, or of one before it (a redirect, 100 Continue).
      let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      reason = words.count > 2 ? Self.trimmed(words[2]) : ""
      (contentType, hasHeaders, inflater) = ("", false, nil)
      body.removeAll(keepingCapacity: true)
      return
    }
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
      hasHeaders = true
      return
    }
    let value = Self.trimmed(text[text.index(after: colon)...])
    switch text[..<colon].lowercased() {
    case "content-type": contentType = value
    case "content-encoding":
      if request.acceptsGzip && value.lowercased() == "gzip" { inflater = Inflater() }
    case "content-length":
      if let length = Int(value), length > 0 {
        body.reserveCapacity(min(length, limit, 64 << 20))
      }
    default: break
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    var bytes = text.utf8[...]
    while let c = bytes.first, c <= 0x20 { bytes.removeFirst() }
    while let c = bytes.last, c <= 0x20 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let onBody: tcurl_data_callback = { data, size, count, context in
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(data), count: size * count)
    return transfer.receive(bytes) ? size * count : 0
  }

  /// Takes bytes as they came; false ends the transfer.
  private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let inflater else { return append(bytes) }
    let problem = inflater.decode(bytes) { append($0) }
    if let problem { decodingFailure = .transfer(problem) }
    return problem == nil && !reachedLimit
  }

  /// Takes decoded bytes; false when the body is at its limit.
  private func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let room = limit - body.count
    if request.truncatesBody {
      body.append(contentsOf: bytes.prefix(max(0, room)))
      return true
    }
    if bytes.count >= room {
      reachedLimit = true
      return false
    }
    body.append(contentsOf: bytes)
    return true
  }

  // MARK: The end

  /// The outcome libcurl reports.
  func outcome(_ code: CURLcode, now: Int64) -> HTTPOutcome {
    if code == CURLE_OK, let easy {
      if let inflater, !inflater.isComplete, request.method.uppercased() != "HEAD" {
        return outcome(.failure(.transfer("unexpected EOF")), now: now)
      }
      var status = 0
      tcurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
      var retry: curl_off_t = 0
      tcurl_get_off(easy, CURLINFO_RETRY_AFTER, &retry)
      let reason = reason.isEmpty ? StatusText.of(status) : reason
      let bytes = body
      body = []
      return outcome(
        .success(
          HTTPResponse(
            status: status, reason: reason, contentType: contentType,
            retryAfter: retry > 0 ? Int(retry) : nil, body: bytes)), now: now)
    }
    if reachedLimit { return outcome(.failure(.bodyTooLarge(limit: limit)), now: now) }
    if let decodingFailure { return outcome(.failure(decodingFailure), now: now) }
    return outcome(.failure(FailureText.failure(context(code))), now: now)
  }

  func outcome(_ result: Result<HTTPResponse, HTTPFailure>, now: Int64) -> HTTPOutcome {
    HTTPOutcome(
      result: result, duration: now - sent, queued: started - sent, hadHeaders: hasHeaders,
      method: request.method, url: request.url)
  }

  /// Gives the handle back.
  func detach() -> UnsafeMutableRawPointer? {
    let handle = easy
    easy = nil
    return handle
  }

  private func context(_ code: CURLcode) -> FailureText.Context {
    var systemError = 0
    var address: UnsafePointer<CChar>?
    var port = 0
    if let easy {
      tcurl_get_long(easy, CURLINFO_OS_ERRNO, &systemError)
      tcurl_get_string(easy, CURLINFO_PRIMARY_IP, &address)
      tcurl_get_long(easy, CURLINFO_PRIMARY_PORT, &port)
    }
    let url = URLParts(request.url)
    var host = address.map { String(cString: $0) } ?? ""
    if host.isEmpty { host = url?.host ?? "" }
    if host.contains(":") && !host.hasPrefix("[") { host = "[\(host)]" }
    return FailureText.Context(
      code: code, systemError: Int32(truncatingIfNeeded: systemError),
      message: String(cString: message),
      peer: "\(host):\(port > 0 ? "\(port)" : url?.port ?? "")", host: url?.host ?? "",
      serverName: request.tls.serverName ?? url?.host ?? "",
      unixSocketPath: request.unixSocketPath)
  }
}
