import Model
import Rules
import Testing

@testable import Kernel

@Suite struct CheckpointTests {
  private func settings() throws -> Settings {
    var settings = Settings()
    settings.scrapes = [Sample.scrape()]
    settings.alertmanagers = [Sample.alertmanager()]
    settings.groups = [
      Sample.group(rules: [
        try Sample.alert("Slow", "x > 0", for: .hours(1)),
        try Sample.alert("Kept", "x > 0", keep: .minutes(10)),
        try Sample.alert("Kept", "x > 0", keep: .minutes(10)),
      ])
    ]
    return settings
  }

  @Test func nothingStartsOverAfterARestart() throws {
    let before = World(try settings())
    before.scrape = { _, at in before.text("x 1\n") }
    before.run(for: .minutes(40))
    let saved = before.kernel.checkpoint(at: before.now)
    #expect(saved.rules.map(\.ordinal) == [0, 0, 1])
    let after = World(try settings(), at: before.now + .minutes(1))
    after.scrape = { _, at in after.text("x 1\n") }
    #expect(after.kernel.restore(saved) == 3)
    #expect(after.kernel.alertsReport.map(\.activeAt) == before.kernel.alertsReport.map(\.activeAt))
    after.run(for: .minutes(21))
    #expect(after.kernel.alertsReport.map(\.state) == [.firing, .firing, .firing])
    #expect(
      after.kernel.alertsReport[1].firedAt == before.kernel.alertsReport[1].firedAt)
    #expect(!after.messages("alerts").contains("Alert resolved"))
  }
}
