import Model
import Storage
import TestSupport
import Testing

/// What was stored of a store brings it back, at any moment and any number of times.
@Suite struct SnapshotTests {
  @Test(arguments: 0..<40)
  func whatIsStoredComesBack(seed: UInt64) throws {
    var world = SnapshotWorld(seed: seed)
    for step in 0..<150 {
      try world.step()
      if step % 10 == 9 { try world.restart("seed \(seed) step \(step)") }
    }
  }

  @Test func aRestoredSourceGoesOnUnderItsName() throws {
    let settings = StoreSettings(keep: .all, retention: .minutes(10))
    let old = Store(settings)
    let source = old.openSource("target app")
    let labels = LabelSet([("__name__", "x")])
    let column = try #require(old.column(for: labels, in: source))
    for i in 0..<5 {
      var row = try old.beginRow(source, at: Timestamp(seconds: Double(100 + i)))
      row.set(column, Double(i))
      old.commit(row, markMissingStale: true)
    }
    let changes = old.takeChanges()
    #expect(changes.startsOver)
    #expect(changes.rows.count == 5)
    #expect(old.takeChanges().isEmpty)

    let new = Store(settings)
    let summary = new.restore(changes, now: Timestamp(seconds: 110), areStored: true)
    #expect(summary.samples == 5)
    let again = new.openSource("target app")
    #expect(throws: AppendProblem.outOfOrder) {
      try new.beginRow(again, at: Timestamp(seconds: 104))
    }
    // The series ends where it would have ended.
    let row = try new.beginRow(again, at: Timestamp(seconds: 111))
    #expect(new.commit(row, markMissingStale: true).staleMarkers == 1)
    let next = new.takeChanges()
    #expect(!next.startsOver)
    #expect(next.sources.isEmpty, "it goes on under its number")
    #expect(next.rows.map(\.time) == [111_000])
    #expect(new.openSource("target app") != again)
  }

  @Test func whatNobodyWantsAndWhatIsTooOldOrNewStaysAway() throws {
    let old = Store(StoreSettings(keep: .all, retention: .hours(10)))
    let source = old.openSource("s")
    let columns = try ["wanted", "unwanted"].map {
      try #require(old.column(for: LabelSet([("__name__", $0)]), in: source))
    }
    for i in 0..<100 {
      var row = try old.beginRow(source, at: Timestamp(seconds: Double(i * 60)))
      for column in columns { row.set(column, 1.5) }
      old.commit(row, markMissingStale: true)
    }
    let changes = old.takeChanges()
    let new = Store(StoreSettings(keep: .rules, retention: .zero))
    _ = new.register([Matcher("__name__", equals: "wanted")], window: .minutes(5))
    let summary = new.restore(changes, now: Timestamp(seconds: 50 * 60), areStored: true)
    #expect(summary.series == 1)
    // Five minutes of the window and one of lateness.
    #expect(summary.samples == 6)
    let gone = new.takeChanges(listsObsolete: true).obsolete
    #expect(gone?.rows.values.first == Int64(45 * 60_000))
  }

  @Test func whatLiesAheadDoesNotComeBackAmongNewerSamples() throws {
    let settings = StoreSettings(keep: .all, retention: .hours(1))
    func scrape(_ store: Store, _ source: SourceID, at seconds: Int, _ value: Double) throws {
      let labels = LabelSet([("__name__", "x")])
      let column = try #require(store.column(for: labels, in: source))
      var row = try store.beginRow(source, at: Timestamp(seconds: Double(seconds)))
      row.set(column, value)
      store.commit(row, markMissingStale: true)
    }
    let old = Store(settings)
    let source = old.openSource("target")
    for i in 0..<10 { try scrape(old, source, at: 100 + i * 10, 1) }
    // Somebody sets the clock back by a minute; a new process finds samples of its future.
    let new = Store(settings)
    #expect(new.restore(old.takeChanges(), now: Timestamp(seconds: 130), areStored: true).rows == 4)
    let again = new.openSource("target")
    for i in 0..<6 { try scrape(new, again, at: 135 + i * 10, 2) }
    let changes = new.takeChanges()
    #expect(changes.startsOver, "what was stored ahead of the clock is stored no longer")
    let next = Store(settings)
    #expect(next.restore(changes, now: Timestamp(seconds: 200), areStored: true).rows == 10)
    #expect(
      changes.rows.map(\.time)
        == [100, 110, 120, 130, 135, 145, 155, 165, 175, 185].map {
          $0 * 1_000
        })
  }

  /// Sealed rows are unpacked in tiles; those of a source of many series once overran their buffer.
  @Test(arguments: [1, 128, 129, 700])
  func sealedRowsOfAWideSourceAreStoredAnew(width: Int) throws {
    let settings = StoreSettings(keep: .all, retention: .hours(10))
    let old = Store(settings)
    let source = old.openSource("wide")
    let columns = try (0..<width).map {
      try #require(old.column(for: ["__name__": "x", "i": "\($0)"], in: source))
    }
    let rows = 500
    for i in 0..<rows {
      var row = try old.beginRow(source, at: Timestamp(seconds: Double(i * 10)))
      for (c, column) in columns.enumerated() { row.set(column, Double(i * width + c)) }
      old.commit(row, markMissingStale: true)
    }
    let first = old.takeChanges()
    old.forgetChanges()
    let again = old.takeChanges()
    #expect(again.startsOver && again.rows.count == rows)
    #expect(again.rows.map(\.cells) == first.rows.map(\.cells))
    let new = Store(settings)
    let end = Timestamp(seconds: Double(rows * 10))
    #expect(new.restore(again, now: end, areStored: false).samples == rows * width)
  }

  @Test func damagedBytesAreRefused() throws {
    let old = Store(StoreSettings(keep: .all, retention: .minutes(10)))
    let source = old.openSource("s")
    let column = try #require(old.column(for: LabelSet([("__name__", "x")]), in: source))
    var random = SeededGenerator(seed: 7)
    for i in 0..<20 {
      var row = try old.beginRow(source, at: Timestamp(seconds: Double(i)))
      row.set(column, Double(i) + 0.5)
      old.commit(row, markMissingStale: true)
      var histogram = FloatHistogram()
      histogram.positiveSpans = [FloatHistogram.Span(offset: 0, length: 2)]
      histogram.positiveBuckets = [1, Double(i)]
      try old.append(
        LabelSet([("__name__", "h")]), at: Timestamp(seconds: Double(i)), .histogram(histogram))
    }
    let changes = old.takeChanges()
    for _ in 0..<500 {
      var damaged = changes
      for i in damaged.rows.indices where !damaged.rows[i].cells.isEmpty {
        let at = Int(random.next() % UInt64(damaged.rows[i].cells.count))
        damaged.rows[i].cells[at] = UInt8(truncatingIfNeeded: random.next())
      }
      for i in damaged.sideRuns.indices {
        let at = Int(random.next() % UInt64(damaged.sideRuns[i].samples.count))
        damaged.sideRuns[i].samples[at] = UInt8(truncatingIfNeeded: random.next())
      }
      let new = Store(StoreSettings(keep: .all, retention: .minutes(10)))
      _ = new.restore(damaged, now: Timestamp(seconds: 30), areStored: false)
    }
  }
}

private struct SnapshotWorld {
  var random: SeededGenerator
  let settings: StoreSettings
  var store: Store
  var selectors: [Selector] = []
  var sources: [SourceID?] = [nil, nil, nil]
  var stored = StoreChanges()
  var now: Int64 = 1_000_000
  let pool: [LabelSet]
  var copiesAsStored: Bool

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    var settings = StoreSettings(keep: seed % 3 == 0 ? .all : .rules, retention: .minutes(4))
    settings.slack = .seconds(Int64(seed % 3))
    settings.rawRows = [4, 8, 16][Int(seed % 3)]
    settings.sealRows = [2, 8, 9][Int(seed % 3)]
    self.settings = settings
    copiesAsStored = seed % 4 != 1
    store = Store(settings)
    pool = (0..<30).map { LabelSet([("__name__", "m\($0 % 3)"), ("i", "\($0)")]) }
    selectors = Self.register(in: store)
  }

  static func register(in store: Store) -> [Selector] {
    [
      store.register([Matcher("__name__", equals: "m0")], window: .seconds(90)),
      store.register([Matcher("__name__", equals: "m1")], window: .seconds(30)),
      store.register([Matcher("i", equals: "2")], window: .seconds(200)),
    ]
  }

  mutating func pick(_ n: Int) -> Int { Int(random.next() % UInt64(n)) }

  mutating func step() throws {
    now += Int64(1 + pick(6_000))
    switch pick(14) {
    case 0: store.sweep(now: Timestamp(milliseconds: now))
    case 1:
      let place = pick(sources.count)
      if let source = sources[place] {
        let row = try store.beginRow(source, at: Timestamp(milliseconds: now))
        store.commit(row, markMissingStale: true)
        store.closeSource(source)
        sources[place] = nil
      }
    case 2, 3: stored.merge(store.takeChanges(listsObsolete: pick(3) == 0))
    case 4, 5:
      let labels = pool[20 + pick(10)]
      let value = pick(3) == 0 ? SampleValue.histogram(histogram()) : .float(number())
      let start = pick(3) == 0 ? Timestamp(milliseconds: now - 5) : nil
      _ = try? store.append(
        labels, at: Timestamp(milliseconds: now), value, startTimestamp: start)
    case 6:
      if pick(10) == 0 {
        store.forgetChanges()
      }
    default: try row()
    }
  }

  private mutating func row() throws {
    let place = pick(sources.count)
    let source = sources[place] ?? store.openSource("source \(place)")
    sources[place] = source
    var row = try store.beginRow(source, at: Timestamp(milliseconds: now))
    for (i, labels) in pool.prefix(22).enumerated() where (i + place) % 3 == 0 || pick(20) == 0 {
      if pick(8) == 0 { continue }
      guard let column = store.column(for: labels, in: source, always: i == 3) else { continue }
      if pick(12) == 0 {
        row.set(column, .histogram(histogram()))
      } else {
        row.set(column, number())
      }
    }
    store.commit(row, markMissingStale: pick(5) > 0)
  }

  private mutating func number() -> Double {
    let numbers = [
      0, -0.0, 1, -17, 0.25, .infinity, .nan, 1e300, 4_503_599_627_370_497, 9.007e15, -1e-7,
    ]
    return pick(2) == 0 ? Double(pick(100_000)) : numbers[pick(numbers.count)]
  }

  private mutating func histogram() -> FloatHistogram {
    var histogram = FloatHistogram()
    histogram.schema = Int32(pick(5)) - 1
    histogram.zeroThreshold = 0.001
    histogram.zeroCount = Double(pick(5))
    histogram.count = Double(pick(100))
    histogram.sum = number()
    histogram.positiveSpans = [FloatHistogram.Span(offset: -3, length: 2)]
    histogram.positiveBuckets = [1.5, Double(pick(9))]
    histogram.negativeSpans = [FloatHistogram.Span(offset: 1, length: 1)]
    histogram.negativeBuckets = [2]
    return histogram
  }

  /// Ends the store and goes on with what was stored of it.
  mutating func restart(_ comment: Comment) throws {
    stored.merge(store.takeChanges(listsObsolete: pick(2) == 0))
    let fresh = Store(settings)
    let registered = Self.register(in: fresh)
    // Some sources are there already when the samples come back, others are found later.
    var open: [SourceID?] = [nil, nil, nil]
    for place in 0..<3 where sources[place] != nil && pick(2) == 0 {
      open[place] = fresh.openSource("source \(place)")
    }
    _ = fresh.restore(
      stored, now: Timestamp(milliseconds: now), areStored: copiesAsStored)
    for (old, new) in zip(selectors, registered) {
      #expect(view(store, old) == view(fresh, new), comment)
    }
    store = fresh
    selectors = registered
    for place in 0..<3 where sources[place] != nil {
      open[place] = open[place] ?? fresh.openSource("source \(place)")
    }
    sources = open
  }

  /// What a selector shows: per series the samples of its window, and the newest.
  private func view(_ store: Store, _ selector: Selector) -> [String] {
    let end = Timestamp(milliseconds: now)
    let start = Timestamp(milliseconds: now - selector.window)
    var scratch = WindowScratch()
    var latest = LatestColumns()
    store.latest(
      of: selector, at: end, lookback: .milliseconds(selector.window), into: &latest)
    var lines: [String] = []
    for (i, member) in selector.members.enumerated() {
      let window = store.window(of: member.series, after: start, through: end, into: &scratch)
      let all = samples(of: window)
      let isPresent = latest.presence[i] != .absent
      if all.isEmpty && !isPresent { continue }
      lines.append("\(member.labels) \(isPresent) \(all)")
    }
    return lines.sorted()
  }
}
