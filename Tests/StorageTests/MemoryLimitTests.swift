import Model
import Testing

@testable import Storage

/// A memory limit takes history that no rule asks for, and nothing else.
@Suite struct MemoryLimitTests {
  private let store = Store(StoreSettings(keep: .all, retention: .hours(6)))

  /// Four hours of 200 series at 15 s, of which a rule looks at 20.
  private func fill() throws -> (selector: Selector, now: Timestamp) {
    let selector = store.register([Matcher("__name__", equals: "asked")], window: .hours(1))
    let source = store.openSource("t")
    let columns = (0..<200).compactMap { i in
      store.column(
        for: ["__name__": i < 20 ? "asked" : "other", "i": "\(i)"], in: source)
    }
    var now = Timestamp(milliseconds: 0)
    for tick in 0..<960 {
      now = Timestamp(milliseconds: Int64(tick) * 15_000)
      var row = try store.beginRow(source, at: now)
      for (i, column) in columns.enumerated() { row.set(column, Double(tick * i * 37 % 1009)) }
      store.commit(row, markMissingStale: true)
      if tick % 8 == 0 { store.sweep(now: now) }
    }
    return (selector, now)
  }

  private func samples(_ name: String, since: PromDuration, now: Timestamp) -> Int {
    var scratch = WindowScratch()
    var count = 0
    store.forEachWindow(
      of: store.select([Matcher("__name__", equals: name)]), after: now - since, through: now,
      scratch: &scratch
    ) { count += $1.count }
    return count
  }

  @Test func historyGoesFirstAndRulesKeepTheirWindows() throws {
    let (selector, now) = try fill()
    let full = store.statistics.bytes
    #expect(store.keepWithin(0, now: now) == nil)
    #expect(store.keepWithin(full, now: now) == nil)
    #expect(samples("other", since: .hours(3), now: now) == 180 * 720)
    let cut = try #require(store.keepWithin(full / 2, now: now))
    #expect(cut.isEnough && cut.after <= full / 2 && cut.before == full)
    #expect(store.statistics.bytes == cut.after)
    #expect(samples("asked", since: .hours(1), now: now) == 20 * 240)
    #expect(samples("other", since: .hours(3), now: now) < 180 * 720)
    #expect(selector.members.count == 20)
  }

  @Test func anImpossibleLimitLeavesTheWindows() throws {
    let (_, now) = try fill()
    let cut = try #require(store.keepWithin(1000, now: now))
    #expect(!cut.isEnough && cut.retention == .zero)
    #expect(samples("asked", since: .hours(1), now: now) == 20 * 240)
    #expect(store.keepWithin(1000, now: now) == nil)
  }

  @Test func historyGrowsBackWhenThereIsRoom() throws {
    let (_, now) = try fill()
    _ = store.keepWithin(store.statistics.bytes / 2, now: now)
    let cut = store.adHocRetention
    #expect(cut < .hours(6))
    for _ in 0..<10 { #expect(store.keepWithin(1 << 40, now: now) == nil) }
    #expect(store.adHocRetention == .hours(6))
    _ = store.keepWithin(1000, now: now)
    #expect(store.keepWithin(0, now: now) == nil)
    #expect(store.adHocRetention == .hours(6))
  }
}
