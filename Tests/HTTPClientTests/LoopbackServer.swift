import Glibc
import Synchronization

/// A tiny HTTP server on loopback, written for misbehaviour: a handler gets a request's text and
/// writes raw bytes.
final class LoopbackServer: Sendable {
  struct Connection: Sendable {
    let descriptor: Int32
    /// Counts connections from 1.
    let number: Int

    /// Writes bytes; false when the peer is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
      var rest = bytes[...]
      while !rest.isEmpty {
        let n = rest.withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if n <= 0 { return false }
        rest = rest.dropFirst(n)
      }
      return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Answers with a body of known length.
    func answer(
      _ status: String = "200 OK", _ headers: String = "Content-Type: text/plain\r\n",
      body: [UInt8] = []
    ) {
      send("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.count)\r\n\r\n")
      send(body)
    }
  }

  /// Answers one request; false closes the connection.
  typealias Handler = @Sendable (_ request: String, _ connection: Connection) -> Bool

  let port: UInt16
  private let listener: Int32
  private let state = Mutex((open: [Int32](), count: 0, isStopped: false))
  private let handler: Handler

  /// Connections accepted so far.
  var connections: Int { state.withLock { $0.count } }

  var url: String { "http://127.0.0.1:\(port)" }

  init(unixPath: String? = nil, handler: @escaping Handler) {
    self.handler = handler
    let type = Int32(SOCK_STREAM.rawValue)
    if let unixPath {
      let listener = socket(AF_UNIX, type, 0)
      self.listener = listener
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { path in
        path.copyBytes(from: Array(unixPath.utf8))
      }
      unlink(unixPath)
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      port = 0
    } else {
      let listener = socket(AF_INET, type, 0)
      self.listener = listener
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let size = length
      _ = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = bind(listener, $0, size)
          return getsockname(listener, $0, &length)
        }
      }
      port = UInt16(bigEndian: address.sin_port)
    }
    listen(listener, 512)
    Self.thread { [self] in acceptConnections() }
  }

  func stop() {
    let open = state.withLock { state in
      state.isStopped = true
      return state.open
    }
    Glibc.shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    for descriptor in open { Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  private func acceptConnections() {
    while true {
      let descriptor = accept(listener, nil, nil)
      if descriptor < 0 { return }
      let number = state.withLock { state -> Int? in
        if state.isStopped { return nil }
        state.open.append(descriptor)
        state.count += 1
        return state.count
      }
      guard let number else {
        close(descriptor)
        return
      }
      Self.thread { [self] in serve(Connection(descriptor: descriptor, number: number)) }
    }
  }

  private func serve(_ connection: Connection) {
    var buffer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    outer: while true {
      while true {
        if let request = Self.takeRequest(&buffer) {
          if !handler(request, connection) { break outer }
          continue
        }
        let n = recv(connection.descriptor, &chunk, chunk.count, 0)
        if n <= 0 { break outer }
        buffer.append(contentsOf: chunk[..<n])
      }
    }
    state.withLock { state in state.open.removeAll { $0 == connection.descriptor } }
    close(connection.descriptor)
  }

  /// One whole request off the front of the bytes received.
  private static func takeRequest(_ buffer: inout [UInt8]) -> String? {
    let text = String(decoding: buffer, as: UTF8.self)
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    var length = 0
    for line in text[..<end.lowerBound].split(separator: "\r\n") {
      if line.lowercased().hasPrefix("content-length:") {
        length = Int(line.dropFirst(15).drop { $0 == " " }) ?? 0
      }
    }
    let total = text[..<end.upperBound].utf8.count + length
    guard buffer.count >= total else { return nil }
    let request = String(decoding: buffer[..<total], as: UTF8.self)
    buffer.removeFirst(total)
    return request
  }

  private static func thread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
      let body: () -> Void
      init(_ body: @escaping () -> Void) { self.body = body }
    }
    var id = pthread_t()
    let context = Unmanaged.passRetained(Box(body)).toOpaque()
    let result = pthread_create(
      &id, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, context)
    precondition(result == 0, "a thread for the test server")
    pthread_detach(id)
  }
}

/// Gzip without compression: enough to test who reads it.
enum StoredGzip {
  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(0xffff)
      rest = rest.dropFirst(block.count)
      out.append(rest.isEmpty ? 1 : 0)
      let n = UInt16(block.count)
      out += [UInt8(n & 0xff), UInt8(n >> 8), UInt8(~n & 0xff), UInt8(~n >> 8)]
      out += block
    } while !rest.isEmpty
    var crc: UInt32 = ~0
    for b in bytes {
      crc ^= UInt32(b)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    for word in [~crc, UInt32(bytes.count)] {
      for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
    }
    return out
  }
}
