import Model
import Rules

extension Kernel {
  /// The kernel's own metrics as text exposition: Prometheus' names where they exist, `tocsin_` for
  /// ours.
  ///
  /// The process' metrics and those of the HTTP edge are the caller's to append.
  package func metricsText() -> MetricsText {
    var out = MetricsText()
    writeRuleMetrics(to: &out)
    writeQuarantineMetrics(to: &out)
    writeAlertMetrics(to: &out)
    writeNotifierMetrics(to: &out)
    writeWebhookMetrics(to: &out)
    writeReceiverMetrics(to: &out)
    writeScrapeMetrics(to: &out)
    writePushMetrics(to: &out)
    writePoolMetrics(to: &out)
    writeStoreMetrics(to: &out)
    writeMemoryLimitMetrics(to: &out)
    writeStorageMetrics(to: &out)
    return out
  }

  private func perGroup(
    _ name: String, _ kind: MetricsText.Kind, _ help: String, to out: inout MetricsText,
    _ value: (GroupWork) -> Double
  ) {
    if scheduler.groups.isEmpty { return }
    out.family(name, kind, help)
    for group in scheduler.groups {
      out.sample(value(group), [("rule_group", group.definition.key)])
    }
  }

  private func writeRuleMetrics(to out: inout MetricsText) {
    let prefix = "prometheus_rule_"
    out.family(
      prefix + "evaluation_duration_seconds", .summary, "The duration for a rule to execute.")
    out.summary(scheduler.evaluationDurations)
    out.family(
      prefix + "evaluation_duration_histogram_seconds", .histogram,
      "The duration for a rule to execute.")
    out.histogram(scheduler.evaluationDurations.histogram)
    out.family(
      prefix + "group_duration_seconds", .summary, "The duration of rule group evaluations.")
    out.summary(scheduler.groupDurations, quantiles: [0.01, 0.05, 0.5, 0.9, 0.99])
    out.family(
      prefix + "group_duration_histogram_seconds", .histogram,
      "The duration of rule group evaluations.")
    out.histogram(scheduler.groupDurations.histogram)
    perGroup(
      prefix + "evaluations_total", .counter, "The total number of rule evaluations.", to: &out
    ) { Double($0.evaluations) }
    perGroup(
      prefix + "evaluation_failures_total", .counter,
      "The total number of rule evaluation failures.", to: &out
    ) { Double($0.failures) }
    perGroup(
      prefix + "group_iterations_total", .counter,
      "The total number of scheduled rule group evaluations, whether executed or missed.", to: &out
    ) { Double($0.iterations) }
    perGroup(
      prefix + "group_iterations_missed_total", .counter,
      "The total number of rule group evaluations missed due to slow rule group evaluation.",
      to: &out
    ) { Double($0.missed) }
    perGroup(
      "tocsin_rule_group_scrape_iterations_total", .counter,
      "The total number of rule group evaluations right behind scrapes, besides scheduled ones.",
      to: &out
    ) { Double($0.following?.iterations ?? 0) }
    perGroup(
      prefix + "group_interval_seconds", .gauge, "The interval of a rule group.", to: &out
    ) { $0.definition.interval.seconds }
    perGroup(
      prefix + "group_last_evaluation_timestamp_seconds", .gauge,
      "The timestamp of the last rule group evaluation in seconds.", to: &out
    ) { $0.runner.lastEvaluation?.seconds ?? 0 }
    perGroup(
      prefix + "group_last_duration_seconds", .gauge,
      "The duration of the last rule group evaluation.", to: &out
    ) { $0.runner.lastDuration }
    perGroup(
      prefix + "group_last_evaluation_samples", .gauge,
      "The number of samples returned during the last rule group evaluation.", to: &out
    ) { Double($0.lastSamples) }
    perGroup(prefix + "group_rules", .gauge, "The number of rules.", to: &out) {
      Double($0.runner.rules.count)
    }
  }

  private func writeAlertMetrics(to out: inout MetricsText) {
    writePerRuleMetrics(rulesReport, to: &out)
    writeTransitionMetrics(to: &out)
    out.single(
      "prometheus_template_text_expansions_total", .counter,
      "The total number of template text expansions.", Double(scheduler.templateExpansions))
    out.single(
      "prometheus_template_text_expansion_failures_total", .counter,
      "The total number of template text expansion failures.", Double(scheduler.templateFailures))
  }

  private func forEachRule(
    _ groups: [RuleGroupReport],
    _ body: (_ rule: RuleReport, _ labels: [(name: String, value: String)]) -> Void
  ) {
    for group in groups {
      for (index, rule) in group.rules.enumerated() {
        body(
          rule,
          [
            ("rule_group", group.file + ";" + group.name), ("rule", rule.name),
            ("index", "\(index)"),
          ])
      }
    }
  }

  private func writeTransitionMetrics(to out: inout MetricsText) {
    if transitionCounts.isEmpty { return }
    out.family("tocsin_alert_transitions_total", .counter, "Changes of alerts by their new state.")
    let sorted = transitionCounts.map { key, count in
      ([key.group, key.rule, key.to.rawValue], count)
    }.sorted { a, b in a.0.lexicographicallyPrecedes(b.0, by: ByteOrder.less) }
    for (key, count) in sorted {
      out.sample(count, [("rule_group", key[0]), ("rule", key[1]), ("to", key[2])])
    }
  }

  private func perAlertmanager(
    _ name: String, _ kind: MetricsText.Kind, _ help: String, to out: inout MetricsText,
    _ value: (AlertmanagerQueue) -> Double
  ) {
    if outbox.queues.isEmpty { return }
    out.family(name, kind, help)
    for queue in outbox.queues { out.sample(value(queue), [("alertmanager", queue.url)]) }
  }

  private func writeNotifierMetrics(to out: inout MetricsText) {
    let prefix = "prometheus_notifications_"
    out.single(
      prefix + "alertmanagers_discovered", .gauge,
      "The number of alertmanagers discovered and active.", Double(outbox.queues.count))
    out.single(
      prefix + "queue_capacity", .gauge, "The capacity of the alert notifications queue.",
      Double(settings.global.notificationQueueCapacity))
    perAlertmanager(
      prefix + "queue_length", .gauge, "The number of alert notifications in the queue.", to: &out
    ) { Double($0.length) }
    perAlertmanager(prefix + "sent_total", .counter, "Total number of alerts sent.", to: &out) {
      Double($0.counts.sent)
    }
    perAlertmanager(
      prefix + "errors_total", .counter,
      "Total number of sent alerts affected by errors.", to: &out
    ) { Double($0.counts.errors) }
    perAlertmanager(
      prefix + "dropped_total", .counter,
      "Total number of alerts dropped due to errors when sending to Alertmanager.", to: &out
    ) { Double($0.counts.dropped) }
    if outbox.queues.isEmpty { return }
    out.family(prefix + "latency_seconds", .summary, "Latency quantiles for sending alerts.")
    for queue in outbox.queues { out.summary(queue.counts.latency, [("alertmanager", queue.url)]) }
    out.family(
      prefix + "latency_histogram_seconds", .histogram, "Latency histogram for sending alerts.")
    for queue in outbox.queues {
      out.histogram(queue.counts.latency.histogram, [("alertmanager", queue.url)])
    }
  }

  private func perWebhook(
    _ name: String, _ kind: MetricsText.Kind, _ help: String, to out: inout MetricsText,
    _ value: (WebhookReceiver) -> Double
  ) {
    if outbox.webhooks.isEmpty { return }
    out.family(name, kind, help)
    for webhook in outbox.webhooks {
      out.sample(value(webhook), [("webhook", webhook.settings.name)])
    }
  }

  private func writeWebhookMetrics(to out: inout MetricsText) {
    let prefix = "tocsin_webhook_"
    perWebhook(
      prefix + "requests_total", .counter, "Requests that were answered or failed.", to: &out
    ) { Double($0.counts.requests) }
    perWebhook(
      prefix + "errors_total", .counter, "Requests that were not accepted.", to: &out
    ) { Double($0.counts.failedRequests) }
    perWebhook(
      prefix + "alerts_sent_total", .counter, "Alerts in accepted notifications.", to: &out
    ) { Double($0.counts.sent) }
    perWebhook(
      prefix + "alerts_dropped_total", .counter, "Alerts in notifications given up.", to: &out
    ) { Double($0.counts.dropped) }
    perWebhook(
      prefix + "dead_letters_total", .counter, "Notifications given up after their age.", to: &out
    ) { Double($0.deadLetters) }
    perWebhook(
      prefix + "outstanding", .gauge, "Notifications written and not yet accepted.", to: &out
    ) { Double($0.outstandingCount) }
    perWebhook(prefix + "groups", .gauge, "Alert groups with alerts in them.", to: &out) {
      Double($0.groupCount)
    }
    if outbox.webhooks.isEmpty { return }
    out.family(prefix + "latency_seconds", .summary, "Latency quantiles of requests.")
    for webhook in outbox.webhooks {
      out.summary(webhook.counts.latency, [("webhook", webhook.settings.name)])
    }
  }
}
