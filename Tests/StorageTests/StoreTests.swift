import Model
import Storage
import TestSupport
import Testing

/// What the store promises, case by case.
@Suite struct StoreTests {
  private let a: LabelSet = ["__name__": "a", "x": "1"]
  private let b: LabelSet = ["__name__": "b", "x": "1"]

  private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

  /// Writes one row of floats.
  @discardableResult
  private func write(
    _ store: Store, _ source: SourceID, _ time: Timestamp, _ cells: [LabelSet: Double],
    marks: Bool = true
  ) throws -> RowSummary {
    var row = try store.beginRow(source, at: time)
    for (labels, value) in cells.sorted(by: { $0.key < $1.key }) {
      if let column = store.column(for: labels, in: source) { row.set(column, value) }
    }
    return store.commit(row, markMissingStale: marks)
  }

  private func latest(_ store: Store, _ labels: LabelSet, _ time: Timestamp) -> Double? {
    let selector = store.select(labels.labels.map { Matcher($0.name, equals: $0.value) })
    var out = LatestColumns()
    store.latest(of: selector, at: time, lookback: .minutes(5), into: &out)
    return out.count == 1 && out.presence[0] == .float ? out.values[0] : nil
  }

  @Test func unwantedSeriesGetNoColumn() throws {
    let store = Store(StoreSettings(keep: .rules))
    let source = store.openSource("t")
    #expect(store.column(for: a, in: source) == nil)
    #expect(store.column(for: a, in: source, always: true) != nil)
    let before = store.demandGeneration
    let selector = store.register([Matcher("__name__", equals: "b")], window: .minutes(5))
    #expect(store.demandGeneration != before)
    #expect(selector.members.isEmpty)
    let column = store.column(for: b, in: source)
    #expect(column != nil)
    #expect(selector.members.map(\.labels) == [b])
    #expect(column?.series == selector.members[0].series)
    #expect(try !store.append(["__name__": "c"], at: at(1), .float(1)))
  }

  @Test func equalMatchersShareOneSelector() throws {
    let store = Store(StoreSettings(keep: .rules))
    let name = Matcher("__name__", equals: "a")
    let pattern = try Matcher("x", .regexp, "1|2")
    let first = store.register([name, pattern], window: .minutes(5))
    let second = store.register([pattern, name], window: .minutes(10))
    #expect(first === second)
    #expect(store.statistics.selectors == 1)
    store.unregister(first, window: .minutes(10))
    let source = store.openSource("t")
    #expect(store.column(for: a, in: source) != nil)
    store.unregister(first, window: .minutes(5))
    #expect(store.statistics.selectors == 0)
    #expect(store.column(for: a, in: source) == nil)
  }

  @Test func lateSelectorsSeeStoredSeries() throws {
    let store = Store()
    let source = store.openSource("t")
    try write(store, source, at(10), [a: 1, b: 2])
    let selector = store.register([Matcher("x", equals: "1")], window: .minutes(5))
    #expect(selector.members.map(\.labels) == [a, b])
    try store.append(["__name__": "c", "x": "1"], at: at(11), .float(3))
    #expect(selector.members.count == 3)
    #expect(selector.compaction == 0)
  }

  @Test func absentStaleAndNaNAreThreeThings() throws {
    let store = Store()
    let source = store.openSource("t")
    try write(store, source, at(10), [a: SpecialValue.nan, b: 1])
    #expect(latest(store, a, at(10))?.bitPattern == SpecialValue.normalBits)
    let quiet = try write(store, source, at(20), [b: 1], marks: false)
    #expect(quiet.staleMarkers == 0)
    #expect(latest(store, a, at(20))?.isNaN == true)
    let marked = try write(store, source, at(30), [b: 1])
    #expect(marked.staleMarkers == 1 && marked.samples == 1)
    #expect(latest(store, a, at(30)) == nil)
    #expect(try write(store, source, at(40), [b: 1]).staleMarkers == 0)
    // The past stays as it was.
    #expect(latest(store, a, at(29))?.isNaN == true)
  }

  @Test func uncommittedRowsAreInvisible() throws {
    let store = Store()
    let source = store.openSource("t")
    try write(store, source, at(10), [a: 1])
    var row = try store.beginRow(source, at: at(20))
    let column = try #require(store.column(for: a, in: source))
    row.set(column, 2)
    // Series born while the row is open widen it.
    for i in 0..<100 {
      let labels: LabelSet = ["__name__": "w", "i": "\(i)"]
      row.set(try #require(store.column(for: labels, in: source)), Double(i))
    }
    #expect(row.isSet(column))
    #expect(latest(store, a, at(20)) == 1)
    store.abandon(row)
    #expect(latest(store, a, at(20)) == 1)
    var again = try store.beginRow(source, at: at(20))
    again.set(column, 3)
    #expect(store.commit(again, markMissingStale: true).staleMarkers == 0)
    #expect(latest(store, a, at(20)) == 3)
    #expect(throws: AppendProblem.outOfOrder) { _ = try store.beginRow(source, at: at(20)) }
  }

  @Test func sideSamplesFollowPrometheusRules() throws {
    let store = Store()
    try store.append(a, at: at(10), .float(1))
    #expect(throws: AppendProblem.outOfOrder) { try store.append(a, at: at(9), .float(1)) }
    #expect(throws: AppendProblem.duplicate) { try store.append(a, at: at(10), .float(2)) }
    #expect(try store.append(a, at: at(10), .float(1)))
    var h = FloatHistogram()
    h.count = 3
    #expect(throws: AppendProblem.duplicate) { try store.append(a, at: at(10), .histogram(h)) }
    try store.append(a, at: at(20), .histogram(h), startTimestamp: at(5))
    #expect(try store.append(a, at: at(20), .histogram(h)))
    let selector = store.select([Matcher("__name__", equals: "a")])
    var scratch = WindowScratch()
    let window = store.window(
      of: selector.members[0].series, after: at(0), through: at(30), into: &scratch)
    #expect(Array(window.timestamps) == [10_000] && Array(window.values) == [1])
    #expect(window.histograms.map(\.value) == [h])
    #expect(window.histograms.map(\.startTimestamp) == [5000])
    var out = LatestColumns()
    store.latest(of: selector, at: at(25), lookback: .minutes(5), into: &out)
    #expect(out.presence == [.histogram] && out.histogram(at: 0) == h)
    store.sweep(now: at(100_000))
    #expect(throws: AppendProblem.tooOld) { try store.append(b, at: at(30), .float(1)) }
  }

  @Test func seriesMoveBetweenSources() throws {
    let store = Store()
    let selector = store.register([Matcher("__name__", equals: "a")], window: .minutes(5))
    let old = store.openSource("old")
    try write(store, old, at(10), [a: 1])
    let new = store.openSource("new")
    try write(store, new, at(12), [a: 2])
    #expect(try write(store, old, at(12), [a: 3]).duplicates == 1)
    #expect(try write(store, old, at(14), [:]).staleMarkers == 1)
    store.closeSource(old)
    try write(store, new, at(20), [a: 4])
    #expect(selector.members.count == 1)
    var scratch = WindowScratch()
    let window = store.window(
      of: selector.members[0].series, after: at(0), through: at(30), into: &scratch)
    #expect(Array(window.values) == [1, 2, 4])
    #expect(Array(window.timestamps) == [10_000, 12_000, 20_000])
    #expect(latest(store, a, at(15)) == nil)
    #expect(latest(store, a, at(25)) == 4)
  }

  @Test func reclaimedColumnsRefuseValues() throws {
    let store = Store(StoreSettings(keep: .rules))
    let selector = store.register([Matcher("__name__", equals: "a")], window: .minutes(5))
    let source = store.openSource("t")
    try write(store, source, at(10), [a: 1])
    let column = try #require(store.column(for: a, in: source))
    let id = selector.members[0].series
    store.sweep(now: at(1000))
    #expect(selector.members.isEmpty && selector.compaction == 1)
    #expect(selector.lastRemap == [-1])
    #expect(store.labels(of: id) == nil)
    #expect(store.statistics.series == 0 && store.statistics.columns == 0)
    var row = try store.beginRow(source, at: at(1001))
    let isStale = !row.set(column, 2)
    #expect(isStale)
    let fresh = try #require(store.column(for: a, in: source))
    let isSet = row.set(fresh, 2)
    #expect(isSet)
    store.commit(row, markMissingStale: true)
    #expect(selector.members.count == 1 && fresh.series != id)
    #expect(latest(store, a, at(1001)) == 2)
  }

  @Test func returningSeriesJoinAgain() throws {
    let store = Store(StoreSettings(keep: .all, retention: .hours(2)))
    let selector = store.register([Matcher("__name__", equals: "a")], window: .minutes(5))
    let source = store.openSource("t")
    try write(store, source, at(10), [a: 1, b: 1])
    try write(store, source, at(20), [b: 1])
    store.sweep(now: at(1000))
    #expect(selector.members.isEmpty)
    #expect(store.statistics.series == 2)
    #expect(latest(store, a, at(15)) == 1)
    try write(store, source, at(1001), [a: 2, b: 1])
    #expect(selector.members.map(\.labels) == [a])
  }

  @Test func labelsAreIndexed() throws {
    let store = Store()
    try store.append(a, at: at(1), .float(1))
    try store.append(b, at: at(1), .float(1))
    try store.append(["__name__": "a", "x": "0", "y": "é"], at: at(1), .float(1))
    #expect(store.labelNames() == ["__name__", "x", "y"])
    #expect(store.labelValues("__name__") == ["a", "b"])
    #expect(store.labelValues("x") == ["0", "1"])
    #expect(store.labelValues("x", matching: [[Matcher("__name__", equals: "b")]]) == ["1"])
    let lists = [[Matcher("__name__", equals: "b")], [Matcher("x", equals: "1")]]
    #expect(store.series(matching: lists) == [a, b])
  }

  @Test func extractsAreFrozenAndBounded() throws {
    let store = Store()
    let source = store.openSource("t")
    for i in 1...300 { try write(store, source, at(Int64(i)), [a: Double(i), b: 0]) }
    let wants = [(matchers: [Matcher("__name__", equals: "a")], from: at(100), through: at(200))]
    let copy = try store.extract(wants, maxSamples: 101)
    try write(store, source, at(301), [a: 0, b: 0])
    #expect(copy.statistics.samples == 101 && copy.statistics.series == 1)
    #expect(latest(copy, a, at(400)) == 200)
    #expect(latest(copy, b, at(200)) == nil)
    #expect(throws: ExtractProblem.tooManySamples(limit: 100)) {
      try store.extract(wants, maxSamples: 100)
    }
  }

  @Test func runsAreTimeMajor() throws {
    let store = Store()
    let source = store.openSource("t")
    let labels = (0..<20).map { LabelSet(["__name__": "m", "i": "\($0 + 10)"]) }
    for t in 1...200 {
      var row = try store.beginRow(source, at: at(Int64(t)))
      for (i, l) in labels.enumerated() where i != 7 || t % 2 == 0 {
        row.set(try #require(store.column(for: l, in: source)), Double(t * 100 + i))
      }
      store.commit(row, markMissingStale: false)
    }
    let selector = store.register([Matcher("__name__", equals: "m")], window: .minutes(5))
    var scratch = WindowScratch()
    var inRuns = 0
    var alone = 0
    store.forEachRun(
      of: selector, after: at(190), through: at(200), scratch: &scratch,
      run: { run in
        #expect(run.rowCount == 10)
        for r in 0..<run.rowCount {
          let t = run.timestamps[r] / 1000
          for c in 0..<run.count {
            let member = selector.members[run.firstMember + c].labels
            let i = labels.firstIndex(of: member) ?? -1
            #expect(run.row(r)[c] == Double(t * 100 + Int64(i)))
          }
        }
        inRuns += run.count
      },
      window: { _, window in
        #expect(window.count == 5)
        alone += 1
      })
    #expect(inRuns == 19 && alone == 1)
  }

  @Test func joinedSealsReadTheSame() throws {
    var settings = StoreSettings(keep: .all, retention: .hours(2))
    settings.rawRows = 8
    settings.sealRows = 4
    let store = Store(settings)
    let source = store.openSource("t")
    var random = SeededGenerator(seed: 5)
    var expected: [LabelSet: [(time: Int64, value: Double)]] = [:]
    for t in 1...2000 {
      var cells: [LabelSet: Double] = [:]
      for i in 0..<6 where random.next() % UInt64(i + 2) != 0 || i == 0 {
        // The fourth series begins late, so that early seals know fewer columns.
        if i == 3 && t < 700 { continue }
        let labels: LabelSet = ["__name__": "m", "i": "\(i)"]
        let value = i < 3 ? Double(t / (i + 1)) : Double(bitPattern: random.next() | 1 << 62)
        cells[labels] = value
        expected[labels, default: []].append((Int64(t) * 1000, value))
      }
      try write(store, source, at(Int64(t)), cells)
      if t % 10 == 0 { store.sweep(now: at(Int64(t))) }
    }
    #expect(store.statistics.sealedSamples > 6000)
    var scratch = WindowScratch()
    for member in store.select([]).members {
      let samples = expected[member.labels] ?? []
      for (low, high) in [(0, 2000), (3, 1990), (700, 900), (1000, 1001), (500, 1500)] {
        let wanted = samples.filter { $0.time > low * 1000 && $0.time <= high * 1000 }
        let window = store.window(
          of: member.series, after: at(Int64(low)), through: at(Int64(high)), into: &scratch)
        #expect(Array(window.timestamps) == wanted.map(\.time))
        #expect(window.values.map(\.bitPattern) == wanted.map(\.value.bitPattern))
        let summary = store.summary(
          of: member.series, after: at(Int64(low)), through: at(Int64(high)), into: &scratch)
        #expect(summary.count == wanted.count)
        #expect(summary.max == wanted.map(\.value).max() || wanted.isEmpty)
      }
    }
  }
}
