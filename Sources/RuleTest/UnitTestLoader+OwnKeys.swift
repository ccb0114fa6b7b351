import Config
import Model
import PromQL
import Rules
import YAML

extension UnitTestLoader {
  /// The `tocsin` block of a test.
  func ownKeys(_ node: YAMLNode) -> UnitTestFile.OwnKeys? {
    guard let fields = reader.fields(of: node, "a tocsin block") else { return nil }
    var own = UnitTestFile.OwnKeys()
    own.configFile = fields.string("config")
    for item in fields.items("scrape_failures") ?? [] {
      if let failure = scrapeFailure(item) { own.failures.append(failure) }
    }
    for item in fields.items("restarts") ?? [] {
      guard let entry = reader.fields(of: item, "a restart") else { continue }
      own.restarts.append(
        UnitTestFile.Restart(
          time: entry.duration("at") ?? .zero, downtime: entry.duration("down") ?? .zero))
      close(entry)
    }
    own.restarts.sort { $0.time < $1.time }
    for item in fields.items("alert_state_test") ?? [] {
      if let test = stateTest(item) { own.stateTests.append(test) }
    }
    for item in fields.items("notification_test") ?? [] {
      if let test = notificationTest(item) { own.notificationTests.append(test) }
    }
    close(fields)
    return own
  }

  private func scrapeFailure(_ node: YAMLNode) -> UnitTestFile.ScrapeFailure? {
    guard let fields = reader.fields(of: node, "a scrape failure") else { return nil }
    defer { close(fields) }
    let from = fields.duration("from") ?? .zero
    let through = fields.duration("through") ?? from
    let text = fields.string("series") ?? ""
    guard !text.isEmpty, let place = fields.value("series") else {
      reader.report("test/scrape-failure", "a scrape failure needs a selector: series", at: node)
      return nil
    }
    do {
      let matchers = try PromQLParser.parseMetricSelector(text)
      return UnitTestFile.ScrapeFailure(from: from, through: through, matchers: matchers)
    } catch {
      reader.report("test/scrape-failure", error.text(in: text), at: place)
      return nil
    }
  }

  private func stateTest(_ node: YAMLNode) -> UnitTestFile.StateTest? {
    guard let fields = reader.fields(of: node, "a test of alert states") else { return nil }
    defer { close(fields) }
    var test = UnitTestFile.StateTest(
      time: fields.duration("eval_time") ?? .zero, alertName: fields.string("alertname") ?? "",
      expected: [], place: place(of: node))
    if test.alertName.isEmpty {
      reader.report("test/alertname", "a test of alert states needs an alertname", at: node)
    }
    for item in fields.items("exp_alerts") ?? [] {
      guard let alert = reader.fields(of: item, "an expected alert") else { continue }
      let words = ["pending", "firing", "resolved"]
      let state = alert.word("state", of: words) ?? "firing"
      test.expected.append(
        UnitTestFile.ExpectedState(
          state: AlertState(rawValue: state) ?? .inactive,
          labels: labels(alert, "exp_labels").setting(LabelName.alertName, to: test.alertName),
          annotations: alert.value("exp_annotations") == nil
            ? nil : labels(alert, "exp_annotations"),
          activeAt: alert.duration("active_at"), startsAt: alert.duration("starts_at"),
          resolvedAt: alert.duration("resolved_at"), value: alert.double("value")))
      close(alert)
    }
    return test
  }

  private func notificationTest(_ node: YAMLNode) -> UnitTestFile.NotificationTest? {
    guard let fields = reader.fields(of: node, "a test of notifications") else { return nil }
    defer { close(fields) }
    var test = UnitTestFile.NotificationTest(
      from: fields.duration("from") ?? .zero, time: fields.duration("eval_time") ?? .zero,
      receiver: fields.string("receiver"), alertName: fields.string("alertname"), expected: [],
      place: place(of: node))
    for item in fields.items("exp_notifications") ?? [] {
      guard let alert = reader.fields(of: item, "an expected notification") else { continue }
      var set = labels(alert, "exp_labels")
      if let name = test.alertName { set = set.setting(LabelName.alertName, to: name) }
      test.expected.append(
        UnitTestFile.ExpectedNotification(
          isFiring: alert.word("status", of: ["firing", "resolved"]) != "resolved", labels: set,
          annotations: alert.value("exp_annotations") == nil
            ? nil : labels(alert, "exp_annotations"),
          receiver: alert.string("receiver"), at: alert.duration("at"),
          startsAt: alert.duration("starts_at"), endsAt: alert.duration("ends_at")))
      close(alert)
    }
    return test
  }

  private func labels(_ fields: YAMLFields, _ name: String) -> LabelSet {
    LabelSet((fields.map(name) ?? []).map { ($0.name, $0.text) })
  }
}
