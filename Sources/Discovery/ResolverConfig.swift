import Glibc

/// Which name servers to ask, and what to try behind a short name: resolv.conf.
package struct ResolverConfig: Sendable, Equatable {
  package var servers: [String] = []
  package var search: [String] = []
  /// A name with fewer dots is tried with the search list first.
  package var dots = 1
  /// Seconds to wait for each answer.
  package var timeout = 5
  package var attempts = 2
  package var port: UInt16 = 53

  /// Reads the text of a resolv.conf; lines nobody knows are passed over.
  package init(parsing text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
      guard let key = words.first else { continue }
      let rest = Array(words.dropFirst())
      switch key {
      case "nameserver": if let server = rest.first { servers.append(server) }
      case "domain": if let domain = rest.first { search = [domain] }
      case "search": search = rest
      case "options": for option in rest { read(option) }
      default: break
      }
    }
    if servers.isEmpty { servers = ["127.0.0.1"] }
  }

  private mutating func read(_ option: String) {
    let parts = option.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let number = Int(parts[1]) else { return }
    switch parts[0] {
    case "ndots": dots = min(max(number, 0), 15)
    case "timeout": timeout = min(max(number, 1), 30)
    case "attempts": attempts = min(max(number, 1), 5)
    default: break
    }
  }

  /// The names to try, each with its last dot.
  package func names(for name: String) -> [String] {
    if name.hasSuffix(".") { return [name] }
    let own = name + "."
    let others = search.map { name + "." + ($0.hasSuffix(".") ? $0 : $0 + ".") }
    let isLong = name.utf8.filter { $0 == UInt8(ascii: ".") }.count >= dots
    return isLong ? [own] + others : others + [own]
  }

  /// The system's configuration as it stands now.
  package static func system() -> ResolverConfig {
    guard let file = fopen("/etc/resolv.conf", "r") else { return ResolverConfig(parsing: "") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = fread(&bytes, 1, bytes.count, file)
    return ResolverConfig(parsing: String(decoding: bytes.prefix(count), as: UTF8.self))
  }
}
