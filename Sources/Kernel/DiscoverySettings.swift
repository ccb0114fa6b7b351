import Model

/// One `http_sd_configs` entry.
package struct HTTPDiscoverySettings: Sendable, Hashable {
  package var url: String
  /// Between two requests; also the longest a request may take.
  package var refreshInterval: PromDuration
  package var http: HTTPSettings

  package init(
    url: String, refreshInterval: PromDuration = .seconds(60), http: HTTPSettings = HTTPSettings()
  ) {
    self.url = url
    self.refreshInterval = refreshInterval
    self.http = http
  }
}

/// One `dns_sd_configs` entry.
package struct DNSDiscoverySettings: Sendable, Hashable {
  /// The records that are asked for.
  package enum Record: String, Sendable, CaseIterable {
    case a = "A"
    case aaaa = "AAAA"
    case srv = "SRV"
    case mx = "MX"
    case ns = "NS"
  }

  package var names: [String]
  package var record: Record
  /// Of the targets; SRV records bring their own.
  package var port: Int
  package var refreshInterval: PromDuration

  package init(
    names: [String], record: Record = .srv, port: Int = 0,
    refreshInterval: PromDuration = .seconds(30)
  ) {
    self.names = names
    self.record = record
    self.port = port
    self.refreshInterval = refreshInterval
  }
}

extension AlertmanagerSettings {
  /// The names of the mechanisms that may report the same as those of other settings.
  func mechanisms(sharedWith other: AlertmanagerSettings) -> Set<String> {
    func shared<One: Equatable>(
      _ kind: String, _ list: (AlertmanagerSettings) -> [One]
    ) -> [String] {
      let pairs = zip(list(self), list(other)).enumerated()
      return pairs.filter { $1.0 == $1.1 }.map { "\(kind)/\($0.offset)" }
    }
    return Set(
      shared("file_sd", \.fileDiscovery) + shared("http_sd", \.httpDiscovery)
        + shared("dns_sd", \.dnsDiscovery))
  }
}

extension ScrapeSettings {
  /// The names of the mechanisms that may report targets of this job.
  package var mechanisms: [String] {
    fileDiscovery.indices.map { "file_sd/\($0)" } + httpDiscovery.indices.map { "http_sd/\($0)" }
      + dnsDiscovery.indices.map { "dns_sd/\($0)" }
  }
}
