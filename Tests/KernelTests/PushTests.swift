import Model
import Testing

@testable import Exposition
@testable import Kernel

@Suite struct RemoteWriteTests {
  private func world() -> World {
    var settings = Settings()
    settings.storage.keep = .all
    return World(settings)
  }

  private func series(_ name: String, _ samples: [(Int64, Double)]) -> PushedSeries {
    PushedSeries(
      labels: LabelSet([("__name__", name)]),
      samples: samples.map {
        PushedSeries.Sample(
          timestamp: World.epoch + .milliseconds($0.0), value: .float($0.1), start: nil)
      })
  }

  @Test func goodSamplesAreStoredBesideBadOnes() throws {
    let world = world()
    var request = PushedRequest()
    request.series = [
      series("a", [(1000, 1), (2000, 2)]), series("b", [(2000, 1), (1000, 5), (2000, 9)]),
      series("c", [(3_600_000, 1)]),
    ]
    let tally = world.kernel.push(request, at: world.now + .seconds(5))
    #expect(
      tally.floats == 3 && tally.outOfOrder == 1 && tally.duplicates == 1 && tally.tooNew == 1)
    #expect(tally.problem?.hasPrefix("out of order sample (series {__name__=\"b\"}") == true)
    world.sleep(for: .seconds(5))
    #expect(try world.value("a") == 2)
    #expect(try world.value("b") == 1)
    // A retry of what is there is no problem.
    let again = world.kernel.push(
      PushedRequest(series: [series("a", [(2000, 2)])]), at: world.now)
    #expect(again.problem == nil)
  }

  @Test func staleMarkersEndASeries() throws {
    let world = world()
    _ = world.kernel.push(
      PushedRequest(series: [series("a", [(1000, 1), (2000, SpecialValue.stale)])]),
      at: world.now + .seconds(2))
    world.sleep(for: .seconds(1))
    #expect(try world.value("a") == 1)
    world.sleep(for: .seconds(2))
    #expect(try world.value("a") == nil)
  }
}

@Suite struct ImportTests {
  private func world() -> World {
    var settings = Settings()
    settings.storage.keep = .all
    settings.storage.retention = .hours(24)
    return World(settings)
  }

  @discardableResult
  private func load(_ text: String, into world: World) throws -> ImportSession {
    var reader = ImportReader(.text)
    let session = ImportSession()
    for batch in [try reader.take(Array(text.utf8)), try reader.finish()].compactMap({ $0 }) {
      world.kernel.importBatch(batch, in: session, at: world.now)
    }
    return session
  }

  private func lines(_ steps: Range<Int64>, hosts: Range<Int>) -> String {
    let start = World.epoch.milliseconds - 3_600_000
    return steps.flatMap { step in
      hosts.map { "load{host=\"\($0)\"} \(step) \(start + step * 15_000)\n" }
    }.joined()
  }

  @Test func rowsAreRows() throws {
    let world = world()
    let whole = try load(lines(0..<100, hosts: 0..<10), into: world)
    // The cut is in the middle of a row.
    try load(lines(100..<101, hosts: 0..<4), into: world)
    let rest = try load(
      lines(100..<101, hosts: 4..<10) + lines(101..<102, hosts: 0..<10), into: world)
    world.run(for: .seconds(2))
    #expect(whole.tally.floats == 1000 && whole.tally.refused == 0 && whole.seriesCount == 10)
    #expect(rest.tally.floats == 16 && rest.tally.refused == 0)
    let end = World.epoch - .milliseconds(3_600_000 - 101 * 15_000)
    #expect(try world.value("sum(count_over_time(load[2h]))", at: end) == 1020)
    #expect(world.kernel.store.statistics.rows >= 102)
  }

  @Test func samplesInAnyOrderFindTheirPlace() throws {
    let world = world()
    let start = World.epoch.milliseconds - 60_000
    // Series by series, as dumps often are.
    try load(
      "a 1 \(start)\na 2 \(start + 1000)\nb 1 \(start)\nb 2 \(start + 1000)\n", into: world)
    try load("c 1 \(start)\nc 2 \(start + 1000)\n", into: world)
    world.run(for: .seconds(2))
    for name in ["a", "b", "c"] {
      #expect(try world.value("count_over_time(\(name)[5m])") == 2)
    }
  }

  @Test func timesAheadAndRepetitionsAreCounted() throws {
    let world = world()
    let now = World.epoch.milliseconds
    let session = try load(
      "a 1 \(now - 1000)\na 9 \(now - 1000)\na 2 \(now + 3_600_000)\nb 7\n", into: world)
    world.run(for: .seconds(2))
    #expect(session.tally.tooNew == 1)
    #expect(try world.value("b") == 7)
    #expect(try world.value("a") == 1)
    let metrics = world.kernel.metricsText().text
    #expect(metrics.contains("tocsin_pushed_samples_total{path=\"import\",outcome=\"too_new\"} 1"))
    #expect(metrics.contains("tocsin_imports_total 1"))
  }
}
