import Model
import Storage
import TestSupport
import Testing

/// Random operations against a dictionary of arrays.
@Suite struct StoreModelTests {
  @Test(arguments: 0..<30)
  func randomOperations(group: Int) throws {
    for seed in (group * 10)..<(group * 10 + 10) {
      var world = World(seed: UInt64(seed))
      for step in 0..<80 {
        try world.step()
        world.compare("seed \(seed) step \(step)")
      }
    }
  }
}

private struct World {
  struct Registration {
    var selector: Selector
    var matchers: [Matcher]
    var window: Int64
    // What was seen at the last comparison.
    var members: [SeriesID] = []
    var generation: UInt64 = 0
    var compaction: UInt64 = 0
  }

  var random: SeededGenerator
  let settings: StoreSettings
  let store: Store
  var naive = NaiveStore()
  var now: Int64 = 1_000_000
  var lastSweep: Int64?
  var sources: [SourceID] = []
  var handles: [SourceID: [LabelSet: Column]] = [:]
  var registrations: [Registration] = []
  let pool: [LabelSet]
  /// Few gaps; many columns that end.
  let isSteady: Bool
  let isWide: Bool
  var scratch = WindowScratch()
  var latest = LatestColumns()

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    var settings = StoreSettings(
      keep: seed % 2 == 0 ? .rules : .all, retention: .seconds(Int64(60 + seed % 3 * 60)))
    settings.slack = .seconds(Int64(seed % 5))
    settings.rawRows = [2, 4, 8, 16][Int(seed / 2 % 4)]
    settings.sealRows = [1, 3, 8, 9][Int(seed / 2 % 4)]
    if settings.sealRows > settings.rawRows { settings.sealRows = settings.rawRows }
    self.settings = settings
    store = Store(settings)
    isSteady = seed % 3 == 0
    isWide = seed % 5 == 0
    pool = (0..<(isWide ? 40 : 14)).map { i in
      LabelSet([("__name__", "m\(i % 3)"), ("i", "\(i)"), ("kind", i % 2 == 0 ? "a" : "b")])
    }
  }

  mutating func pick(_ n: Int) -> Int { Int(random.next() % UInt64(n)) }

  mutating func step() throws {
    now += Int64(pick(5)) * 1000 + (pick(4) == 0 ? Int64(pick(1000)) : 0)
    forget()
    switch pick(20) {
    case 0: openSource()
    case 1: if pick(3) == 0 { closeSource() }
    case 2, 3: register()
    case 4: unregister()
    case 5, 6: sweep()
    case 7, 8: appendSide()
    default: row()
    }
    if pick(40) == 0 { now += 100_000 }
    forget()
  }

  // MARK: Demand

  func accepts(_ matchers: [Matcher], _ labels: LabelSet) -> Bool {
    matchers.allSatisfy { $0.matches(labels) }
  }

  func retention(_ labels: LabelSet) -> Int64 {
    var longest: Int64 = -1
    for r in registrations where accepts(r.matchers, labels) { longest = max(longest, r.window) }
    if settings.keep == .all || naive.series[labels]?.isAlways == true {
      longest = max(longest, settings.retention.milliseconds)
    }
    return longest
  }

  func horizon(_ labels: LabelSet) -> Int64 {
    let retention = retention(labels)
    return retention < 0 ? .max : now - retention - settings.slack.milliseconds
  }

  mutating func forget() {
    for labels in naive.series.keys {
      // A series that nobody wants may lose anything.
      let horizon = min(now, horizon(labels))
      let lost = naive.series[labels]?.lostThrough ?? horizon
      naive.series[labels]?.lostThrough = max(lost, horizon)
    }
  }

  // MARK: Operations

  mutating func openSource() {
    guard sources.count < 4 else { return }
    let source = store.openSource("s\(pick(1000))")
    sources.append(source)
    handles[source] = [:]
    naive.columns[source] = [:]
  }

  mutating func closeSource() {
    guard !sources.isEmpty else { return }
    let source = sources.remove(at: pick(sources.count))
    store.closeSource(source)
    handles[source] = nil
    naive.columns[source] = nil
  }

  mutating func register() {
    guard registrations.count < 5 else { return }
    let name = "m\(pick(3))"
    let lists: [[Matcher]] = [
      [Matcher("__name__", equals: name)],
      [Matcher("__name__", equals: name), Matcher("kind", equals: "a")],
      [Matcher("kind", equals: "b")],
      [try? Matcher("__name__", .regexp, "m[01]")].compactMap { $0 },
      [Matcher("__name__", equals: name), try? Matcher("i", .notRegexp, "[0-5]")].compactMap { $0 },
    ]
    let matchers = lists[pick(lists.count)]
    let window = Int64(10 + pick(60)) * 1000
    let before = store.demandGeneration
    let isNew = !registrations.contains { $0.matchers == matchers }
    let selector = store.register(matchers, window: PromDuration(milliseconds: window))
    #expect(!isNew || store.demandGeneration != before)
    registrations.append(
      Registration(
        selector: selector, matchers: matchers, window: window,
        members: selector.members.map(\.series), generation: selector.generation,
        compaction: selector.compaction))
  }

  mutating func unregister() {
    guard !registrations.isEmpty else { return }
    let r = registrations.remove(at: pick(registrations.count))
    store.unregister(r.selector, window: PromDuration(milliseconds: r.window))
  }

  mutating func sweep() {
    store.sweep(now: Timestamp(milliseconds: now))
    lastSweep = now
    for (labels, series) in naive.series {
      let horizon = horizon(labels)
      for source in naive.columns.keys {
        guard let column = naive.columns[source]?[labels] else { continue }
        if column.newest <= horizon { naive.columns[source]?[labels] = nil }
      }
      if horizon == .max || (series.samples.last?.time ?? .min) <= horizon {
        naive.series[labels] = nil
      }
    }
  }

  mutating func value() -> Double {
    switch pick(12) {
    case 0: SpecialValue.nan
    case 1: Double(bitPattern: 0x7ff8_0000_0000_0000 | UInt64(pick(5)))
    case 2: -0.0
    case 3: Double.infinity
    case 4: Double(pick(100)) / 100
    case 5: Double(bitPattern: random.next() | 1 << 62)
    default: Double(pick(4))
    }
  }

  mutating func histogram() -> FloatHistogram {
    var h = FloatHistogram()
    h.count = Double(pick(100))
    return h
  }

  mutating func appendSide() {
    let labels = pool[pick(pool.count)]
    let time = now - (pick(3) == 0 ? Int64(pick(20_000)) : 0)
    let always = pick(4) == 0
    let value: SampleValue = pick(3) == 0 ? .histogram(histogram()) : .float(value())
    let start: Int64? = pick(4) == 0 ? time - 5000 : nil
    let model: NaiveSample.Value =
      switch value {
      case .float(let v): .float(v.bitPattern)
      case .histogram(let h): .histogram(h)
      }
    let newest = naive.newest(labels)
    // What is older than something that may be forgotten is not defined.
    if let newest, time <= newest, newest <= naive.series[labels]?.lostThrough ?? .min { return }
    let wasKnown = naive.series[labels] != nil
    do {
      let stored = try store.append(
        labels, at: Timestamp(milliseconds: time), value,
        startTimestamp: start.map { Timestamp(milliseconds: $0) }, always: always)
      if always { naive.series[labels, default: .init()].isAlways = true }
      #expect(stored == (retention(labels) >= 0))
      if !stored { return }
      if let newest, time == newest {
        #expect(naive.series[labels]?.samples.last?.value == model)
        return
      }
      #expect(newest.map { $0 < time } ?? true)
      naive.series[labels, default: .init()].samples.append(
        NaiveSample(time: time, value: model, start: start))
    } catch {
      if always { naive.series[labels, default: .init()].isAlways = true }
      switch error {
      case .outOfOrder: #expect(newest.map { time < $0 } ?? false)
      case .duplicate:
        #expect(newest == time && naive.series[labels]?.samples.last?.value != model)
      case .tooOld:
        let retention = retention(labels) + settings.slack.milliseconds
        #expect(lastSweep.map { time <= $0 - retention } ?? false)
        // The series may have been made for the sample; only a sweep takes it away.
        if !wasKnown { naive.series[labels, default: .init()].isAlways = always }
      }
    }
  }

  mutating func row() {
    guard !sources.isEmpty else { return openSource() }
    let source = sources[pick(sources.count)]
    let time = now - (pick(10) == 0 ? 3000 : 0)
    var row: RowWriter
    do {
      row = try store.beginRow(source, at: Timestamp(milliseconds: time))
    } catch {
      #expect(error == .outOfOrder)
      return
    }
    var planned: [(labels: LabelSet, sample: NaiveSample)] = []
    let density = isSteady && pick(10) > 0 ? 10 : [10, 9, 5][pick(3)]
    let from = isSteady ? 0 : pick(4)
    let width = isWide && (now / 80_000) % 2 == 0 ? 40 : 8
    for labels in pool.dropFirst(from).prefix(width) where pick(10) < density {
      set(labels, source, time, &row, &planned)
    }
    if pick(10) == 0 {
      store.abandon(row)
      return
    }
    let marks = pick(3) != 0
    let summary = store.commit(row, markMissingStale: marks)
    let expected = commitNaively(source, time, planned, marks)
    #expect(summary == expected)
  }

  private mutating func set(
    _ labels: LabelSet, _ source: SourceID, _ time: Int64, _ row: inout RowWriter,
    _ planned: inout [(labels: LabelSet, sample: NaiveSample)]
  ) {
    let always = pick(12) == 0
    var column = handles[source]?[labels]
    var sample = NaiveSample(time: time, value: .float(value().bitPattern))
    var real: SampleValue?
    switch pick(30) {
    case 0: sample.value = .float(SpecialValue.staleBits)
    case 1:
      let h = histogram()
      sample.value = .histogram(h)
      real = .histogram(h)
    case 2:
      sample.start = time - 7000
      if case .float(let bits) = sample.value { real = .float(Double(bitPattern: bits)) }
    default: break
    }
    for _ in 0..<2 {
      if let known = column {
        let done: Bool
        if let real {
          done = row.set(
            known, real, startTimestamp: sample.start.map { Timestamp(milliseconds: $0) })
        } else if case .float(let bits) = sample.value {
          done = row.set(known, Double(bitPattern: bits))
        } else {
          done = false
        }
        if done {
          #expect(row.isSet(known))
          planned.append((labels, sample))
          return
        }
      }
      column = store.column(for: labels, in: source, always: always)
      if always { naive.series[labels, default: .init()].isAlways = true }
      handles[source]?[labels] = column
      #expect((column != nil) == (retention(labels) >= 0))
      if column == nil { return }
    }
    Issue.record("a fresh column cannot be set")
  }

  private mutating func commitNaively(
    _ source: SourceID, _ time: Int64, _ planned: [(labels: LabelSet, sample: NaiveSample)],
    _ marks: Bool
  ) -> RowSummary {
    var summary = RowSummary()
    for (labels, sample) in planned {
      if let last = naive.series[labels]?.samples.last, time <= last.time {
        if sample.isStale || (time == last.time && last.value == sample.value) { continue }
        if time == last.time { summary.duplicates += 1 } else { summary.outOfOrder += 1 }
        continue
      }
      naive.series[labels, default: .init()].samples.append(sample)
      naive.columns[source]?[labels, default: .init()].newest = time
      naive.columns[source]?[labels]?.isLive = !sample.isStale
      if sample.isStale { summary.staleMarkers += 1 } else { summary.samples += 1 }
    }
    guard marks else { return summary }
    for (labels, column) in naive.columns[source] ?? [:]
    where column.isLive && !planned.contains(where: { $0.labels == labels }) {
      if let newest = naive.newest(labels), time <= newest { continue }
      naive.series[labels, default: .init()].samples.append(
        NaiveSample(time: time, value: .float(SpecialValue.staleBits)))
      naive.columns[source]?[labels] = .init(isLive: false, newest: time)
      summary.staleMarkers += 1
    }
    return summary
  }

  // MARK: Comparison

  /// As `#expect`, without its cost where it holds.
  private func check(
    _ holds: Bool, _ place: @autoclosure () -> String,
    location: SourceLocation = #_sourceLocation
  ) {
    if !holds { Issue.record("\(place())", sourceLocation: location) }
  }

  mutating func compare(_ place: String) {
    for i in registrations.indices {
      compareMembership(i, place)
      compareReading(registrations[i].selector, registrations[i].window, place)
    }
    if pick(4) == 0 { compareMoment(place) }
    if pick(10) == 0 { compareExtract(place) }
  }

  private mutating func compareMembership(_ i: Int, _ place: String) {
    let r = registrations[i]
    let members = r.selector.members
    check(Set(members.map(\.labels)).count == members.count, "\(place)")
    for m in members { check(accepts(r.matchers, m.labels), "\(place)") }
    for (labels, series) in naive.series where accepts(r.matchers, labels) {
      let horizon = (lastSweep ?? .min / 2) - r.selector.window - settings.slack.milliseconds
      if let newest = series.samples.last(where: { !$0.isStale })?.time,
        newest > max(horizon, series.lostThrough)
      {
        check(members.contains { $0.labels == labels }, "\(place): \(labels) is not a member")
      }
    }
    if r.compaction == r.selector.compaction {
      check(members.map(\.series).starts(with: r.members), place)
      check(
        (r.generation == r.selector.generation) == (members.count == r.members.count), place)
    } else if r.selector.compaction == r.compaction + 1 {
      for (from, to) in r.selector.lastRemap.enumerated() where to >= 0 && from < r.members.count {
        check(members[Int(to)].series == r.members[from], "\(place)")
      }
    }
    registrations[i].members = members.map(\.series)
    registrations[i].generation = r.selector.generation
    registrations[i].compaction = r.selector.compaction
  }

  private mutating func compareReading(_ selector: Selector, _ window: Int64, _ place: String) {
    let through = now - Int64(pick(3)) * 2500
    let after = through - Int64(pick(Int(window)) + 1)
    store.latest(
      of: selector, at: Timestamp(milliseconds: through),
      lookback: PromDuration(milliseconds: through - after), into: &latest)
    var seen: [Int] = []
    let members = selector.members
    var scratch = self.scratch
    for (m, member) in members.enumerated() where known(member.labels, after) {
      let expected = naive.latest(member.labels, after: after, through: through)
      var found: NaiveSample?
      switch latest.presence[m] {
      case .absent: break
      case .float:
        found = NaiveSample(
          time: latest.timestamps[m], value: .float(latest.values[m].bitPattern))
      case .histogram:
        found = latest.histogram(at: m).map {
          NaiveSample(time: latest.timestamps[m], value: .histogram($0.withoutHint))
        }
      }
      check(found?.time == expected?.time, "\(place) \(member.labels) latest at \(through)")
      check(found?.value == expected?.value, "\(place) \(member.labels) latest at \(through)")
    }
    store.forEachWindow(
      of: selector, after: Timestamp(milliseconds: after),
      through: Timestamp(milliseconds: through), scratch: &scratch
    ) { m, window in
      seen.append(m)
      check(members[m].labels, samples(of: window), after, through, "bulk \(place)")
    }
    check(seen == Array(members.indices), "\(place)")
    for member in members {
      let window = store.window(
        of: member.series, after: Timestamp(milliseconds: after),
        through: Timestamp(milliseconds: through), into: &scratch)
      check(member.labels, samples(of: window), after, through, place)
      checkSummary(member, after, through, place)
    }
  }

  private mutating func checkSummary(
    _ member: Member, _ after: Int64, _ through: Int64, _ place: String
  ) {
    guard known(member.labels, after) else { return }
    let found = store.summary(
      of: member.series, after: Timestamp(milliseconds: after),
      through: Timestamp(milliseconds: through), into: &scratch)
    let all = naive.window(member.labels, after: after, through: through)
    let floats = all.compactMap { sample -> (time: Int64, value: Double)? in
      guard case .float(let bits) = sample.value else { return nil }
      return (sample.time, Double(bitPattern: bits))
    }
    check(found.hasHistograms == (floats.count < all.count), "\(place)")
    check(found.count == floats.count, "\(place)")
    guard let first = floats.first, let last = floats.last else { return }
    check(found.firstTimestamp == first.time && found.lastTimestamp == last.time, "\(place)")
    check(found.first.bitPattern == first.value.bitPattern, "\(place)")
    check(found.last.bitPattern == last.value.bitPattern, "\(place)")
    let pairs = zip(floats, floats.dropFirst()).map { ($0.value, $1.value) }
    check(found.resets == pairs.count { $1 < $0 }, "\(place)")
    check(
      found.changes == pairs.count { $0 != $1 && !($0.isNaN && $1.isNaN) }, "\(place)")
    let numbers = floats.map(\.value).filter { !$0.isNaN }
    check(numbers.isEmpty ? found.max.isNaN : found.max == numbers.max(), "\(place)")
    check(numbers.isEmpty ? found.min.isNaN : found.min == numbers.min(), "\(place)")
    let correction = pairs.reduce(0) { $1.1 < $1.0 ? $0 + $1.0 : $0 }
    check(isClose(found.correction, correction), "\(place)")
    let sum = floats.reduce(0) { $0 + $1.value }
    check(isClose(found.sum + found.compensation, sum), "\(place)")
  }

  /// Equal but for rounding; sums with numbers of all sizes in them are compared by their kind.
  private func isClose(_ a: Double, _ b: Double) -> Bool {
    if !a.isFinite || !b.isFinite || abs(b) > 1e6 { return true }
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b)) || abs(a) > 1e6
  }

  private func known(_ labels: LabelSet, _ after: Int64) -> Bool {
    naive.series[labels].map { after >= $0.lostThrough } ?? true
  }

  private func check(
    _ labels: LabelSet, _ found: [NaiveSample], _ after: Int64, _ through: Int64, _ place: String
  ) {
    guard known(labels, after) else { return }
    let expected = naive.window(labels, after: after, through: through)
    check(found == expected, "\(place) \(labels) window (\(after), \(through)]")
  }

  private mutating func compareMoment(_ place: String) {
    let matchers = [Matcher("__name__", equals: "m\(pick(3))")]
    let selector = store.select(matchers)
    compareReading(selector, 30_000, "moment \(place)")
    let names = Set(
      naive.series.filter { !$0.value.samples.isEmpty && accepts(matchers, $0.key) }.map {
        $0.key.value(of: "i")
      })
    let found = store.labelValues("i", matching: [matchers])
    for name in names { check(found.contains(name), "\(place)") }
  }

  private mutating func compareExtract(_ place: String) {
    let matchers = [Matcher("__name__", equals: "m\(pick(3))")]
    let from = now - Int64(pick(60_000))
    let copy: Store
    do {
      copy = try store.extract(
        [
          (matchers, Timestamp(milliseconds: from), Timestamp(milliseconds: now)),
          (matchers, Timestamp(milliseconds: from), Timestamp(milliseconds: now - 10)),
        ], maxSamples: 100_000)
    } catch {
      Issue.record("an extract within its limit fails")
      return
    }
    let selector = copy.select(matchers)
    var old = LatestColumns()
    var new = LatestColumns()
    let original = store.select(matchers)
    for time in [now, now - 4000] where time >= from {
      let at = Timestamp(milliseconds: time)
      let lookback = PromDuration(milliseconds: time - from + 1)
      copy.latest(of: selector, at: at, lookback: lookback, into: &new)
      store.latest(of: original, at: at, lookback: lookback, into: &old)
      for (m, member) in selector.members.enumerated() {
        guard let o = original.members.firstIndex(where: { $0.labels == member.labels }) else {
          Issue.record("an extract invents \(member.labels)")
          continue
        }
        #expect(new.presence[m] == old.presence[o], "\(place)")
        #expect(new.values[m].bitPattern == old.values[o].bitPattern, "\(place)")
        #expect(new.timestamps[m] == old.timestamps[o], "\(place)")
        #expect(new.histogram(at: m) == old.histogram(at: o), "\(place)")
        let a = samples(
          of: copy.window(
            of: member.series, after: Timestamp(milliseconds: from - 1), through: at,
            into: &scratch))
        let b = samples(
          of: store.window(
            of: original.members[o].series, after: Timestamp(milliseconds: from - 1), through: at,
            into: &scratch))
        #expect(a == b, "\(place) extract of \(member.labels)")
      }
    }
  }
}
