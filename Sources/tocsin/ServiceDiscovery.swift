import Discovery
import Glibc
import HTTPClient
import Kernel
import Model
import Synchronization

/// All ways in which targets come to be known beside `static_configs`.
final class ServiceDiscovery: Sendable {
  private let files: FileDiscovery
  private let servers: HTTPDiscovery
  private let names: DNSDiscovery
  /// Whether the threads that ask servers and look up names run; they do from their first use on.
  private let running = Mutex((servers: false, names: false))

  init(client: AuthorizedClient, log: LogSink, report: @escaping @Sendable (Event) -> Void) {
    files = FileDiscovery(log: log, report: report)
    servers = HTTPDiscovery(
      fetch: { settings, completion in
        let request = HTTPDiscovery.request(settings, userAgent: "Tocsin/\(Tocsin.version)")
        client.send(request, settings.http, completion: completion)
      }, report: report, log: { log.write($0) })
    names = DNSDiscovery(
      lookup: { name, record in
        // The system's configuration may change while we run.
        Result { () throws(DNSMessage.Problem) in
          try Resolver(.system()).records(of: name, record)
        }
      }, report: report, log: { log.write($0) })
  }

  /// Takes over the discoveries of new settings.
  func adopt(_ settings: Settings) {
    files.adopt(settings)
    servers.adopt(settings)
    names.adopt(settings)
    servers.look(now: WallClock.monotonicNanoseconds())
    let starts = running.withLock { running in
      let before = running
      if servers.isWanted { running.servers = true }
      if names.isWanted { running.names = true }
      return (servers: running.servers && !before.servers, names: running.names && !before.names)
    }
    if starts.servers { startAsking() }
    if starts.names { startLookingUp() }
  }

  /// Starts the thread that watches files.
  func start() { files.start() }

  private func startAsking() {
    SystemThread.start("http-sd") { [servers] in
      while true {
        usleep(250_000)
        servers.look(now: WallClock.monotonicNanoseconds())
      }
    }
  }

  private func startLookingUp() {
    SystemThread.start("dns-sd") { [names] in
      while true {
        names.look(now: WallClock.monotonicNanoseconds())
        usleep(500_000)
      }
    }
  }

  /// Counts of the discoveries that ask others.
  func writeMetrics(to out: inout MetricsText) {
    let (lists, names) = (servers.counts, names.counts)
    out.single(
      "prometheus_sd_http_failures_total", .counter,
      "Number of HTTP service discovery refresh failures.", Double(lists.failures))
    out.single(
      "prometheus_sd_dns_lookups_total", .counter, "The number of DNS-SD lookups.",
      Double(names.lookups))
    out.single(
      "prometheus_sd_dns_lookup_failures_total", .counter,
      "The number of DNS-SD lookup failures.", Double(names.failures))
    out.family(
      "prometheus_sd_refresh_failures_total", .counter,
      "Number of refresh failures for the given SD mechanism.")
    out.sample(Double(names.failures), [("mechanism", "dns")])
    out.sample(Double(lists.failures), [("mechanism", "http")])
  }
}
