import Model
import Rules

/// Everything about a world that its seed decides in advance.
package struct WorldPlan: Sendable {
  /// How long things go wrong.
  static let turmoil = PromDuration.minutes(10)
  /// How long everything works afterwards, so that what is owed can be delivered.
  static let peace = PromDuration.minutes(9)

  package let seed: UInt64
  var incidents: [PlannedIncident]
  /// Distorts the kernel on purpose; nil in an honest world.
  var tampering: Tampering?
  /// Who evaluates independent rules side by side; must not change anything.
  package var parallelWork: (any ParallelWork)?

  package init(seed: UInt64) {
    self.init(firstOf: seed)
    var random = SeededGenerator(seed: SeededGenerator.mixed(seed ^ 0x51b2))
    guard random.happens(40) else { return }
    for _ in 0..<1 + random.pick(4) {
      let kind = random.element(of: ReloadKind.quarantine)
      incidents.append(
        PlannedIncident(
          at: random.duration(.seconds(20), Self.turmoil),
          incident: .reload(kind, seed: random.next())))
    }
    incidents.sort { $0.at < $1.at }
  }

  /// The plan that a seed stood for before rules could be broken: what was found then is found
  /// there.
  package init(firstOf seed: UInt64) {
    self.seed = seed
    var random = SeededGenerator(seed: SeededGenerator.mixed(seed ^ 0x51b1))
    let count = 4 + random.pick(16)
    var incidents = (0..<count).map { _ in
      PlannedIncident(
        at: random.duration(.seconds(20), Self.turmoil), incident: Self.incident(&random))
    }
    incidents.sort { $0.at < $1.at }
    self.incidents = incidents
  }

  private static func incident(_ random: inout SeededGenerator) -> Incident {
    switch random.pick(20) {
    case 0..<5:
      .target(
        random.pick(4), random.element(of: TargetFault.allCases),
        random.duration(.seconds(5), .minutes(3)))
    case 5..<10:
      .receiver(
        random.pick(5), receiverFault(&random),
        percent: random.element(of: [30, 60, 100]), random.duration(.seconds(10), .minutes(5)))
    case 10:
      .disk(
        random.element(of: DiskFault.allCases), random.duration(.seconds(10), .minutes(3)))
    case 11: .clockStep(step(&random))
    case 12: .suspension(random.duration(.seconds(1), .minutes(4)))
    case 13..<17:
      .reload(random.element(of: ReloadKind.sound), seed: random.next())
    case 17, 18:
      .crash(
        afterEvents: random.pick(40), keepingPercent: random.pick(101),
        downtime: random.duration(
          .milliseconds(100), random.happens(20) ? .minutes(6) : .seconds(20)))
    default: .restart(downtime: random.duration(.milliseconds(100), .seconds(20)))
    }
  }

  /// Final refusals lose notifications; most worlds should not have them.
  private static func receiverFault(_ random: inout SeededGenerator) -> ReceiverFault {
    let fault = random.element(of: ReceiverFault.allCases)
    return fault == .rejected && random.happens(70) ? .serverError : fault
  }

  private static func step(_ random: inout SeededGenerator) -> PromDuration {
    let size = random.duration(.milliseconds(1), random.happens(30) ? .minutes(8) : .seconds(40))
    return random.happens(50) ? size : .zero - size
  }
}
