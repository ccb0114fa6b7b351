import Exposition
import Model
import Storage

/// What a scrape did, for the synthetic series and the metrics.
struct ScrapeTally {
  var scraped = 0
  var kept = 0
  var added = 0
  var duplicates = 0
  var outOfOrder = 0
  var outOfBounds = 0
  var exceededSampleLimit = false
  var exceededBodySize = false
  var exceededBucketLimit = false
  /// Decoded bytes of the body; −1 where they reached the limit.
  var bodySize = 0
}

/// Turns the outcome of one scrape into one row of its target's source: all of it, or stale
/// markers.
///
/// In steady state a sample costs a comparison of payloads and a store to the row; labels are built
/// only for lines that were not there last time.
struct ScrapeCommit {
  /// Payloads with a meaning of their own, below `ScrapeCache.unresolved`.
  private static let dropped = UInt64.max - 1
  private static let unwanted = UInt64.max - 2
  /// Was unwanted; the selectors have changed since.
  static let asksAgain = UInt64.max - 3
  /// Set in payloads that lead to a timed series.
  private static let timedFlag: UInt64 = 1 << 40
  /// Samples further ahead than this are refused.
  private static let mostAhead = PromDuration.minutes(10)

  private static let syntheticNames = [
    "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added",
  ]
  /// Written with `extra_scrape_metrics`.
  private static let extraNames = [
    "scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes",
  ]

  let target: Target
  let store: Store
  let now: Timestamp
  private(set) var tally = ScrapeTally()
  private(set) var warning: String?

  init(target: Target, store: Store, now: Timestamp) {
    self.target = target
    self.store = store
    self.now = now
  }

  /// Writes the row; returns why the scrape failed, or nil.
  mutating func write(_ outcome: ScrapeOutcome, at time: Timestamp) -> String? {
    defer { target.cache.letGo() }
    var failure: String?
    do throws(ScrapeFailure) {
      try parse(outcome.result)
      try writeSamples(outcome, at: time)
    } catch {
      failure = error.message
      writeFailure(outcome, at: time)
    }
    return failure
  }

  private mutating func parse(_ result: ScrapeOutcome.Result) throws(ScrapeFailure) {
    let body: [UInt8]
    let contentType: String
    switch result {
    case .failure(let reason): throw ScrapeFailure(reason)
    case .bodyTooLarge:
      tally.exceededBodySize = true
      tally.bodySize = -1
      throw ScrapeFailure("body size limit exceeded")
    case .body(let bytes, let type):
      body = bytes
      contentType = type
    }
    let limit = target.settings.bodySizeLimit
    if limit > 0, body.count >= limit {
      tally.exceededBodySize = true
      tally.bodySize = -1
      throw ScrapeFailure("body size limit exceeded")
    }
    tally.bodySize = body.count
    do throws(ExpositionProblem) {
      let (format, warning) = try target.format(of: contentType)
      self.warning = warning
      let summary = try target.cache.scan(
        body, format: format, honorTimestamps: target.settings.honorTimestamps,
        histograms: target.settings.histograms)
      tally.scraped = summary.samples
      tally.duplicates = summary.duplicates
      tally.kept = summary.duplicates
    } catch {
      // What was read before the problem counts, as in Prometheus.
      let partial = target.cache.failedSummary
      tally.scraped = partial.samples
      tally.kept = partial.samples
      tally.added = partial.newEntries
      throw ScrapeFailure(error.message)
    }
  }

  private mutating func writeSamples(
    _ outcome: ScrapeOutcome, at time: Timestamp
  ) throws(ScrapeFailure) {
    askAgainIfDemandChanged()
    var row = try beginRow(at: time)
    do throws(ScrapeFailure) {
      try fill(&row)
      try fillHistograms(&row)
      try resolveTimed()
      let limit = target.settings.sampleLimit
      if limit > 0, tally.kept > limit {
        tally.exceededSampleLimit = true
        throw ScrapeFailure("sample limit exceeded")
      }
    } catch {
      store.abandon(row)
      throw error
    }
    writeTimed(at: time)
    target.compactResolutions()
    writeSynthetic(to: &row, isUp: true, seconds: outcome.seconds)
    note(store.commit(row, markMissingStale: true))
  }

  private func beginRow(at time: Timestamp) throws(ScrapeFailure) -> RowWriter {
    do {
      return try store.beginRow(target.source, at: time)
    } catch {
      throw ScrapeFailure("out of order sample")
    }
  }

  /// The hot loop: every sample without a timestamp of its own.
  private mutating func fill(_ row: inout RowWriter) throws(ScrapeFailure) {
    let entries = target.cache.sampleEntries
    let values = target.cache.sampleValues
    let payloads = target.cache.payloads
    let firstSpecial = Self.timedFlag
    var columns = target.columns
    target.columns = []
    defer { target.columns = columns }
    var kept = 0
    var duplicates = 0
    for i in 0..<entries.count {
      let entry = Int(entries[i])
      var payload = payloads[entry]
      if payload >= firstSpecial {
        if payload == Self.dropped { continue }
        if payload != Self.unwanted {
          payload = try resolve(UInt32(entry), payload, &columns)
          payloads[entry] = payload
          if payload == Self.dropped { continue }
        }
        kept += 1
        if payload == Self.unwanted { continue }
      } else {
        kept += 1
      }
      let column = columns[Int(payload)]
      if row.isSet(column) {
        duplicates += 1
      } else if !row.set(column, values[i]) {
        payload = try resolve(UInt32(entry), Self.asksAgain, &columns)
        payloads[entry] = payload
        if payload < firstSpecial { row.set(columns[Int(payload)], values[i]) }
      }
    }
    tally.kept += kept
    tally.duplicates += duplicates
  }

  /// Finds out what a line stands for: the cold path.
  private mutating func resolve(
    _ entry: UInt32, _ payload: UInt64, _ columns: inout [Column]
  ) throws(ScrapeFailure) -> UInt64 {
    guard let labels = try labels(of: entry) else { return Self.dropped }
    if payload == ScrapeCache.unresolved { tally.added += 1 }
    guard let column = store.column(for: labels, in: target.source) else { return Self.unwanted }
    columns.append(column)
    return UInt64(columns.count - 1)
  }

  /// Puts the native histograms without a time of their own into the row.
  private mutating func fillHistograms(_ row: inout RowWriter) throws(ScrapeFailure) {
    let payloads = target.cache.payloads
    for sample in target.cache.histograms {
      guard let value = limited(sample.value) else {
        tally.exceededBucketLimit = true
        throw ScrapeFailure("histogram bucket limit exceeded")
      }
      if sample.timestamp != nil { continue }
      let entry = Int(sample.entry)
      var payload = payloads[entry]
      // A second time where the store has given the column to another series.
      for _ in 0..<2 {
        if payload == Self.dropped { break }
        if payload >= Self.timedFlag && payload != Self.unwanted {
          payload = try resolve(sample.entry, payload, &target.columns)
          payloads[entry] = payload
          if payload == Self.dropped { break }
        }
        if payload == Self.unwanted { break }
        let column = target.columns[Int(payload)]
        if row.isSet(column) {
          tally.duplicates += 1
          break
        }
        if row.set(column, .histogram(value)) { break }
        payload = Self.asksAgain
      }
      if payload != Self.dropped { tally.kept += 1 }
    }
  }

  private func limited(_ histogram: FloatHistogram) -> FloatHistogram? {
    HistogramLimits.apply(target.settings, to: histogram)
  }

  private func labels(of entry: UInt32) throws(ScrapeFailure) -> LabelSet? {
    let scraped: LabelSet
    do {
      scraped = try target.cache.labels(of: entry)
    } catch {
      throw ScrapeFailure(error.message)
    }
    return try target.relabeling.apply(to: scraped)
  }

  /// A selector may want now what none wanted before.
  private func askAgainIfDemandChanged() {
    if target.demandGeneration == store.demandGeneration { return }
    target.demandGeneration = store.demandGeneration
    let payloads = target.cache.payloads
    for i in payloads.indices where payloads[i] == Self.unwanted { payloads[i] = Self.asksAgain }
  }

  // Samples with their own time

  private mutating func resolveTimed() throws(ScrapeFailure) {
    for sample in target.cache.timed { try noteTimed(sample.entry) }
    for sample in target.cache.histograms where sample.timestamp != nil {
      try noteTimed(sample.entry)
    }
  }

  private mutating func noteTimed(_ number: UInt32) throws(ScrapeFailure) {
    let payloads = target.cache.payloads
    let entry = Int(number)
    let payload = payloads[entry]
    if payload == Self.dropped { return }
    tally.kept += 1
    if payload == Self.unwanted { return }
    if payload & Self.timedFlag != 0 && payload < Self.asksAgain { return }
    payloads[entry] = try resolveTimed(number, payload)
    if payloads[entry] == Self.dropped { tally.kept -= 1 }
  }

  private mutating func resolveTimed(
    _ entry: UInt32, _ payload: UInt64
  ) throws(ScrapeFailure) -> UInt64 {
    guard let labels = try labels(of: entry) else { return Self.dropped }
    if payload == ScrapeCache.unresolved { tally.added += 1 }
    guard let series = store.series(for: labels) else { return Self.unwanted }
    target.timedSeries.append(series)
    target.timedLabels.append(labels)
    return Self.timedFlag | UInt64(target.timedSeries.count - 1)
  }

  private mutating func writeTimed(at time: Timestamp) {
    var live: [SeriesID] = []
    for sample in target.cache.timed {
      write(sample.entry, .float(sample.value), at: sample.timestamp, &live)
    }
    for sample in target.cache.histograms {
      guard let own = sample.timestamp, let value = limited(sample.value) else { continue }
      write(sample.entry, .histogram(value), at: own, &live)
    }
    endTimed(except: Set(live), at: time)
    target.liveTimed = live
  }

  /// Appends a sample with a time of its own; `live` gets its series if their end counts.
  private mutating func write(
    _ entry: UInt32, _ value: SampleValue, at time: Timestamp, _ live: inout [SeriesID]
  ) {
    let payload = target.cache.payloads[Int(entry)]
    guard payload & Self.timedFlag != 0, payload < Self.asksAgain else { return }
    let place = Int(payload & ~Self.timedFlag)
    guard let series = target.timedSeries[place] else { return }
    if time > now + Self.mostAhead {
      tally.outOfBounds += 1
      return
    }
    append(value, at: time, to: series, place: place)
    if target.settings.trackTimestampsStaleness, let known = target.timedSeries[place] {
      live.append(known)
    }
  }

  private mutating func append(
    _ value: SampleValue, at time: Timestamp, to series: SeriesID, place: Int
  ) {
    do throws(AppendProblem) {
      if try store.append(to: series, at: time, value) { return }
      // The store has forgotten the series meanwhile.
      target.timedSeries[place] = store.series(for: target.timedLabels[place])
      if let renewed = target.timedSeries[place] {
        try store.append(to: renewed, at: time, value)
      }
    } catch {
      switch error {
      case .outOfOrder: tally.outOfOrder += 1
      case .duplicate: tally.duplicates += 1
      case .tooOld: tally.outOfBounds += 1
      }
    }
  }

  /// Marks the end of timed series that were there last time.
  private func endTimed(except live: Set<SeriesID>, at time: Timestamp) {
    for series in target.liveTimed where !live.contains(series) {
      _ = try? store.append(to: series, at: time, .float(SpecialValue.stale))
    }
  }

  // Synthetic series

  /// A row with stale markers for everything but the synthetic series.
  private mutating func writeFailure(_ outcome: ScrapeOutcome, at time: Timestamp) {
    endTimed(except: [], at: time)
    target.liveTimed = []
    guard var row = try? store.beginRow(target.source, at: time) else {
      tally.outOfOrder += 1
      return
    }
    writeSynthetic(to: &row, isUp: false, seconds: outcome.seconds)
    note(store.commit(row, markMissingStale: true))
  }

  private func writeSynthetic(to row: inout RowWriter, isUp: Bool, seconds: Double) {
    var values = [
      isUp ? 1 : 0, seconds, Double(tally.scraped), Double(tally.kept),
      Double(tally.added),
    ]
    var names = Self.syntheticNames
    if target.settings.extraScrapeMetrics {
      names += Self.extraNames
      values += [
        target.spec.timeout.seconds, Double(target.settings.sampleLimit), Double(tally.bodySize),
      ]
    }
    if target.synthetic.count < values.count {
      target.synthetic = [Column?](repeating: nil, count: values.count)
    }
    for (i, value) in values.enumerated() {
      if let column = target.synthetic[i], row.set(column, value) { continue }
      let labels = target.spec.labels.setting(LabelName.metricName, to: names[i])
      target.synthetic[i] = store.column(for: labels, in: target.source, always: true)
      if let column = target.synthetic[i] { row.set(column, value) }
    }
  }

  private mutating func note(_ summary: RowSummary) {
    tally.outOfOrder += summary.outOfOrder
    tally.duplicates += summary.duplicates
  }
}
