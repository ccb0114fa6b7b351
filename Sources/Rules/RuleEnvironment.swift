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
  /// The first that matches an alert rule is its policy.
  package var policies: [PolicySettings] = []
  private var knownTargets: (time: Timestamp, states: TargetStates)?
  /// Seconds on a clock that only moves forward, for durations in reports; pure runs leave it at
  /// zero.
  package let stopwatch: () -> Double
  /// Whether rules of a group evaluate what they have in common once; a matter of speed only.
  package var sharesExpressions = true
  /// When what rules have in common is to be evaluated again.
  let round = EvaluationRound()
  /// Sees every evaluation; nil in a daemon.
  package var inspector: RuleInspector?

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

  /// What is known of the targets at a time: looked up once for all rules that ask at that time.
  func targetStates(at time: Timestamp) -> TargetStates {
    if let knownTargets, knownTargets.time == time { return knownTargets.states }
    let states = TargetStates(store, at: time, lookback: engine.lookback)
    knownTargets = (time, states)
    return states
  }
}
