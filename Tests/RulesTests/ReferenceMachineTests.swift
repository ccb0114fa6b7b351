import Model
import TestSupport
import Testing

@testable import Rules

/// A naive alert machine written straight from the description of Prometheus' own, with a
/// dictionary and no shortcuts; the real one must agree with it on every step.
private struct NaiveMachine {
  struct Alert: Equatable {
    var state = "pending"
    var value: Double
    var activeAt: Int64
    var firedAt: Int64?
    var resolvedAt: Int64?
    var keepSince: Int64?
  }

  let hold: Int64
  let keep: Int64
  let limit: Int
  var active: [String: Alert] = [:]

  /// False: the evaluation failed.
  mutating func eval(_ result: [(String, Double)], _ ts: Int64) -> Bool {
    var fresh: [String: Alert] = [:]
    for (key, value) in result {
      if fresh[key] != nil { return false }
      fresh[key] = Alert(value: value, activeAt: ts)
    }
    for (key, alert) in fresh {
      if let known = active[key], known.state != "inactive" {
        active[key]?.value = alert.value
      } else {
        active[key] = alert
      }
    }
    var count = 0
    for key in Array(active.keys) {
      guard var alert = active[key] else { continue }
      if fresh[key] == nil {
        var kept = false
        if alert.state == "firing" && keep > 0 {
          if alert.keepSince == nil { alert.keepSince = ts }
          if ts - (alert.keepSince ?? 0) < keep { kept = true }
        }
        active[key] = alert
        let isOld = alert.resolvedAt.map { ts - $0 > 15 * 60_000 } ?? false
        if alert.state == "pending" || isOld {
          active[key] = nil
          continue
        }
        if alert.state != "inactive" && !kept {
          alert.state = "inactive"
          alert.resolvedAt = ts
          active[key] = alert
        }
        if !kept { continue }
      } else {
        alert.keepSince = nil
      }
      count += 1
      if alert.state == "pending" && ts - alert.activeAt >= hold {
        alert.state = "firing"
        alert.firedAt = ts
      }
      active[key] = alert
    }
    if limit > 0 && count > limit {
      active = [:]
      return false
    }
    return true
  }
}

@Suite struct ReferenceMachineTests {
  @Test(arguments: 0..<200) func agreesOnRandomInput(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let durations: [Int64] = [0, 15_000, 60_000, 90_000, 300_000]
    let hold = durations.randomElement(using: &random) ?? 0
    let keep = durations.randomElement(using: &random) ?? 0
    let limit = Int.random(in: 0...4, using: &random)
    var naive = NaiveMachine(hold: hold, keep: keep, limit: limit)
    let machine = AlertMachine(
      holdDuration: .milliseconds(hold), keepFiringFor: .milliseconds(keep), limit: limit,
      onLimitBreach: .forget)
    var table = AlertTable()
    var now: Int64 = 0
    var chance = 0.5
    for _ in 0..<150 {
      now += [15_000, 60_000, 60_000, 180_000].randomElement(using: &random) ?? 0
      if Int.random(in: 0..<10, using: &random) == 0 {
        chance = Double.random(in: 0...1, using: &random)
      }
      var result: [(String, Double)] = []
      for i in 0..<5 where Double.random(in: 0...1, using: &random) < chance {
        result.append(("\(i)", Double.random(in: 0...9, using: &random)))
      }
      if Int.random(in: 0..<40, using: &random) == 0, let first = result.first {
        result.append(first)
      }
      let expected = naive.eval(result, now)
      let observed = result.map {
        AlertCandidate(labels: ["alertname": "A", "i": $0.0], value: $0.1)
      }
      let worked =
        (try? machine.step(&table, observed: observed, at: Timestamp(milliseconds: now))) != nil
      #expect(worked == expected)
      #expect(snapshot(table) == naive.active)
      if snapshot(table) != naive.active { return }
    }
  }

  private func snapshot(_ table: AlertTable) -> [String: NaiveMachine.Alert] {
    var out: [String: NaiveMachine.Alert] = [:]
    for alert in table.instances {
      out[alert.labels.value(of: "i")] = NaiveMachine.Alert(
        state: alert.state.rawValue, value: alert.value, activeAt: alert.activeAt.milliseconds,
        firedAt: alert.firedAt?.milliseconds, resolvedAt: alert.resolvedAt?.milliseconds,
        keepSince: alert.keepFiringSince?.milliseconds)
    }
    return out
  }
}
