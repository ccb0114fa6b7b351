import Model
import Rules
import Testing

@testable import Kernel

private let start = Timestamp(seconds: 1_700_000_000)

private func firing(_ name: String, at time: Timestamp = start) -> AlertInstance {
  AlertInstance(
    labels: ["alertname": name], state: .firing, annotations: [], value: 1, activeAt: time,
    firedAt: time, lastSentAt: time, validUntil: time + .minutes(4))
}

/// An outbox with its clock, and receivers that answer by name.
private final class Post {
  var outbox: Outbox
  var now = start
  var settings = Settings()
  /// Nil: no answer yet.
  var answer: (_ receiver: String) -> DeliveryOutcome.Result? = { _ in
    .answered(status: 200, retryAfter: nil, body: "")
  }
  private(set) var sent: [(receiver: String, body: String)] = []
  private(set) var effects = EffectList()

  init(_ change: (inout Settings) -> Void) {
    change(&settings)
    outbox = Outbox(seed: 1, survives: true)
    update()
  }

  func update() {
    outbox.update(settings, at: now, &effects)
    exchange()
  }

  func discover(
    _ targets: [String], config: Int = 0, source: String = "f:0", mechanism: String = "file_sd/0"
  ) {
    outbox.discover(
      config: config, mechanism: mechanism,
      groups: [TargetGroup(source: source, targets: targets)], at: now, &effects)
    exchange()
  }

  func notify(_ alerts: [AlertInstance]) {
    outbox.notify(alerts, query: "up == 0", at: now, &effects)
    exchange()
  }

  func exchange() {
    var round = EffectList()
    repeat {
      round = EffectList()
      outbox.run(at: now, &round)
      for case .log(let record) in round.effects { effects.append(.log(record)) }
      for case .deliver(let id, let request) in round.effects {
        sent.append((request.receiver, String(decoding: request.body, as: UTF8.self)))
        guard let result = answer(request.receiver) else { continue }
        outbox.finish(
          id, DeliveryOutcome(result: result, duration: .zero), at: now, &effects)
      }
    } while !round.effects.isEmpty
  }

  func run(for duration: PromDuration) {
    let end = now + duration
    while let next = outbox.nextDeadline, next <= end {
      now = max(now, next)
      exchange()
    }
    now = end
  }

  func restart(after pause: PromDuration = .seconds(1)) {
    let saved = outbox.checkpoint()
    let died = now
    now = now + pause
    outbox = Outbox(seed: 2, survives: true)
    update()
    outbox.restore(saved, savedAt: died, patience: .minutes(1), at: now, &effects)
    exchange()
  }

  var receivers: [String] { sent.map(\.receiver) }
}

@Suite struct AlertmanagerPoolTests {
  private static func discovered(_ change: (inout AlertmanagerSettings) -> Void = { _ in })
    -> AlertmanagerSettings
  {
    var block = AlertmanagerSettings()
    block.fileDiscovery = [FileDiscoverySettings(files: ["am.json"])]
    change(&block)
    return block
  }

  @Test func discoveredOnesComeAndGo() {
    let post = Post { $0.alertmanagers = [Self.discovered { $0.pathPrefix = "/am" }] }
    post.notify([firing("Nobody")])
    #expect(post.sent.isEmpty)
    post.discover(["a:1", "b:1"])
    post.notify([firing("A")])
    #expect(post.receivers == ["http://a:1/am/api/v2/alerts", "http://b:1/am/api/v2/alerts"])
    post.discover(["b:1"])
    post.notify([firing("B")])
    #expect(post.receivers.suffix(1) == ["http://b:1/am/api/v2/alerts"])
    post.discover([])
    #expect(post.outbox.queues.isEmpty)
  }

  @Test func theQueueOfOneThatComesBackIsKept() {
    let post = Post { $0.alertmanagers = [Self.discovered()] }
    post.answer = { _ in .failed("connection refused") }
    post.discover(["a:1"])
    post.notify([firing("A")])
    post.discover([])
    #expect(post.outbox.checkpoint().alertmanagers.map(\.url) == ["http://a:1/api/v2/alerts"])
    post.run(for: .minutes(1))
    post.answer = { _ in .answered(status: 200, retryAfter: nil, body: "") }
    post.discover(["a:1"])
    post.exchange()
    #expect(post.sent.count == 2)
    #expect(post.sent[0] == post.sent[1])
    #expect(post.outbox.isDrained)
  }

  @Test func theQueueOfOneThatStaysAwayIsGivenUpWithAWord() {
    let post = Post { $0.alertmanagers = [Self.discovered()] }
    post.answer = { _ in .failed("connection refused") }
    post.discover(["user:s3cret@a:1"])
    post.notify([firing("A")])
    post.discover([])
    post.run(for: .minutes(6))
    #expect(post.outbox.checkpoint().alertmanagers.isEmpty)
    let said = post.effects.effects.compactMap { effect -> [String]? in
      guard case .log(let record) = effect else { return nil }
      return [record.message] + record.fields.map(\.value)
    }
    #expect(
      said.contains([
        "Receiver removed with undelivered alerts", "http://user:xxxxx@a:1/api/v2/alerts", "1",
      ]))
    #expect(!said.joined().contains { $0.contains("s3cret") })
  }

  @Test func aReloadThatMovesABlockLosesNothing() {
    var fixed = AlertmanagerSettings()
    fixed.targets = [TargetGroup(source: "0", targets: ["fixed:1"])]
    let post = Post { $0.alertmanagers = [Self.discovered()] }
    post.answer = { _ in .failed("connection refused") }
    post.discover(["a:1"])
    post.notify([firing("A")])
    post.settings.alertmanagers.insert(fixed, at: 0)
    post.update()
    post.answer = { _ in .answered(status: 200, retryAfter: nil, body: "") }
    post.discover(["a:1"], config: 1)
    post.exchange()
    #expect(post.receivers.filter { $0.contains("a:1") }.count == 2)
    #expect(post.outbox.isDrained)
  }

  @Test func whatAnUnchangedDiscoveryHasFoundStays() {
    let post = Post {
      $0.alertmanagers = [
        Self.discovered {
          $0.httpDiscovery = [HTTPDiscoverySettings(url: "http://sd/")]
          $0.dnsDiscovery = [DNSDiscoverySettings(names: ["am.example"])]
        }
      ]
    }
    for (kind, target) in [("file_sd/0", "f:1"), ("http_sd/0", "h:1"), ("dns_sd/0", "d:1")] {
      post.discover([target], mechanism: kind)
    }
    post.notify([firing("A")])
    #expect(post.receivers.count == 3)
    post.settings.alertmanagers[0].dnsDiscovery[0].port = 9093
    post.update()
    #expect(
      post.outbox.queues.map(\.url) == ["http://f:1/api/v2/alerts", "http://h:1/api/v2/alerts"])
    post.settings.alertmanagers[0].fileDiscovery = []
    post.settings.alertmanagers[0].httpDiscovery[0].url = "http://other/"
    post.update()
    #expect(post.outbox.queues.isEmpty)
  }

  @Test func eachBlockRelabelsForItself() throws {
    var relabel = RelabelRule(regexp: try Regexp(anchored: "(.*)"))
    relabel.targetLabel = "via"
    relabel.replacement = "second"
    let post = Post {
      $0.global.externalLabels = ["cluster": "c1", "alertname": "no"]
      $0.alertmanagers = [Sample.alertmanager("one:1"), Sample.alertmanager("two:1")]
      $0.alertmanagers[1].alertRelabeling = [relabel]
    }
    post.notify([firing("A")])
    #expect(post.sent[0].body.contains(#""labels":{"alertname":"A","cluster":"c1"}"#))
    #expect(
      post.sent[1].body.contains(#""labels":{"alertname":"A","cluster":"c1","via":"second"}"#))
  }
}

@Suite struct OutboxRestartTests {
  @Test func queuesGoOnWhereTheyWere() {
    let post = Post {
      $0.alertmanagers = [Sample.alertmanager()]
      $0.webhooks = [Sample.webhook()]
    }
    post.answer = { _ in nil }
    post.notify([firing("A"), firing("B")])
    #expect(post.sent.count == 3)
    post.answer = { _ in .answered(status: 200, retryAfter: nil, body: "") }
    let before = post.sent
    post.restart()
    #expect(post.sent.dropFirst(3).map(\.body).sorted() == before.map(\.body).sorted())
    #expect(post.outbox.isDrained)
    #expect(post.outbox.checkpoint().alertmanagers.isEmpty)
    post.run(for: .minutes(2))
    #expect(post.sent.count == 6)
  }

  @Test func expiredWordsAreNotToldToAnAlertmanager() {
    let post = Post { $0.alertmanagers = [Sample.alertmanager()] }
    post.answer = { _ in nil }
    var over = firing("Over")
    over.state = .inactive
    over.resolvedAt = start
    post.notify([firing("A"), over])
    post.answer = { _ in .answered(status: 200, retryAfter: nil, body: "") }
    post.restart(after: .minutes(10))
    #expect(post.sent.count == 2)
    #expect(post.sent[1].body.contains("Over") && !post.sent[1].body.contains(#""A""#))
  }

  @Test func aStopLeavesTheRestToTheNextStart() {
    let post = Post { $0.webhooks = [Sample.webhook()] }
    post.answer = { _ in .failed("connection refused") }
    post.notify([firing("A")])
    post.outbox.stop(at: post.now)
    post.run(for: .seconds(11))
    #expect(post.outbox.isDrained)
    #expect(post.outbox.nextDeadline == nil)
    #expect(post.outbox.checkpoint().webhooks[0].groups.count { $0.outstanding != nil } == 1)
    let hasLetters = post.effects.effects.contains {
      if case .deadLetter = $0 { true } else { false }
    }
    #expect(!hasLetters)
    post.answer = { _ in .answered(status: 200, retryAfter: nil, body: "") }
    post.restart()
    post.run(for: .minutes(1))
    #expect(post.outbox.isDrained)
    #expect(Set(post.sent.map(\.body)).count == 1)
  }

  @Test func receiversThatAreGoneAreNamed() {
    let post = Post { $0.webhooks = [Sample.webhook("old"), Sample.webhook("stays")] }
    post.answer = { _ in nil }
    post.notify([firing("A")])
    post.settings.webhooks.removeFirst()
    post.restart()
    let said = post.effects.effects.compactMap { effect -> String? in
      guard case .log(let record) = effect else { return nil }
      return record.message
    }
    #expect(said.contains { $0.contains("not configured any more") })
    let letters = post.effects.effects.compactMap { effect -> DeadLetter? in
      guard case .deadLetter(let letter) = effect else { return nil }
      return letter
    }
    #expect(letters.map(\.receiver) == ["old"])
    #expect(letters.map { String(decoding: $0.body, as: UTF8.self) } == [post.sent[0].body])
  }

  @Test func aReceiverThatIsRenamedGoesOn() {
    let post = Post { $0.webhooks = [Sample.webhook("ops"), Sample.webhook("chat")] }
    post.notify([firing("A")])
    #expect(post.receivers == ["ops", "chat"])
    post.settings.webhooks[0].name = "operators"
    post.update()
    post.notify([firing("A")])
    post.run(for: .minutes(2))
    #expect(post.sent.count == 2, "nothing is told twice")
    var over = firing("A")
    over.state = .inactive
    over.resolvedAt = post.now
    post.notify([over])
    post.run(for: .minutes(2))
    #expect(post.receivers == ["ops", "chat", "operators", "chat"])
    #expect(post.sent[2].body.contains(#""status":"resolved""#))
  }

  @Test func ofTwoAtOneAddressNeitherIsTakenForTheOther() {
    let post = Post { $0.webhooks = [Sample.webhook("ops")] }
    post.notify([firing("A")])
    var (first, second) = (post.settings.webhooks[0], post.settings.webhooks[0])
    (first.name, second.name) = ("one", "two")
    post.settings.webhooks = [first, second]
    post.update()
    post.notify([firing("A")])
    #expect(post.receivers == ["ops", "one", "two"])
  }

  @Test func theVersionTellsWhetherTheCheckpointChanged() {
    let post = Post {
      $0.webhooks = [Sample.webhook()]
      $0.alertmanagers = [Sample.alertmanager()]
    }
    post.answer = { _ in .failed("connection refused") }
    /// Without the times that only say when to look next.
    func content() -> OutboxCheckpoint {
      var checkpoint = post.outbox.checkpoint()
      for i in checkpoint.webhooks.indices {
        for j in checkpoint.webhooks[i].groups.indices {
          checkpoint.webhooks[i].groups[j].outstanding?.nextTry = nil
          checkpoint.webhooks[i].groups[j].nextFlush = start
        }
      }
      return checkpoint
    }
    var version = post.outbox.version
    var saved = content()
    func look() {
      let checkpoint = content()
      if checkpoint != saved { #expect(post.outbox.version != version) }
      (version, saved) = (post.outbox.version, checkpoint)
    }
    post.notify([firing("A")])
    look()
    for _ in 0..<30 {
      post.run(for: .seconds(20))
      look()
    }
    post.answer = { _ in .answered(status: 200, retryAfter: nil, body: "") }
    post.run(for: .minutes(2))
    look()
    #expect(post.outbox.isDrained)
  }
}

@Suite struct RouteKeyTests {
  @Test func isAlertmanagers() throws {
    #expect(RouteKey.text([]) == "{}")
    let matchers = [
      Matcher("team", equals: "a\"b\\c\nd"), try Matcher("severity", .regexp, "page|critical"),
      try Matcher("env", .notEqual, ""), try Matcher("env", .notRegexp, "dev.*"),
    ]
    #expect(
      RouteKey.text(matchers)
        == #"{}/{env!="",env!~"dev.*",severity=~"page|critical",team="a\"b\\c\nd"}"#)
  }
}
