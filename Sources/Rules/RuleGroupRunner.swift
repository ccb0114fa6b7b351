import Engine
import Model
import Storage

/// A group at work: its rules in file order, each seeing the results of those before it.
package final class RuleGroupRunner {
  /// A place in the group.
  private enum Place {
    case rule(RuleRunner)
    /// A rule that has never been good.
    case vacant(QuarantinedRule)
  }

  /// The group as it runs: with the settings of its last good version while its own are broken.
  package let definition: RuleGroupDefinition
  /// The group as it stands in the file.
  private let written: RuleGroupDefinition
  private let places: [Place]
  /// The rules that run, last good versions of quarantined ones among them.
  package let rules: [RuleRunner]
  private let environment: RuleEnvironment
  /// Whether what the rules have in common has been found.
  private var isShared = false
  package private(set) var lastEvaluation: Timestamp?
  /// Seconds the last evaluation took.
  package private(set) var lastDuration = 0.0

  /// A group that continues nothing.
  package convenience init(_ definition: RuleGroupDefinition, environment: RuleEnvironment) {
    self.init(
      definition, environment: environment, replacing: nil,
      predecessors: Array(repeating: nil, count: definition.entries.count))
  }

  /// Puts a changed group in the place of `old`, each of its entries in that of its predecessor.
  ///
  /// Nothing of what runs is touched by rules that change; equal ones are taken over as they are,
  /// with their plans. The caller closes the old rules that are not among the new ones.
  init(
    _ definition: RuleGroupDefinition, environment: RuleEnvironment,
    replacing old: RuleGroupRunner?,
    predecessors: [RuleRunner?], patience: Patience = Patience(from: .zero, for: .zero)
  ) {
    written = definition
    var definition = definition
    if definition.headProblem != nil, let last = old?.definition {
      definition.interval = last.interval
      definition.queryOffset = last.queryOffset
      definition.limit = last.limit
      definition.labels = last.labels
    }
    self.definition = definition
    self.environment = environment
    let key = definition.key
    places = zip(definition.entries, predecessors).map { entry, before in
      switch entry {
      case .rule(let rule):
        .rule(
          Self.runner(
            rule, continuing: before, group: key, environment, patience: patience))
      case .quarantined(let rule):
        before.map { Place.rule(Self.lastGood($0, of: rule)) } ?? .vacant(rule)
      }
    }
    rules = places.compactMap { if case .rule(let runner) = $0 { runner } else { nil } }
    lastEvaluation = old?.lastEvaluation
    lastDuration = old?.lastDuration ?? 0
  }

  private static func runner(
    _ rule: RuleDefinition, continuing before: RuleRunner?, group: String,
    _ environment: RuleEnvironment, patience: Patience
  ) -> RuleRunner {
    guard let before else {
      let output = RuleOutput(store: environment.store, name: "rule \(group) \(rule.name)")
      return RuleRunner(rule, output: output, environment: environment)
    }
    if before.definition.isSame(as: rule) {
      before.move(to: rule)
      return before
    }
    let runner = RuleRunner(rule, output: before.output, environment: environment)
    runner.adopt(before)
    if !RuleTrial.emptySelectors(of: rule.expr, in: environment.store).isEmpty {
      runner.awaitData(patience)
    }
    return runner
  }

  private static func lastGood(_ runner: RuleRunner, of rule: QuarantinedRule) -> RuleRunner {
    runner.quarantine = rule
    return runner
  }

  /// The rule at a place of the file, if it runs.
  func rule(at position: Int) -> RuleRunner? {
    guard places.indices.contains(position), case .rule(let runner) = places[position] else {
      return nil
    }
    return runner
  }

  /// The offset of the group's queries and results.
  package var queryOffset: PromDuration { definition.queryOffset ?? environment.queryOffset }

  /// Evaluates all rules at a slot; one rule's failure does not touch the others.
  ///
  /// Each rule is computed and then committed, so that the next one sees its results. `RuleBatch`
  /// computes rules that are independent together first: commits happen in order anyway.
  package func evaluate(at slot: Timestamp) -> [RuleEvaluation] {
    let started = environment.stopwatch()
    begin()
    var results: [RuleEvaluation] = []
    results.reserveCapacity(rules.count)
    for index in rules.indices {
      compute(index, at: slot)
      results.append(commit(index, at: slot))
    }
    finish(at: slot, duration: environment.stopwatch() - started)
    return results
  }

  /// Before the first rule is computed.
  func begin() {
    environment.round.begin()
    if !isShared { share() }
  }

  /// Finds what the rules have in common, in the order they stand in now.
  private func share() {
    isShared = true
    let common = SharedExpressions(
      store: environment.store, settings: environment.engine, round: environment.round)
    if environment.sharesExpressions {
      var writers = RuleWriters()
      for (place, rule) in rules.enumerated() {
        common.note(rule.definition.expr, user: place) { writers.last(for: $0) ?? -1 }
        writers.add(RuleReach(rule.definition), at: place)
      }
      common.settle()
    }
    for (place, rule) in rules.enumerated() {
      if common.sharers.contains(place) {
        rule.share(SharingScope(common, user: place))
      } else if rule.isSharing {
        rule.share(nil)
      }
    }
  }

  /// The first half of one rule's evaluation; may run beside those of others.
  func compute(_ index: Int, at slot: Timestamp) { rules[index].compute(at: slot - queryOffset) }

  /// The second half of one rule's evaluation.
  func commit(_ index: Int, at slot: Timestamp) -> RuleEvaluation {
    rules[index].commit(at: slot, index: index, group: definition, offset: queryOffset)
  }

  /// All rules have been evaluated.
  func finish(at slot: Timestamp, duration: Double) {
    lastEvaluation = slot
    lastDuration = duration
  }

  /// Whether a group as written is the one at work, so that it may run on untouched.
  package func isSame(as other: RuleGroupDefinition) -> Bool { written.isSame(as: other) }

  /// Notes where the rules of an equal group stand now, and what policies say of them.
  func refresh(_ equal: RuleGroupDefinition) {
    for (place, entry) in zip(places, equal.entries) {
      guard case .rule(let runner) = place else { continue }
      if case .rule(let rule) = entry { runner.move(to: rule) }
      runner.obeyPolicies()
    }
  }

  /// Finds the policies the rules obey from now on.
  package func refreshPolicies() {
    for rule in rules { rule.obeyPolicies() }
  }

  /// The rules of the file that do not run as they stand there, and whether a good version does.
  package var quarantined: [(rule: QuarantinedRule, runsLastGood: Bool)] {
    places.compactMap { place in
      switch place {
      case .rule(let runner): runner.quarantine.map { ($0, true) }
      case .vacant(let rule): (rule, false)
      }
    }
  }

  /// What the API shows.
  package var report: RuleGroupReport {
    RuleGroupReport(
      name: definition.name, file: definition.file, interval: definition.interval,
      queryOffset: queryOffset, limit: definition.limit, labels: definition.labels,
      lastEvaluation: lastEvaluation, evaluationTime: lastDuration,
      rules: places.map { place in
        switch place {
        case .rule(let runner): runner.report(group: definition)
        case .vacant(let rule): RuleReport(rule)
        }
      })
  }
}
