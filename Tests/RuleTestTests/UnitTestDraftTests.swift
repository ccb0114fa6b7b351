import JSON
import RuleTest
import TestSupport
import Testing

@Suite struct UnitTestDraftTests {
  private static let rules = """
    groups:
      - name: pool
        rules:
          - record: db:used:ratio
            expr: used{state=~"active|idle"} / ignoring(state) size
          - alert: PoolFull
            expr: db:used:ratio > 0.9
            for: 2m
            labels: {severity: page}
            annotations: {summary: "{{ $labels.db }}: it's full"}
          - alert: Errors
            expr: rate(errors_total{code=~"5.."}[5m]) > 2
          - alert: Gone
            expr: absent(heartbeat)
    """

  private func draft(live: [String: [UnitTestDraft.LiveSeries]]? = nil) throws -> (
    text: String, report: UnitTestReport, draft: UnitTestDraft
  ) {
    let folder = try TemporaryFolder(["rules.yml": Self.rules])
    let draft = try UnitTestDraft(
      ruleFiles: [folder.path + "/rules.yml"], relativeTo: folder.path)
    let text = draft.text(live: live)
    try folder.write("t.yml", text)
    return (text, UnitTestRunner.run(path: folder.path + "/t.yml", options: .promtool), draft)
  }

  @Test func everyAlertFiresInItsFirstTest() throws {
    let (text, report, _) = try draft()
    #expect(report.failures == [])
    #expect(report.cases.count == 4)
    #expect(!text.contains("does not fire"))
    #expect(
      text.contains(
        """
          - name: PoolFull
            interval: 1m
            input_series:
              - series: 'used{db="db-1", state="active"}'
                values: '1x7'
              - series: 'size{db="db-1"}'
                values: '1x7'
            alert_rule_test:
              - eval_time: 0s
                alertname: PoolFull
                exp_alerts: []
              - eval_time: 7m
                alertname: PoolFull
                exp_alerts:
                  - exp_labels:
                      db: 'db-1'
                      severity: page
                    exp_annotations:
                      summary: 'db-1: it''s full'

        """))
    #expect(text.contains(#"series: 'errors_total{code="500"}'"#))
  }

  @Test func liveSeriesAreTakenAsTheyAre() throws {
    let answer = try JSONValue(
      parsing: """
        {"resultType": "matrix", "result": [{"metric": {"__name__": "size", "db": "a"},
          "values": [[600, "100"], [660, "100"], [780, "120"]]}]}
        """)
    let series = UnitTestDraft.LiveSeries.read(answer)
    let (text, report, draft) = try draft(live: ["size": series])
    #expect(report.failures == [])
    #expect(
      draft.selectors == [
        #"used{state=~"active|idle"}"#, "size", #"errors_total{code=~"5.."}"#, "heartbeat",
      ])
    #expect(text.contains("      - series: 'size{db=\"a\"}'\n        values: '100 100 _ 120'\n"))
    #expect(text.contains("does not fire with these series"))
  }
}
