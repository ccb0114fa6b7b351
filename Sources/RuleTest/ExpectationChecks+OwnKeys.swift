import Diagnostics
import Model
import Rules

extension ExpectationChecks {
  // MARK: states

  /// Alerts of one name in any state.
  func check(_ expectation: UnitTestFile.StateTest) -> UnitTestFailure? {
    let alerts = world.alerts(named: expectation.alertName).sorted { $0.labels < $1.labels }
    let start = test.start
    let pairing = Pairing(expectation.expected, alerts) { $0.matches($1, start: start) }
    if pairing.isPerfect { return nil }
    let title =
      "states of \(expectation.alertName) at \(expectation.time): "
      + Self.count(expectation.expected.count, alerts.count, "alert")
    return failure(
      title, expectation.place,
      pairing.lines({ $0.text }, { UnitTestFile.ExpectedState($0, start: start).text }))
  }

  // MARK: notifications

  /// What receivers have been told, without repetitions.
  func check(
    _ expectation: UnitTestFile.NotificationTest, in world: KernelTestWorld
  ) -> UnitTestFailure? {
    let start = test.start
    let news = world.news(from: start + expectation.from, through: start + expectation.time)
      .filter { one in
        let name = one.subject.labels.value(of: LabelName.alertName)
        return expectation.receiver.map { ByteOrder.equal($0, one.subject.receiver) } ?? true
          && expectation.alertName.map { ByteOrder.equal($0, name) } ?? true
      }
    let pairing = Pairing(expectation.expected, news) { $0.matches($1, start: start) }
    if pairing.isPerfect { return nil }
    let title =
      "notifications from \(expectation.from) to \(expectation.time): "
      + Self.count(expectation.expected.count, news.count, "notification")
    return failure(
      title, expectation.place,
      pairing.lines({ $0.text }, { UnitTestFile.ExpectedNotification($0, start: start).text }))
  }

  private func failure(
    _ title: String, _ place: SourcePosition, _ lines: (expected: [String], got: [String])
  ) -> UnitTestFailure {
    let name = test.name.isEmpty ? "" : "    name: \(test.name),\n"
    var failure = UnitTestFailure(
      name + "    \(title)\n        exp:\n            "
        + lines.expected.joined(separator: "\n            ")
        + "\n        got:\n            " + lines.got.joined(separator: "\n            "))
    failure.place = place
    failure.title = title
    failure.expected = lines.expected
    failure.got = lines.got
    return failure
  }
}

/// Which of the things found stands for which expectation: each for one, the first that fits.
private struct Pairing<Expected, Got> {
  private let expected: [Expected]
  private let got: [Got]
  /// Of each thing found, the expectation.
  private var partners: [Int?]

  init(_ expected: [Expected], _ got: [Got], matches: (Expected, Got) -> Bool) {
    self.expected = expected
    self.got = got
    partners = Array(repeating: nil, count: got.count)
    for i in expected.indices {
      let free = got.indices.first { partners[$0] == nil && matches(expected[i], got[$0]) }
      if let free { partners[free] = i }
    }
  }

  var isPerfect: Bool { expected.count == got.count && !partners.contains(nil) }

  /// Both sides as texts; what fits together reads the same on both.
  func lines(
    _ textOfExpected: (Expected) -> [String], _ textOfGot: (Got) -> [String]
  ) -> (expected: [String], got: [String]) {
    var met: [Int] = []
    var found: [String] = []
    for (i, partner) in partners.enumerated() {
      guard let partner else {
        found += textOfGot(got[i])
        continue
      }
      met.append(partner)
      found += textOfExpected(expected[partner])
    }
    // In the order of what was found, so that the comparison sees what fits.
    let rest = expected.indices.filter { !met.contains($0) }
    return ((met + rest).flatMap { textOfExpected(expected[$0]) }, found)
  }
}

extension UnitTestFile.ExpectedState {
  /// An alert with all that can be expected of it.
  init(_ alert: AlertInstance, start: Timestamp) {
    self.init(
      state: alert.state, labels: alert.labels,
      annotations: LabelSet(labels: alert.annotations), activeAt: alert.activeAt - start,
      startsAt: alert.firedAt.map { $0 - start }, resolvedAt: alert.resolvedAt.map { $0 - start },
      value: alert.value)
  }

  func matches(_ alert: AlertInstance, start: Timestamp) -> Bool {
    let found = Self(alert, start: start)
    return state == found.state && labels == found.labels
      && annotations.map { $0 == found.annotations } ?? true
      && activeAt.map { $0 == found.activeAt } ?? true
      && startsAt.map { $0 == found.startsAt } ?? true
      && resolvedAt.map { $0 == found.resolvedAt } ?? true
      && value.map { $0 == found.value } ?? true
  }

  var text: [String] {
    let word = state == .inactive ? "resolved" : state.rawValue
    let more = [
      value.map { "value \(NumberText.plain($0))" }, activeAt.map { "active at \($0)" },
      startsAt.map { "starts at \($0)" }, resolvedAt.map { "resolved at \($0)" },
    ].compactMap { $0 }
    return [([word, labels.description] + more).joined(separator: "  ")]
      + (annotations?.labels ?? []).map { "  \($0.name): \($0.value)" }
  }
}

extension UnitTestFile.ExpectedNotification {
  /// A notification with all that can be expected of it.
  init(_ one: TestNotification, start: Timestamp) {
    self.init(
      isFiring: one.subject.isFiring, labels: one.subject.labels,
      annotations: one.subject.annotations, receiver: one.subject.receiver, at: one.time - start,
      startsAt: one.subject.startsAt.map { $0 - start }, endsAt: one.endsAt.map { $0 - start })
  }

  func matches(_ one: TestNotification, start: Timestamp) -> Bool {
    let found = Self(one, start: start)
    return isFiring == found.isFiring && labels == found.labels
      && annotations.map { $0 == found.annotations } ?? true
      && receiver.map { ByteOrder.equal($0, found.receiver ?? "") } ?? true
      && at.map { $0 == found.at } ?? true
      && startsAt.map { $0 == found.startsAt } ?? true
      && endsAt.map { $0 == found.endsAt } ?? true
  }

  var text: [String] {
    let more = [
      receiver.map { "to \($0)" }, at.map { "at \($0)" }, startsAt.map { "starts at \($0)" },
      endsAt.map { "ends at \($0)" },
    ].compactMap { $0 }
    return [
      ([isFiring ? "firing" : "resolved", labels.description] + more).joined(separator: "  ")
    ]
      + (annotations?.labels ?? []).map { "  \($0.name): \($0.value)" }
  }
}
