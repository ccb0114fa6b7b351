import HTTPClient
import Kernel
import Model
import Synchronization

/// Asks servers for lists of targets and of Alertmanagers (`http_sd_configs`).
///
/// A list replaces the one before as a whole. A server that does not answer, or answers nonsense,
/// changes nothing: its last good list stays.
package final class HTTPDiscovery: Sendable {
  /// Sends the request of a discovery; the completion comes on any thread.
  package typealias Fetch =
    @Sendable (HTTPDiscoverySettings, @escaping @Sendable (HTTPOutcome) -> Void) -> Void

  /// Bytes of one list.
  package static let bodyLimit = 64 << 20

  private typealias Watch = DiscoveryWatch<HTTPDiscoverySettings>

  private struct State {
    var watches: [Watch] = []
    var answers: [(watch: Watch, outcome: HTTPOutcome)] = []
    var refreshes: UInt64 = 0
    var failures: UInt64 = 0
  }

  private let state = Mutex(State())
  private let fetch: Fetch
  private let report: @Sendable (Event) -> Void
  private let log: @Sendable (LogRecord) -> Void

  package init(
    fetch: @escaping Fetch, report: @escaping @Sendable (Event) -> Void,
    log: @escaping @Sendable (LogRecord) -> Void
  ) {
    self.fetch = fetch
    self.report = report
    self.log = log
  }

  /// Requests that came to an end, and those of them that brought no list.
  package var counts: (refreshes: UInt64, failures: UInt64) {
    state.withLock { ($0.refreshes, $0.failures) }
  }

  /// The request of a discovery, authentication aside.
  package static func request(_ settings: HTTPDiscoverySettings, userAgent: String) -> HTTPRequest {
    var request = HTTPRequest(url: settings.url)
    request.timeout = Int(settings.refreshInterval.milliseconds)
    request.bodyLimit = bodyLimit
    request.headers = [
      ("Accept", "application/json"), ("User-Agent", userAgent),
      (
        "X-Prometheus-Refresh-Interval-Seconds",
        NumberText.plain(settings.refreshInterval.seconds)
      ),
    ]
    return request
  }

  /// Whether the settings name servers to ask.
  package var isWanted: Bool { state.withLock { !$0.watches.isEmpty } }

  /// Takes over the discoveries of new settings.
  package func adopt(_ settings: Settings) {
    let all = DiscoveryOwner.all(
      in: settings, scrapes: \.httpDiscovery, alertmanagers: \.httpDiscovery)
    let fresh = all.map {
      Watch(owner: $0.owner, mechanism: "http_sd/\($0.index)", settings: $0.settings)
    }
    state.withLock { state in
      state.watches = Watch.adopted(fresh, from: state.watches, gone: report)
    }
  }

  /// Takes the answers that have come, and sends the requests that are due.
  package func look(now: UInt64) {
    let due = state.withLock { state -> [Watch] in
      for answer in state.answers { take(answer.outcome, of: answer.watch, &state) }
      state.answers = []
      var due: [Watch] = []
      for i in state.watches.indices
      where !state.watches[i].isUnderWay && state.watches[i].nextRefresh <= now {
        state.watches[i].isUnderWay = true
        let interval = max(1000, state.watches[i].settings.refreshInterval.milliseconds)
        state.watches[i].nextRefresh = now + UInt64(interval) * 1_000_000
        due.append(state.watches[i])
      }
      return due
    }
    for watch in due {
      fetch(watch.settings) { [self] outcome in
        state.withLock { $0.answers.append((watch, outcome)) }
      }
    }
  }

  private func take(_ outcome: HTTPOutcome, of asked: Watch, _ state: inout State) {
    state.refreshes += 1
    let place = state.watches.firstIndex { $0.isSame(as: asked) && $0.isUnderWay }
    guard let place else { return }
    state.watches[place].isUnderWay = false
    let url = state.watches[place].settings.url
    do throws(TargetListProblem) {
      let groups = try Self.groups(in: outcome, url: url)
      state.watches[place].lastProblem = ""
      if let event = state.watches[place].news(groups) { report(event) }
    } catch {
      state.failures += 1
      let isNew = !ByteOrder.equal(state.watches[place].lastProblem, error.description)
      state.watches[place].lastProblem = error.description
      log(
        LogRecord(
          isNew ? .error : .debug, "discovery",
          "A list of targets cannot be had; the last good one stays",
          [
            asked.owner.field, ("url", SecretText.redacted(url: url)), ("err", error.description),
          ]))
    }
  }

  private static func groups(
    in outcome: HTTPOutcome, url: String
  ) throws(TargetListProblem) -> [TargetGroup] {
    switch outcome.result {
    case .failure(let failure):
      throw TargetListProblem(outcome.failureText ?? failure.text)
    case .success(let response):
      if response.status != 200 {
        throw TargetListProblem("server returned HTTP status \(response.statusText)")
      }
      guard isJSON(response.contentType) else {
        throw TargetListProblem("unsupported content type \(GoText.quote(response.contentType))")
      }
      return try TargetList.parse(response.body, url: url)
    }
  }

  /// `application/json`, with a charset of UTF-8 at most.
  private static func isJSON(_ type: String) -> Bool {
    let parts = type.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 1)
    guard let first = parts.first, GoText.lowercased(String(first) ?? "") == "application/json"
    else { return false }
    if parts.count == 1 { return !type.utf8.contains(UInt8(ascii: ";")) }
    let rest = parts[1].drop { $0 == 0x20 || $0 == 0x09 }
    let charset = GoText.lowercased(String(rest) ?? "")
    return charset == "charset=utf-8" || charset == "charset=\"utf-8\""
  }
}
