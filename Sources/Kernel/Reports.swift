import Model
import Rules

/// All targets as `/api/v1/targets` shows them.
package struct TargetsReport: Sendable {
  package var active: [TargetReport]
  package var dropped: [DroppedTargetReport]
  /// Per job, kept or not, by job name.
  package var droppedCounts: [(job: String, count: Int)]
}

/// One target.
package struct TargetReport: Sendable {
  package var discoveredLabels: LabelSet
  package var labels: LabelSet
  /// The scrape configuration's name.
  package var pool: String
  package var url: String
  package var lastError: String
  package var lastScrape: Timestamp?
  /// Seconds.
  package var lastScrapeDuration: Double
  package var lastSamples: Int
  package var health: TargetHealth
  package var scrapeInterval: PromDuration
  package var scrapeTimeout: PromDuration
}

/// One target that relabelling dropped.
package struct DroppedTargetReport: Sendable {
  package var discoveredLabels: LabelSet
  package var pool: String
}

/// The Alertmanagers as `/api/v1/alertmanagers` shows them.
package struct AlertmanagersReport: Sendable {
  /// URLs that alerts are sent to.
  package var active: [String]
  /// Addresses dropped by relabelling.
  package var dropped: [String]
}

/// One webhook of tocsin.yml.
package struct WebhookReport: Sendable {
  package var name: String
  package var groups: Int
  package var alerts: Int
  /// Notifications written and not yet accepted.
  package var outstanding: Int
  package var sentAlerts: UInt64
  package var failedRequests: UInt64
  package var deadLetters: UInt64
  package var lastError: String
  package var lastSuccess: Timestamp?
}

extension Kernel {
  /// Whether a configuration has been applied.
  package var isConfigured: Bool { reloads > 0 }

  /// The groups with their rules and active alerts, by file and name.
  package var rulesReport: [RuleGroupReport] { scheduler.groups.map(report(of:)) }

  /// A group whose file cannot be read any more runs as it was, and its rules say so.
  private func report(of group: GroupWork) -> RuleGroupReport {
    var report = group.runner.report
    let hold = settings.heldFiles.first { ByteOrder.equal($0.file, report.file) }
    guard let hold, scheduler.isHeld(group, [hold], beside: settings.groups) else { return report }
    for index in report.rules.indices {
      report.rules[index].health = .err
      report.rules[index].lastError = hold.message
    }
    return report
  }

  /// All pending and firing alerts, in the order of the groups and rules.
  package var alertsReport: [AlertReport] {
    rulesReport.flatMap { $0.rules.flatMap(\.alerts) }
  }

  /// The targets by job, in the order of discovery.
  package var targetsReport: TargetsReport {
    let pools = scraper.pools.sorted {
      ByteOrder.less($0.settings.jobName, $1.settings.jobName)
    }
    return TargetsReport(
      active: pools.flatMap { $0.targets.map(\.report) },
      dropped: pools.flatMap { pool in
        pool.dropped.map {
          DroppedTargetReport(discoveredLabels: $0, pool: pool.settings.jobName)
        }
      },
      droppedCounts: pools.map { ($0.settings.jobName, $0.droppedCount) })
  }

  package var alertmanagersReport: AlertmanagersReport {
    AlertmanagersReport(
      active: outbox.queues.map(\.url),
      dropped: outbox.droppedAlertmanagers.map {
        $0.value(of: "__scheme__") + "://" + $0.value(of: "__address__")
          + $0.value(of: "__alerts_path__")
      })
  }

  package var webhooksReport: [WebhookReport] {
    outbox.webhooks.map { webhook in
      WebhookReport(
        name: webhook.settings.name, groups: webhook.groupCount, alerts: webhook.alertCount,
        outstanding: webhook.outstandingCount, sentAlerts: webhook.counts.sent,
        failedRequests: webhook.counts.failedRequests, deadLetters: webhook.deadLetters,
        lastError: webhook.lastError, lastSuccess: webhook.lastSuccess)
    }
  }
}

extension Target {
  var report: TargetReport {
    TargetReport(
      discoveredLabels: spec.discovered, labels: spec.labels, pool: job, url: spec.url,
      lastError: lastError, lastScrape: lastScrape, lastScrapeDuration: lastSeconds,
      lastSamples: lastSamples, health: health, scrapeInterval: spec.interval,
      scrapeTimeout: spec.timeout)
  }
}
