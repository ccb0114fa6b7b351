import Glibc
import Kernel

/// A client of DNS servers: one question at a time, over UDP, and TCP for long answers.
///
/// Names come from DNS alone, as in Prometheus: neither /etc/hosts nor other sources are asked.
package struct Resolver: Sendable {
  private let config: ResolverConfig

  package init(_ config: ResolverConfig) { self.config = config }

  /// The records of a name; none where every server says that there is no such name.
  ///
  /// Blocks until there is an answer, or every server has had its chances.
  package func records(
    of name: String, _ record: DNSDiscoverySettings.Record
  ) throws(DNSMessage.Problem) -> [DNSMessage.Record] {
    var isCertain = true
    for candidate in config.names(for: name) {
      guard let question = DNSMessage.question(candidate, record) else {
        throw DNSMessage.Problem(description: "\(name) is not a name DNS can hold")
      }
      guard let answer = ask(question) else {
        isCertain = false
        continue
      }
      if answer.code == 0 { return answer.records }
    }
    if isCertain { return [] }
    throw DNSMessage.Problem(
      description: "could not resolve \(name): all servers responded with errors to at least one "
        + "search domain")
  }

  /// The first useful answer: that there is no such name is one.
  private func ask(_ question: [UInt8]) -> DNSMessage? {
    for _ in 0..<config.attempts {
      for server in config.servers {
        guard let connection = Connection(server, config.port, isStream: false),
          let bytes = connection.exchange(question, timeout: config.timeout),
          var answer = try? DNSMessage(bytes)
        else { continue }
        if answer.isTruncated {
          guard let stream = Connection(server, config.port, isStream: true),
            let whole = stream.exchange(question, timeout: config.timeout),
            let long = try? DNSMessage(whole)
          else { continue }
          answer = long
        }
        if answer.code == 0 || answer.code == 3 { return answer }
      }
    }
    return nil
  }
}

/// A socket to a name server.
private final class Connection {
  private let descriptor: Int32
  private let isStream: Bool

  init?(_ server: String, _ port: UInt16, isStream: Bool) {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
    hints.ai_flags = AI_NUMERICHOST
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(server, "\(port)", &hints, &found) == 0, let address = found else {
      return nil
    }
    defer { freeaddrinfo(address) }
    let flags = Int32(SOCK_CLOEXEC.rawValue) | (isStream ? 0 : Int32(SOCK_NONBLOCK.rawValue))
    let opened = socket(address.pointee.ai_family, hints.ai_socktype | flags, 0)
    guard opened >= 0 else { return nil }
    self.isStream = isStream
    descriptor = opened
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
      setsockopt(
        descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    if connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) != 0 {
      return nil
    }
  }

  deinit { close(descriptor) }

  /// Sends a question and waits for its answer.
  func exchange(_ question: [UInt8], timeout: Int) -> [UInt8]? {
    let length = question.count
    let sent = isStream ? [UInt8(length >> 8), UInt8(length & 0xff)] + question : question
    guard send(descriptor, sent, sent.count, Int32(MSG_NOSIGNAL)) == sent.count else {
      return nil
    }
    if isStream {
      guard let head = receive(exactly: 2) else { return nil }
      return receive(exactly: Int(head[0]) << 8 | Int(head[1]))
    }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    // An answer to another question (a late one, or a forged one) is passed over.
    for _ in 0..<8 {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, Int32(timeout) * 1000) > 0 else { return nil }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      if count >= 12, buffer[0] == question[0], buffer[1] == question[1] {
        return Array(buffer.prefix(count))
      }
    }
    return nil
  }

  private func receive(exactly count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < count {
      let n = recv(descriptor, &buffer, min(buffer.count, count - bytes.count), 0)
      guard n > 0 else { return nil }
      bytes += buffer.prefix(n)
    }
    return bytes
  }
}
