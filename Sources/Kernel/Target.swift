import Exposition
import Model
import Storage

/// How a target did at its last scrape.
package enum TargetHealth: String, Hashable, Sendable {
  case unknown, up, down
}

/// A target at work: its schedule, its source in the store and the outcome of its last scrape.
final class Target {
  let id: TargetID
  let job: String
  let source: SourceID
  let cache: ScrapeCache
  private(set) var spec: TargetSpec
  private(set) var settings: ScrapeSettings
  private(set) var schedule: SlotSchedule
  private(set) var relabeling: SampleRelabeling
  var nextSlot: Timestamp
  /// The slot of the request on its way.
  var inFlight: Timestamp?
  /// The columns of the series it exposes, by the payload of their lines.
  var columns: [Column] = []
  /// The series with timestamps of their own, likewise.
  var timedSeries: [SeriesID?] = []
  var timedLabels: [LabelSet] = []
  /// Timed series of the last scrape, kept only if their end shall be marked.
  var liveTimed: [SeriesID] = []
  var synthetic: [Column?] = []
  var demandGeneration: UInt64 = 0
  /// Refuses every scrape (the pool has too many targets).
  var forcedFailure: String?
  private(set) var health = TargetHealth.unknown
  private(set) var lastError = ""
  private(set) var lastScrape: Timestamp?
  private(set) var lastSeconds = 0.0
  private(set) var lastSamples = 0
  private var hasWarned = false
  private var refusesSamples = false
  /// What was asked for last time, as long as nothing about it changes.
  private var knownRequest: (userAgent: String, request: ScrapeRequest)?
  /// What the last Content-Type stood for.
  private var knownFormat: (contentType: String, format: ExpositionFormat, warning: String?)?

  init(
    id: TargetID, spec: TargetSpec, settings: ScrapeSettings, source: SourceID,
    buffers: ScanBuffers, now: Timestamp
  ) {
    self.id = id
    self.spec = spec
    self.settings = settings
    self.source = source
    job = settings.jobName
    cache = ScrapeCache(buffers: buffers)
    relabeling = SampleRelabeling(target: spec.labels, settings: settings)
    schedule = Self.schedule(spec)
    nextSlot = schedule.slot(after: now)
  }

  private static func schedule(_ spec: TargetSpec) -> SlotSchedule {
    SlotSchedule(interval: spec.interval, hash: StableHash.of("target", spec.key))
  }

  /// Obeys new settings; what is known of lines is forgotten, since they may be relabelled
  /// differently.
  func update(_ spec: TargetSpec, _ settings: ScrapeSettings, at now: Timestamp) {
    let changesSchedule = spec.interval != self.spec.interval
    self.spec = spec
    self.settings = settings
    knownRequest = nil
    knownFormat = nil
    relabeling = SampleRelabeling(target: spec.labels, settings: settings)
    forgetResolutions()
    if changesSchedule {
      schedule = Self.schedule(spec)
      nextSlot = schedule.slot(after: now)
    }
  }

  /// Forgets which series the known lines stand for.
  private func forgetResolutions() {
    let payloads = cache.payloads
    for i in payloads.indices where payloads[i] != ScrapeCache.unresolved {
      payloads[i] = ScrapeCommit.asksAgain
    }
    columns.removeAll()
    timedSeries.removeAll()
    timedLabels.removeAll()
  }

  /// Starts over when most of what is remembered belongs to lines that are gone.
  func compactResolutions() {
    let most = 2 * cache.payloads.count + 1024
    if columns.count > most || timedSeries.count > most { forgetResolutions() }
  }

  /// The format that a Content-Type stands for.
  func format(
    of contentType: String
  ) throws(ExpositionProblem) -> (format: ExpositionFormat, warning: String?) {
    if let known = knownFormat, ByteOrder.equal(known.contentType, contentType) {
      return (known.format, known.warning)
    }
    let (format, warning) = try ExpositionFormat.from(
      contentType: contentType, fallback: settings.fallbackScrapeProtocol)
    knownFormat = (contentType, format, warning)
    return (format, warning)
  }

  /// The request of a scrape.
  func request(userAgent: String) -> ScrapeRequest {
    if let knownRequest, ByteOrder.equal(knownRequest.userAgent, userAgent) {
      return knownRequest.request
    }
    let request = newRequest(userAgent: userAgent)
    knownRequest = (userAgent, request)
    return request
  }

  private func newRequest(userAgent: String) -> ScrapeRequest {
    var protocols = settings.scrapeProtocols.compactMap(ScrapeProtocol.init(rawValue:))
    if protocols.isEmpty {
      // Native histograms come in protobuf only.
      protocols = (settings.histograms.readsNative ? [.protobuf] : []) + ScrapeProtocol.defaults
    }
    return ScrapeRequest(
      url: spec.url,
      headers: [
        ("Accept", ScrapeProtocol.acceptHeader(protocols, escaping: settings.nameEscaping)),
        ("User-Agent", userAgent),
        ("X-Prometheus-Scrape-Timeout-Seconds", NumberText.plain(spec.timeout.seconds)),
      ],
      http: settings.http, timeout: spec.timeout, bodySizeLimit: settings.bodySizeLimit,
      acceptsGzip: settings.enableCompression, unixSocketPath: spec.unixSocketPath)
  }

  /// Notes an outcome and logs it if the health changed.
  func note(
    _ failure: String?, at time: Timestamp, seconds: Double, samples: Int,
    _ effects: inout EffectList
  ) {
    lastScrape = time
    lastSeconds = seconds
    lastSamples = samples
    let before = health
    health = failure == nil ? .up : .down
    let errorChanged = !ByteOrder.equal(lastError, failure ?? "")
    lastError = failure ?? ""
    if let failure, let file = settings.failureLogFile {
      effects.append(failure: failure, job: job, target: shownURL, to: file)
    }
    if health != before {
      let fields = [("job", job), ("target", shownURL)]
      if let failure {
        effects.log(.warn, "scrape", "Target is down", fields + [("err", failure)])
      } else {
        effects.log(before == .unknown ? .debug : .info, "scrape", "Target is up", fields)
      }
    } else if let failure, errorChanged {
      effects.log(
        .debug, "scrape", "Scrape failed",
        [("job", job), ("target", shownURL), ("err", failure)])
    }
  }

  /// The URL as the log shows it.
  private var shownURL: String { SecretText.redacted(url: spec.url) }

  /// Logs that samples were refused, once per change.
  func note(refused: Bool, _ tally: ScrapeTally, _ effects: inout EffectList) {
    if refused == refusesSamples { return }
    refusesSamples = refused
    if !refused { return }
    effects.log(
      .warn, "scrape", "Samples of a target were refused",
      [
        ("job", job), ("target", shownURL), ("duplicate", "\(tally.duplicates)"),
        ("out_of_order", "\(tally.outOfOrder)"), ("out_of_bounds", "\(tally.outOfBounds)"),
      ])
  }

  /// Logs a remark about the target once in its life.
  func warnOnce(_ message: String, _ effects: inout EffectList) {
    if hasWarned { return }
    hasWarned = true
    effects.log(.warn, "scrape", message, [("job", job), ("target", shownURL)])
  }
}
