import Model
import Storage
import TestSupport
import Testing

/// Series that come and go leave nothing behind.
@Suite struct ChurnTests {
  private struct Pods {
    let store: Store
    let source: SourceID
    var columns: [Int: [Column]] = [:]

    /// One scrape of a target that shows `perPod` series of each pod.
    mutating func scrape(_ pods: Range<Int>, _ perPod: Int, at time: Timestamp) throws {
      var row = try store.beginRow(source, at: time)
      columns = columns.filter { pods.contains($0.key) }
      for pod in pods {
        let known = columns[pod] ?? make(pod, perPod)
        for (i, column) in known.enumerated() where !row.set(column, Double(pod + i)) {
          Issue.record("a column in use was reclaimed")
        }
        columns[pod] = known
      }
      store.commit(row, markMissingStale: true)
    }

    private func make(_ pod: Int, _ perPod: Int) -> [Column] {
      (0..<perPod).compactMap { i in
        store.column(
          for: ["__name__": "pod_\(i)", "pod": "pod-\(pod)", "uid": "\(pod * 7919)"], in: source)
      }
    }
  }

  @Test(arguments: [StoreSettings.Keep.rules, .all])
  func aDayOfPodsDoesNotGrowMemory(keep: StoreSettings.Keep) throws {
    let store = Store(StoreSettings(keep: keep, retention: .minutes(30)))
    let selector = store.register([Matcher("__name__", equals: "pod_1")], window: .minutes(10))
    if keep == .rules {
      _ = store.register([try Matcher("__name__", .regexp, "pod_[0-4]")], window: .minutes(20))
    }
    var pods = Pods(store: store, source: store.openSource("kube"))
    var afterTwoHours = 0
    var largest = 0
    // A day at one scrape a minute; each minute one of forty pods is replaced.
    for minute in 0..<1440 {
      let now = Timestamp(milliseconds: Int64(minute) * 60_000)
      try pods.scrape(minute..<(minute + 40), 5, at: now)
      store.sweep(now: now)
      let statistics = store.statistics
      if minute == 120 { afterTwoHours = statistics.bytes }
      if minute > 120 { largest = max(largest, statistics.bytes) }
      if minute > 120 {
        #expect(statistics.series <= (40 + 33) * 5)
        #expect(statistics.columns == statistics.series)
        #expect(selector.members.count <= 40 + 13)
      }
    }
    #expect(Double(largest) < Double(afterTwoHours) * 1.1)
    let last = Timestamp(milliseconds: 1439 * 60_000)
    var latest = LatestColumns()
    store.latest(of: selector, at: last, lookback: .minutes(5), into: &latest)
    #expect(latest.presence.filter { $0 == .float }.count == 40)
    for (m, member) in selector.members.enumerated() where latest.presence[m] == .float {
      let pod = Int(member.labels.value(of: "pod").dropFirst(4)) ?? -1
      #expect(latest.values[m] == Double(pod + 1))
    }
  }

  @Test func sourcesThatEndAreForgotten() throws {
    let store = Store(StoreSettings(keep: .all, retention: .minutes(10)))
    var bytes: [Int] = []
    for round in 0..<200 {
      let now = Timestamp(milliseconds: Int64(round) * 60_000)
      var pods = Pods(store: store, source: store.openSource("t\(round)"))
      try pods.scrape(round..<(round + 20), 5, at: now)
      try store.append(
        ["__name__": "side", "round": "\(round)"], at: now, .float(Double(round)))
      store.closeSource(pods.source)
      store.sweep(now: now)
      bytes.append(store.statistics.bytes)
      #expect(store.statistics.sources <= 13)
    }
    // Longer numbers in labels are the only growth.
    #expect(bytes[199] <= bytes[20...60].reduce(0, max) + 1000)
  }

  @Test func aBurstGivesItsColumnsBack() throws {
    let store = Store(StoreSettings(keep: .all, retention: .minutes(5)))
    let selector = store.register([Matcher("__name__", equals: "pod_2")], window: .minutes(5))
    var pods = Pods(store: store, source: store.openSource("t"))
    var minute: Int64 = 0
    func next() -> Timestamp {
      minute += 1
      return Timestamp(milliseconds: minute * 30_000)
    }
    for _ in 0..<20 { try pods.scrape(0..<400, 5, at: next()) }
    let peak = store.statistics.bytes
    for _ in 0..<20 {
      let now = next()
      // Columns may have moved: handles that fail are asked for again.
      var row = try store.beginRow(pods.source, at: now)
      for pod in 390..<400 {
        for i in 0..<5 {
          let labels: LabelSet = [
            "__name__": "pod_\(i)", "pod": "pod-\(pod)", "uid": "\(pod * 7919)",
          ]
          let column = try #require(store.column(for: labels, in: pods.source))
          let isSet = row.set(column, Double(pod))
          #expect(isSet)
        }
      }
      store.commit(row, markMissingStale: true)
      store.sweep(now: now)
    }
    #expect(store.statistics.columns == 50)
    // Places in tables stay while a series behind them lives.
    #expect(store.statistics.bytes * 3 < peak)
    #expect(selector.members.count == 10)
    var scratch = WindowScratch()
    let now = Timestamp(milliseconds: minute * 30_000)
    store.forEachWindow(
      of: selector, after: now - .minutes(4), through: now, scratch: &scratch
    ) { m, window in
      let pod = Double(selector.members[m].labels.value(of: "pod").dropFirst(4)) ?? -1
      #expect(window.count == 8 && window.values.allSatisfy { $0 == pod })
    }
  }
}
