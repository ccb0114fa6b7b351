import Model

/// The series an alert rule writes about its own alerts.
package enum SyntheticSeries {
  package static let alerts = "ALERTS"
  package static let alertsForState = "ALERTS_FOR_STATE"

  /// `ALERTS{alertname, alertstate, …}`; the three reserved labels override equal ones of the alert.
  package static func alerts(_ labels: LabelSet, rule: String, state: AlertState) -> LabelSet {
    LabelSet(
      labels: labels.labels + [
        Label(name: LabelName.metricName, value: alerts),
        Label(name: LabelName.alertName, value: rule),
        Label(name: LabelName.alertState, value: state.rawValue),
      ])
  }

  /// `ALERTS_FOR_STATE{alertname, …}`: whose value is the time the alert became active.
  package static func alertsForState(_ labels: LabelSet, rule: String) -> LabelSet {
    LabelSet(
      labels: labels.labels + [
        Label(name: LabelName.metricName, value: alertsForState),
        Label(name: LabelName.alertName, value: rule),
      ])
  }

  /// The value of ALERTS_FOR_STATE: whole seconds since the epoch.
  package static func stateValue(_ activeAt: Timestamp) -> Double {
    Double(activeAt.milliseconds.flooredDivision(by: 1000).quotient)
  }
}
