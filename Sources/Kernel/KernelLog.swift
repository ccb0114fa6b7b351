import Model
import Rules

/// What transitions are counted by.
struct TransitionKey: Hashable {
  let group: String
  let rule: String
  let to: AlertState
}

extension Kernel {
  /// Logs what is worth knowing of an evaluation and counts its transitions.
  func log(
    _ evaluation: RuleEvaluation, of group: RuleGroupDefinition, _ effects: inout EffectList
  ) {
    let place = [("file", group.file), ("group", group.name), ("rule", evaluation.rule)]
    let level: LogRecord.Level = evaluation.isNews ? .warn : .debug
    if evaluation.isNews && evaluation.isFine {
      effects.log(.info, "rules", "Rule works again", place)
    }
    if let problem = evaluation.problem {
      effects.log(
        level, "rules", "Evaluating rule failed", place + [("err", problem.description)])
    }
    if let problem = evaluation.appendProblem {
      effects.log(level, "rules", "Rule results dropped", place + [("err", problem)])
    }
    if let problem = evaluation.templateProblems.first {
      effects.log(
        level, "rules", "Expanding alert template failed",
        place + [("err", problem), ("count", "\(evaluation.templateProblems.count)")])
    }
    for transition in evaluation.transitions {
      log(transition, rule: evaluation.rule, of: group, &effects)
    }
  }

  /// Logs and counts one transition.
  func log(
    _ transition: AlertTransition, rule: String, of group: RuleGroupDefinition,
    _ effects: inout EffectList
  ) {
    saving.hasTransitions = true
    effects.record(
      .transition(TransitionRecord(transition, rule: rule, group: group.key)), at: transition.at)
    transitionCounts[
      TransitionKey(group: group.key, rule: rule, to: transition.to), default: 0] += 1
    effects.log(
      transition.to == .firing || transition.from == .firing ? .info : .debug, "alerts",
      Self.message(transition),
      [
        ("rule", rule), ("group", group.name), ("labels", transition.labels.description),
        ("from", transition.from.rawValue), ("to", transition.to.rawValue),
        ("value", NumberText.general(transition.value)), ("at", transition.at.rfc3339),
        ("reason", transition.reason.rawValue),
      ])
  }

  private static func message(_ transition: AlertTransition) -> String {
    switch transition.to {
    case .pending: "Alert pending"
    case .firing: "Alert firing"
    case .inactive: transition.from == .firing ? "Alert resolved" : "Alert inactive"
    }
  }
}
