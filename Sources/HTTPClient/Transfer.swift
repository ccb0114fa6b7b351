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
  /// A gzip body that may soon be there as a whole.
  private var encoded: [UInt8] = []
  private var isEncoded = false
  private var inflater: Inflater?
  private var decodingFailure: HTTPFailure?

  private(set) var easy: UnsafeMutableRawPointer?
  private lazy var options = EasyOptions(request)
  private let message: UnsafeMutablePointer<CChar>
  private var body: [UInt8] = []
  private var reachedLimit = false
  private var reason = ""
  private var contentType = ""
  private var hasHeaders = false
  /// How the body of the answer ends.
  private(set) var framing = Framing()
  /// The bytes of the request's head as libcurl sent them, where they are to be sent again.
  private(set) var sentHead: [UInt8] = []

  init(
    id: UInt64, request: HTTPRequest, hardLimit: Int, sent: Int64,
    completion: @escaping @Sendable (HTTPOutcome) -> Void
  ) {
    self.id = id
    self.request = request
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

  /// What the headers say about where the body ends.
  struct Framing {
    var length: Int?
    var isChunked = false
    /// No further answer comes on this connection.
    var closes = false
  }

  /// Gzip bodies up to this size are gathered and decoded at once.
  private static let mostGathered = 256 << 10
  /// The same for bodies whose length is announced.
  private static let mostAnnounced = 4 << 20

  /// The decoded bytes a body may not reach.
  private var limit: Int { request.bodyLimit > 0 ? request.bodyLimit : hardLimit }

  // MARK: Set-up

  /// Configures a handle for this request.
  ///
  /// - Parameter makesLane: the next request of the kind shall go out without libcurl, which has no
  ///   use for the connection then.
  func attach(_ easy: UnsafeMutableRawPointer, now: Int64, makesLane: Bool) {
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
    if makesLane && request.canHaveLane {
      tcurl_set_debug(easy, Self.onDebug, context)
      tcurl_set_long(easy, CURLOPT_FORBID_REUSE, 1)
    }
    options.apply(to: easy)
  }

  /// Begins without libcurl.
  func begin(now: Int64) { started = now }

  /// Forgets what came of the answer: the request is sent once more.
  func restart() {
    forgetAnswer()
    (reachedLimit, decodingFailure) = (false, nil)
  }

  private func forgetAnswer() {
    (reason, contentType, hasHeaders, framing) = ("", "", false, Framing())
    (isEncoded, inflater) = (false, nil)
    encoded.removeAll(keepingCapacity: true)
    body.removeAll(keepingCapacity: true)
  }

  // MARK: Callbacks

  private static let onHeader: tcurl_data_callback = { data, size, count, context in
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    transfer.header(
      UnsafeRawBufferPointer(start: UnsafeRawPointer(data), count: size * count))
    return size * count
  }

  private static let onDebug: tcurl_debug_callback = { _, kind, data, size, context in
    guard kind == CURLINFO_HEADER_OUT, let data, let context else { return 0 }
    Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().sentHead =
      Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(data), count: size))
    return 0
  }

  /// Takes a line of the answer's head.
  func header(_ line: UnsafeRawBufferPointer) {
    if line.count > 5, line[0] == UInt8(ascii: "H"), line.starts(with: "HTTP/".utf8) {
      // A status line: of the answer, or of one before it (a redirect, 100 Continue).
      forgetAnswer()
      if !request.isRepeated || !Self.isPlainSuccess(line) {
        let text = String(decoding: line, as: UTF8.self)
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        reason = words.count > 2 ? Self.trimmed(words[2]) : ""
      }
      return
    }
    guard let header = HeaderLine(line) else {
      hasHeaders = true
      return
    }
    if header.isNamed("content-type") {
      contentType = header.text
    } else if header.isNamed("content-encoding") {
      isEncoded = request.acceptsGzip && header.has(value: "gzip")
    } else if header.isNamed("content-length") {
      framing.length = header.number
    } else if header.isNamed("transfer-encoding") {
      framing.isChunked = header.has(value: "chunked")
      if !framing.isChunked { framing.closes = true }
    } else if header.isNamed("connection") {
      framing.closes = !header.has(value: "keep-alive")
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    var bytes = text.utf8[...]
    while let c = bytes.last, c <= 0x20 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the status line is the usual one, whose text the number tells.
  private static func isPlainSuccess(_ line: UnsafeRawBufferPointer) -> Bool {
    HeaderLine.trimmed(line).elementsEqual("HTTP/1.1 200 OK".utf8)
  }

  private static let onBody: tcurl_data_callback = { data, size, count, context in
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(data), count: size * count)
    return transfer.receive(bytes) ? size * count : 0
  }

  /// Takes bytes as they came; false ends the transfer.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if !isEncoded { return append(bytes) }
    if inflater == nil {
      if encoded.isEmpty, let length = framing.length {
        encoded.reserveCapacity(min(length, Self.mostAnnounced))
      }
      let most = framing.length == nil ? Self.mostGathered : Self.mostAnnounced
      if encoded.count + bytes.count <= most && !request.truncatesBody {
        encoded.append(contentsOf: bytes)
        return true
      }
      if !inflateGathered() { return false }
    }
    return inflate(bytes)
  }

  /// Decodes piece by piece from now on.
  private func inflateGathered() -> Bool {
    inflater = Inflater()
    let gathered = encoded
    encoded = []
    return gathered.withUnsafeBytes(inflate)
  }

  private func inflate(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let inflater else { return false }
    let problem = inflater.decode(bytes) { append($0) }
    if let problem { decodingFailure = .transfer(problem) }
    return problem == nil && !reachedLimit
  }

  /// Decodes what was gathered; false where that is no good body.
  private func decodeGathered(_ gunzip: WholeGunzip) -> Bool {
    if !isEncoded || inflater != nil { return true }
    if let whole = gunzip.decode(encoded, below: limit) {
      (body, encoded, isEncoded) = (whole, [], false)
      return true
    }
    return inflateGathered()
  }

  /// Takes decoded bytes; false when the body is at its limit.
  private func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if body.isEmpty, inflater == nil, let length = framing.length {
      body.reserveCapacity(min(length, limit, 64 << 20))
    }
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
  func outcome(_ code: CURLcode, _ gunzip: WholeGunzip, now: Int64) -> HTTPOutcome {
    if code == CURLE_OK, let easy {
      var status = 0
      tcurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
      var retry: curl_off_t = 0
      tcurl_get_off(easy, CURLINFO_RETRY_AFTER, &retry)
      return answer(status, retryAfter: retry > 0 ? Int(retry) : nil, gunzip, now: now)
    }
    if let refusal { return outcome(.failure(refusal), now: now) }
    return outcome(.failure(FailureText.failure(context(code))), now: now)
  }

  /// The outcome once the whole answer is there.
  func answer(
    _ status: Int, retryAfter: Int? = nil, _ gunzip: WholeGunzip, now: Int64
  ) -> HTTPOutcome {
    if !decodeGathered(gunzip), let refusal { return outcome(.failure(refusal), now: now) }
    if let inflater, !inflater.isComplete, request.method.uppercased() != "HEAD" {
      return outcome(.failure(.transfer("unexpected EOF")), now: now)
    }
    let reason = reason.isEmpty ? StatusText.of(status) : reason
    let bytes = body
    body = []
    return outcome(
      .success(
        HTTPResponse(
          status: status, reason: reason, contentType: contentType, retryAfter: retryAfter,
          body: bytes)), now: now)
  }

  /// Why the transfer was ended from here: the body's length or its encoding.
  var refusal: HTTPFailure? { reachedLimit ? .bodyTooLarge(limit: limit) : decodingFailure }

  /// The outcome when the connection broke in the middle of the answer.
  func broken(_ systemError: Int32, now: Int64) -> HTTPOutcome {
    if systemError == 0 { return outcome(.failure(.transfer("unexpected EOF")), now: now) }
    var context = context(CURLE_RECV_ERROR)
    context.systemError = systemError
    return outcome(.failure(FailureText.failure(context)), now: now)
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
