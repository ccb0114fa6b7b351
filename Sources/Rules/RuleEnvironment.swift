import Engine
import Model
import Storage

/// What all rules of a process share: the store, the settings of evaluation, the world as templates
/// see it.
///
/// The kernel changes it on reload; runners read it at each evaluation.
package final class RuleEnvironment {
  package let store: Store
  package var engine: EngineSettings
  package var externalLabels: LabelSet
  /// Prefix of links, without a trailing slash.
  package var externalURL: String
  /// The query offset of groups that name none.
  package var queryOffset: PromDuration
  package var resendDelay: PromDuration
  /// Whether a failed evaluation re-sends its firing alerts, lest they expire at the receivers.
  package var resendsOnFailure: Bool
  package var onLimitBreach: AlertMachine.LimitBreach
  /// Seconds on a clock that only moves forward, for durations in reports; pure runs leave it at
  /// zero.
  package let stopwatch: () -> Double

  package init(
    store: Store, engine: EngineSettings = EngineSettings(), externalLabels: LabelSet = .empty,
    externalURL: String = "", queryOffset: PromDuration = .zero,
    resendDelay: PromDuration = .minutes(1), resendsOnFailure: Bool = true,
    onLimitBreach: AlertMachine.LimitBreach = .hold, stopwatch: @escaping () -> Double = { 0 }
  ) {
    self.store = store
    self.engine = engine
    self.externalLabels = externalLabels
    self.externalURL = externalURL
    self.queryOffset = queryOffset
    self.resendDelay = resendDelay
    self.resendsOnFailure = resendsOnFailure
    self.onLimitBreach = onLimitBreach
    self.stopwatch = stopwatch
  }
}
