import Kernel
import Model

/// The way to targets and receivers: how long things take, and what becomes of them.
struct Network {
  /// How one request to a receiver fares; times in milliseconds from its departure.
  struct Fate {
    /// When it arrives; nil: never.
    var arrivesAfter: Int64?
    /// Whether the receiver takes it in.
    var isAccepted = true
    var answersAfter: Int64
    var result: DeliveryOutcome.Result = .answered(status: 200, retryAfter: nil, body: "")
    var answers = 1
  }

  private let chance: Chance
  private var targetFaults: [Int: (fault: TargetFault, until: Int64)] = [:]
  private var receiverFaults: [Int: (fault: ReceiverFault, percent: Int, until: Int64)] = [:]

  init(chance: Chance) { self.chance = chance }

  mutating func fail(target: Int, _ fault: TargetFault, until: Int64) {
    targetFaults[target] = (fault, until)
  }

  mutating func fail(receiver: Int, _ fault: ReceiverFault, percent: Int, until: Int64) {
    receiverFaults[receiver] = (fault, percent, until)
  }

  mutating func heal() {
    targetFaults = [:]
    receiverFaults = [:]
  }

  func fault(ofTarget index: Int, at time: Int64) -> TargetFault? {
    guard let known = targetFaults[index], known.until > time else { return nil }
    return known.fault
  }

  /// How long a scrape takes.
  func scrapeLatency(_ index: Int, at time: Int64) -> Int64 {
    1 + Int64(chance.roll(40, time, Int64(index)))
  }

  func fate(of request: DeliveryRequest, receiver index: Int, at time: Int64) -> Fate {
    let latency = 1 + Int64(chance.roll(60, time, Int64(100 + index)))
    var fate = Fate(arrivesAfter: latency, answersAfter: latency * 2)
    guard let known = receiverFaults[index], known.until > time,
      chance.happens(known.percent, time, Int64(200 + index))
    else { return fate }
    switch known.fault {
    case .refused:
      fate.arrivesAfter = nil
      fate.result = .failed("connection refused")
    case .serverError: refuse(&fate, 500 + 3 * chance.roll(2, time, 1))
    case .overloaded:
      refuse(&fate, 429)
      fate.result = .answered(
        status: 429, retryAfter: .seconds(Int64(1 + chance.roll(40, time, 2))), body: "later")
    case .rejected: refuse(&fate, 400)
    case .slow: fate.answersAfter = request.timeout.milliseconds - 1 - latency
    case .answerLost: fate.result = .failed("unexpected EOF")
    case .answersTwice: fate.answers = 2
    case .timeout:
      // It may still arrive, long after nobody waits for it any more.
      let isLate = chance.happens(50, time, 4)
      fate.arrivesAfter = isLate ? request.timeout.milliseconds + latency * 100 : nil
      fate.answersAfter = request.timeout.milliseconds
      fate.result = .failed("context deadline exceeded")
    }
    return fate
  }

  private func refuse(_ fate: inout Fate, _ status: Int) {
    fate.isAccepted = false
    fate.result = .answered(status: status, retryAfter: nil, body: "no")
  }
}
