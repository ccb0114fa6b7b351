import RuleTest
import TestSupport
import Testing

/// Tests with a `tocsin` block: the rules run as in the daemon.
@Suite struct OwnKeysTests {
  private static let rules = """
    groups:
      - name: pool
        interval: 30s
        rules:
          - alert: PoolFull
            expr: 100 * used / size > 90
            for: 2m
            annotations: {summary: '{{ $value }} %'}
      - name: slow
        interval: 2m
        query_offset: 30s
        rules:
          - {record: late, expr: used}
    """

  /// A test of `used` = 40 for a minute, then 95, sampled every 30 s.
  private func report(
    _ keys: String, options: UnitTestOptions = UnitTestOptions()
  ) throws -> UnitTestReport {
    let test = """
      rule_files: [rules.yml]
      tests:
        - name: t
          interval: 30s
          start_timestamp: 1700000000
          input_series:
            - {series: 'used{db="a", job="db", instance="x"}', values: '40x1 95x30'}
            - {series: 'size{db="a", job="db", instance="x"}', values: '100x32'}
      \(keys)
      """
    let config = """
      webhooks:
        - {name: pager, url: 'http://pager/', group_by: ['...'], group_interval: 5s}
      """
    let folder = try TemporaryFolder(
      ["rules.yml": Self.rules, "t.yml": test, "tocsin.yml": config])
    return UnitTestRunner.run(path: folder.path + "/t.yml", options: options)
  }

  private let labels = "exp_labels: {db: a, job: db, instance: x}"

  @Test func pendingFiringAndResolvedAreSeenWithTheirTimes() throws {
    let report = try report(
      """
          tocsin:
            alert_state_test:
              - {eval_time: 59s, alertname: PoolFull, exp_alerts: []}
              - eval_time: 90s
                alertname: PoolFull
                exp_alerts: [{state: pending, active_at: 1m, value: 95, \(labels)}]
              - eval_time: 3m
                alertname: PoolFull
                exp_alerts:
                  - {state: firing, starts_at: 3m, \(labels), exp_annotations: {summary: '95 %'}}
      """)
    #expect(report.failures == [])
  }

  @Test func groupsRunAtTheirIntervalsWithTheirOffsets() throws {
    let report = try report(
      """
          tocsin: {}
          promql_expr_test:
            - {expr: 'timestamp(late) - 1700000000', eval_time: 3m59s,
               exp_samples: [{labels: '{db="a", job="db", instance="x"}', value: 90}]}
            - {expr: 'count_over_time(late[10m])', eval_time: 5m,
               exp_samples: [{labels: '{db="a", job="db", instance="x"}', value: 2}]}
      """)
    #expect(report.failures == [])
  }

  @Test func aFailedScrapeEndsSeriesAndIsSeenInUp() throws {
    let report = try report(
      """
          tocsin:
            scrape_failures: [{from: 5m, through: 5m30s, series: '{job="db"}'}]
            alert_state_test:
              - eval_time: 5m
                alertname: PoolFull
                exp_alerts: [{state: resolved, starts_at: 3m, resolved_at: 5m, \(labels)}]
              - eval_time: 6m
                alertname: PoolFull
                exp_alerts: [{state: pending, active_at: 6m, \(labels)}]
          promql_expr_test:
            - {expr: 'sum by (job, instance) (up)', eval_time: 5m,
               exp_samples: [{labels: '{job="db", instance="x"}', value: 0}]}
            - {expr: 'sum by (job, instance) (up)', eval_time: 6m,
               exp_samples: [{labels: '{job="db", instance="x"}', value: 1}]}
      """)
    #expect(report.failures == [])
  }

  @Test func alertsGoOnAfterARestart() throws {
    let report = try report(
      """
          tocsin:
            restarts: [{at: 5m, down: 40s}]
            alert_state_test:
              - eval_time: 7m
                alertname: PoolFull
                exp_alerts: [{state: firing, starts_at: 3m, \(labels)}]
            notification_test:
              - eval_time: 10m
                receiver: alertmanager
                alertname: PoolFull
                exp_notifications: [{status: firing, at: 3m, \(labels)}]
      """)
    #expect(report.failures == [])
  }

  @Test func notificationsAreSeenAsDelivered() throws {
    let report = try report(
      """
          external_labels: {cluster: c}
          tocsin:
            config: tocsin.yml
            scrape_failures: [{from: 5m, through: 20m, series: '{job="db"}'}]
            notification_test:
              - eval_time: 12m
                receiver: pager
                alertname: PoolFull
                exp_notifications:
                  - status: firing
                    at: 3m
                    starts_at: 3m
                    exp_labels: {db: a, job: db, instance: x, cluster: c}
                    exp_annotations: {summary: '95 %'}
                  - status: resolved
                    ends_at: 5m
                    exp_labels: {db: a, job: db, instance: x, cluster: c}
      """)
    #expect(report.failures == [])
  }

  @Test func aFailureListsStatesSideBySide() throws {
    let report = try report(
      """
          tocsin:
            alert_state_test:
              - eval_time: 2m
                alertname: PoolFull
                exp_alerts: [{state: firing, starts_at: 2m, \(labels)}]
      """)
    let failure = try #require(report.cases.first?.failures.first)
    #expect(
      failure.title == "states of PoolFull at 2m: 1 alert expected and found, but not the same")
    let set = #"{alertname="PoolFull", db="a", instance="x", job="db"}"#
    #expect(failure.expected == ["firing  \(set)  starts at 2m"])
    #expect(failure.got.first == "pending  \(set)  value 95  active at 1m")
    #expect(failure.timelines.first?.text.first?.hasSuffix("..ppp  0s to 2m") == true)
  }

  @Test func promtoolRefusesOurKeys() throws {
    let report = try report("    tocsin: {}", options: .promtool)
    #expect(report.problems.first?.contains("field tocsin not found") == true)
    let misspelt = try self.report("    tocsin: {restart: []}")
    #expect(misspelt.problems.first?.contains("field restart not found in a tocsin block") == true)
  }
}
