import Model

/// The series an alert rule writes about its own alerts.
package enum SyntheticSeries {
  package static let alerts = "ALERTS"
  package static let alertsForState = "ALERTS_FOR_STATE"

  /// `ALERTS{alertname, alertstate, …}`; the three reserved labels override equal ones of the
  /// alert.
  ///
  /// The alert's labels lie over the rule's as configured: a label whose template expanded to
  /// nothing shows the template's text in these series, as in Prometheus.
  package static func alertSeries(
    _ labels: LabelSet, configured: [Label] = [], rule: String, state: AlertState
  ) -> LabelSet {
    let reserved = [
      Label(name: LabelName.metricName, value: alerts),
      Label(name: LabelName.alertName, value: rule),
      Label(name: LabelName.alertState, value: state.rawValue),
    ]
    return LabelSet(labels: configured + labels.labels + reserved)
  }

  /// `ALERTS_FOR_STATE{alertname, …}`: whose value is the time the alert became active.
  package static func stateSeries(
    _ labels: LabelSet, configured: [Label] = [], rule: String
  ) -> LabelSet {
    let reserved = [
      Label(name: LabelName.metricName, value: alertsForState),
      Label(name: LabelName.alertName, value: rule),
    ]
    return LabelSet(labels: configured + labels.labels + reserved)
  }

  /// The value of ALERTS_FOR_STATE: whole seconds since the epoch.
  package static func stateValue(_ activeAt: Timestamp) -> Double {
    Double(activeAt.milliseconds.flooredDivision(by: 1000).quotient)
  }
}
