import Model
import Rules

extension Kernel {
  /// What a reload with these settings would do to the alerts; nothing is changed.
  package func plan(for new: Settings, at now: Timestamp) -> ReloadForecast {
    let after = RuleEnvironment(
      store: store, engine: environment.engine, externalLabels: new.global.externalLabels,
      externalURL: new.global.externalURL, queryOffset: new.global.ruleQueryOffset)
    after.engine.lookback = new.global.lookback
    let held = scheduler.groups.filter {
      scheduler.isHeld($0, new.heldFiles, beside: new.groups)
    }
    let changing = scheduler.groups.filter { group in !held.contains { $0 === group } }
    var forecaster = ReloadForecaster(
      from: changing.map(\.runner), to: new.groups, environment: after, at: now)
    forecaster.hold(held.map(\.runner))
    return forecaster.forecast
  }
}
