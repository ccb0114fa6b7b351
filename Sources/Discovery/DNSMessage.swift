import Kernel

/// What a DNS server answered.
package struct DNSMessage: Sendable, Equatable {
  /// One record of the answer section, as far as it is of use here.
  package enum Record: Sendable, Equatable {
    case address(String)
    case service(target: String, port: Int)
    case mail(String)
    case nameServer(String)
  }

  /// Why bytes are no answer.
  package struct Problem: Error, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// 0: in order, 3: there is no such name.
  package private(set) var code = 0
  package private(set) var records: [Record] = []
  /// The answer was too long for a datagram.
  package private(set) var isTruncated = false

  /// Reads a message (RFC 1035): bounded, and safe against names that point at themselves.
  package init(_ bytes: [UInt8]) throws(Problem) {
    var reader = Reader(bytes: bytes)
    _ = try reader.number(2)
    let flags = try reader.number(2)
    code = flags & 0xf
    isTruncated = flags & 0x200 != 0
    // What there is of a truncated answer is of no use.
    if isTruncated { return }
    let questions = try reader.number(2)
    let answers = try reader.number(2)
    _ = try reader.number(4)
    for _ in 0..<questions {
      _ = try reader.name()
      _ = try reader.number(4)
    }
    for _ in 0..<answers {
      if let record = try reader.record() { records.append(record) }
    }
  }

  /// A question for the records of a rooted name; nil for a name that DNS cannot hold.
  package static func question(
    _ name: String, _ record: DNSDiscoverySettings.Record,
    id: UInt16 = UInt16.random(in: 0...UInt16.max)
  ) -> [UInt8]? {
    let labels = name.utf8.split(separator: UInt8(ascii: "."))
    guard name.utf8.count <= 254, labels.allSatisfy({ (1...63).contains($0.count) }) else {
      return nil
    }
    // Recursion desired; one question, and room for long answers (EDNS).
    var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    for label in labels {
      bytes.append(UInt8(label.count))
      bytes += label
    }
    let type: UInt8 =
      switch record {
      case .a: 1
      case .ns: 2
      case .mx: 15
      case .aaaa: 28
      case .srv: 33
      }
    bytes += [0, 0, type, 0, 1]
    bytes += [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]
    return bytes
  }

  private struct Reader {
    let bytes: [UInt8]
    var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func number(_ width: Int) throws(Problem) -> Int {
      guard at + width <= bytes.count else { throw Self.truncated }
      defer { at += width }
      return bytes[at..<(at + width)].reduce(0) { $0 << 8 | Int($1) }
    }

    static let truncated = Problem(description: "the answer is truncated")

    /// A name with a dot behind each label.
    mutating func name() throws(Problem) -> String {
      var text: [UInt8] = []
      var place = at
      var end: Int?
      var steps = 0
      while true {
        guard place < bytes.count else { throw Self.truncated }
        let length = Int(bytes[place])
        steps += 1
        if steps > 255 { throw Problem(description: "a name in the answer never ends") }
        if length == 0 {
          at = end ?? place + 1
          return text.isEmpty ? "." : String(decoding: text, as: UTF8.self)
        }
        if length & 0xc0 == 0xc0 {
          guard place + 1 < bytes.count else { throw Self.truncated }
          if end == nil { end = place + 2 }
          place = (length & 0x3f) << 8 | Int(bytes[place + 1])
          continue
        }
        guard length < 64, place + 1 + length <= bytes.count else {
          throw Problem(description: "a name in the answer is malformed")
        }
        text += bytes[(place + 1)..<(place + 1 + length)]
        text.append(UInt8(ascii: "."))
        place += 1 + length
      }
    }

    /// A record; nil for one of another type (an alias, say).
    mutating func record() throws(Problem) -> Record? {
      _ = try name()
      let type = try number(2)
      _ = try number(6)
      let length = try number(2)
      let end = at + length
      guard end <= bytes.count else { throw Self.truncated }
      defer { at = end }
      switch type {
      case 1 where length == 4:
        return .address(bytes[at..<end].map(String.init).joined(separator: "."))
      case 28 where length == 16: return .address("[" + Self.address6(bytes[at..<end]) + "]")
      case 2: return .nameServer(try name())
      case 15:
        _ = try number(2)
        return .mail(try name())
      case 33:
        _ = try number(4)
        let port = try number(2)
        return .service(target: try name(), port: port)
      default: return nil
      }
    }

    /// The usual short text: the longest run of zeros, of two at least, becomes `::`.
    private static func address6(_ raw: ArraySlice<UInt8>) -> String {
      let bytes = Array(raw)
      let words = (0..<8).map { Int(bytes[2 * $0]) << 8 | Int(bytes[2 * $0 + 1]) }
      var best = 0..<0
      var i = 0
      while i < 8 {
        var j = i
        while j < 8, words[j] == 0 { j += 1 }
        if j - i > max(1, best.count) { best = i..<j }
        i = max(j, i + 1)
      }
      func text(_ part: ArraySlice<Int>) -> String {
        part.map { String($0, radix: 16) }.joined(separator: ":")
      }
      if best.isEmpty { return text(words[...]) }
      return text(words[..<best.lowerBound]) + "::" + text(words[best.upperBound...])
    }
  }
}
