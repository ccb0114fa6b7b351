import Kernel
import Model
import YAML

/// Reads the discoveries that ask a server: `http_sd_configs` and `dns_sd_configs`.
struct ServiceDiscoveryReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  /// The entries of `http_sd_configs`.
  func http(_ fields: YAMLFields) -> [HTTPDiscoverySettings] {
    (fields.items("http_sd_configs") ?? []).compactMap { node in
      guard let entry = reader.fields(of: node, "an http_sd_configs entry") else { return nil }
      let url = entry.string("url") ?? ""
      let refresh = entry.duration("refresh_interval") ?? .zero
      let reading = HTTPReading(config: config)
      let http = reading.read(entry)
      check(url, at: entry.node("url") ?? node, reading)
      entry.close()
      return HTTPDiscoverySettings(
        url: url, refreshInterval: refresh == .zero ? .seconds(60) : refresh, http: http)
    }
  }

  private func check(_ url: String, at node: YAMLNode, _ reading: HTTPReading) {
    func refuse(_ message: String) { config.refuse(message, at: node, id: "config/url") }
    if url.isEmpty { return refuse("URL is missing") }
    reading.checkURL(url, node)
    let parts = url.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1)
    let scheme = parts.count > 1 ? GoText.lowercased(String(parts[0]) ?? "") : ""
    guard scheme == "http" || scheme == "https", let rest = parts.last else {
      return refuse("URL scheme must be 'http' or 'https'")
    }
    let slashes = rest.prefix { $0 == UInt8(ascii: "/") }
    let host = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
    if slashes.count < 2 || host.isEmpty { refuse("host is missing in URL") }
  }

  /// The entries of `dns_sd_configs`.
  func dns(_ fields: YAMLFields) -> [DNSDiscoverySettings] {
    (fields.items("dns_sd_configs") ?? []).compactMap { node in
      guard let entry = reader.fields(of: node, "a dns_sd_configs entry") else { return nil }
      let names = (entry.strings("names") ?? []).map(\.text)
      let refresh = entry.duration("refresh_interval") ?? .zero
      let port = entry.int("port") ?? 0
      let type = entry.string("type").flatMap { $0.isEmpty ? nil : $0 } ?? "SRV"
      defer { entry.close() }
      if names.isEmpty {
        config.refuse(
          "DNS-SD config must contain at least one SRV record name", at: node, id: "config/target")
      }
      guard let record = DNSDiscoverySettings.Record(rawValue: type.uppercased()) else {
        config.refuse(
          "invalid DNS-SD records type \(type)", at: entry.node("type") ?? node,
          label: "expected SRV, A, AAAA, MX or NS", id: "config/target")
        return nil
      }
      if record != .srv, port == 0 {
        config.refuse(
          "a port is required in DNS-SD configs for all record types except SRV", at: node,
          id: "config/target")
      }
      return DNSDiscoverySettings(
        names: names, record: record, port: port,
        refreshInterval: refresh == .zero ? .seconds(30) : refresh)
    }
  }
}
