import CLinux
import Glibc

/// A connection of its own for a request that is sent again and again: the bytes libcurl sent the
/// first time go out once more, and only the plainest of answers are read here.
///
/// libcurl stays the judge of everything else: whenever something is unusual the lane is given up,
/// and the request is made by libcurl as if there were no lane.
///
/// A lane belongs to the loop's thread, or lies on the shelf (see `LaneShelf`) for whoever takes it
/// first.
final class Lane: @unchecked Sendable {
  /// What became of the bytes read.
  enum Progress {
    case more
    /// The answer is complete; whether the connection can take another request.
    case done(isOpen: Bool)
    /// The body was refused: too long, or badly encoded.
    case refused
    /// Not for this reader.
    case unusual
  }

  private enum Phase {
    case idle, connecting, status, head
    case body(Int)
    case chunkSize
    case chunk(Int)
    case chunkEnd, trailer
  }

  /// Bytes of head, chunk sizes and trailers an answer may have.
  private static let mostOverhead = 64 << 10

  let request: HTTPRequest
  private let head: [UInt8]
  let descriptor: Int32
  private(set) var transfer: Transfer?
  /// Monotonic nanoseconds.
  private(set) var lastUsed: Int64
  private var phase = Phase.connecting
  /// The beginning of a line.
  private var line: [UInt8] = []
  private var overhead = 0
  /// Whether anything of the answer has come.
  private(set) var hasAnswer = false

  /// Begins to connect to a numeric address; nil where that fails at once.
  init?(
    _ request: HTTPRequest, head: [UInt8], address: UnsafePointer<CChar>, port: Int, now: Int64
  ) {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, "\(port)", &hints, &found) == 0, let found else { return nil }
    defer { freeaddrinfo(found) }
    let kind =
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    descriptor = socket(found.pointee.ai_family, kind, 0)
    self.request = request
    self.head = head
    lastUsed = now
    if descriptor < 0 { return nil }
    var one: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, size)
    let result = connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen)
    if result != 0 && errno != EINPROGRESS { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether nothing is under way and the request is the one the lane was made for.
  func fits(_ other: HTTPRequest) -> Bool {
    guard case .idle = phase, transfer == nil else { return false }
    return request.url == other.url && request.authorization == other.authorization
      && request.acceptsGzip == other.acceptsGzip && other.canHaveLane
      && request.headers.elementsEqual(other.headers) { $0.name == $1.name && $0.value == $1.value }
  }

  /// Gets ready for the answer.
  func prepare(_ transfer: Transfer, now: Int64) {
    self.transfer = transfer
    lastUsed = now
    (phase, overhead, hasAnswer) = (.status, 0, false)
    line.removeAll(keepingCapacity: true)
  }

  /// Sends the request; false where the connection does not take it as a whole.
  func sendHead() -> Bool {
    let sent = head.withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    return sent == head.count
  }

  /// Notes that the connection stands; false where it does not.
  func noteReady() -> Bool {
    var problem: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) == 0, problem == 0 else {
      return false
    }
    phase = .idle
    return true
  }

  /// The transfer is over for this lane.
  func release() -> Transfer? {
    defer { (transfer, phase) = (nil, .idle) }
    return transfer
  }

  // MARK: The answer

  /// Reads bytes of the answer.
  func take(_ bytes: UnsafeRawBufferPointer) -> Progress {
    guard let transfer else { return .unusual }
    hasAnswer = true
    var at = 0
    while at < bytes.count {
      switch phase {
      case .body(let rest):
        let count = min(rest, bytes.count - at)
        let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)])
        if !transfer.receive(piece) { return .refused }
        at += count
        if count == rest { return done(at == bytes.count) }
        phase = .body(rest - count)
      case .chunk(let rest):
        let count = min(rest, bytes.count - at)
        let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)])
        if !transfer.receive(piece) { return .refused }
        at += count
        phase = count == rest ? .chunkEnd : .chunk(rest - count)
      case .status, .head, .chunkSize, .chunkEnd, .trailer:
        let start = at
        guard let end = bytes[at...].firstIndex(of: 0x0a) else {
          overhead += bytes.count - start
          line.append(contentsOf: bytes[start...])
          return overhead > Self.mostOverhead ? .unusual : .more
        }
        at = end + 1
        overhead += at - start
        if overhead > Self.mostOverhead { return .unusual }
        let progress = takeLine(UnsafeRawBufferPointer(rebasing: bytes[start..<at]), transfer)
        if case .more = progress { continue }
        if case .done = progress { return done(at == bytes.count) }
        return progress
      case .idle, .connecting: return .unusual
      }
    }
    return .more
  }

  private func done(_ isAll: Bool) -> Progress {
    .done(isOpen: isAll && !(transfer?.framing.closes ?? true))
  }

  private func takeLine(_ rest: UnsafeRawBufferPointer, _ transfer: Transfer) -> Progress {
    if line.isEmpty { return read(rest, transfer) }
    line.append(contentsOf: rest)
    let whole = line
    line.removeAll(keepingCapacity: true)
    return whole.withUnsafeBytes { read($0, transfer) }
  }

  /// One whole line with its end.
  private func read(_ line: UnsafeRawBufferPointer, _ transfer: Transfer) -> Progress {
    let text = HeaderLine.trimmed(line)
    switch phase {
    case .status:
      guard text.starts(with: "HTTP/1.1 200".utf8), text.count == 12 || text[12] == 0x20 else {
        return .unusual
      }
      transfer.header(line)
      phase = .head
    case .head:
      if !text.isEmpty {
        // Some fold long headers; libcurl knows how to read them.
        if line[0] <= 0x20 { return .unusual }
        transfer.header(line)
        return .more
      }
      transfer.header(text)
      return beginBody(transfer.framing)
    case .chunkSize:
      guard let size = Self.chunkSize(text) else { return .unusual }
      phase = size == 0 ? .trailer : .chunk(size)
    case .chunkEnd:
      if !text.isEmpty { return .unusual }
      phase = .chunkSize
    case .trailer: if text.isEmpty { return .done(isOpen: true) }
    case .idle, .connecting, .body, .chunk: return .unusual
    }
    return .more
  }

  private func beginBody(_ framing: Transfer.Framing) -> Progress {
    if framing.isChunked {
      if framing.length != nil { return .unusual }
      phase = .chunkSize
      return .more
    }
    guard let length = framing.length else { return .unusual }
    if length == 0 { return .done(isOpen: true) }
    phase = .body(length)
    return .more
  }

  /// The hexadecimal number at the beginning of a chunk's line.
  private static func chunkSize(_ text: UnsafeRawBufferPointer) -> Int? {
    var size = 0
    var count = 0
    for c in text {
      if c == UInt8(ascii: ";") || c <= 0x20 { break }
      guard let digit = Character(UnicodeScalar(c)).hexDigitValue, count < 12 else { return nil }
      size = size << 4 | digit
      count += 1
    }
    return count > 0 ? size : nil
  }
}
