import HTTPClient
import Kernel
import Model
import Persistence

/// Carries out what the kernel wants, and posts what came of it.
struct EffectRunner: Sendable {
  let client: AuthorizedClient
  let clock: WallClock
  let log: LogSink
  let keeper: StateKeeper?
  let deadLetters: DeadLetterFile?
  let metrics: ProcessMetrics
  let post: @Sendable (Event) -> Void

  init(
    client: AuthorizedClient, clock: WallClock, log: LogSink, keeper: StateKeeper?,
    deadLetters: DeadLetterFile?, metrics: ProcessMetrics, post: @escaping @Sendable (Event) -> Void
  ) {
    self.client = client
    self.clock = clock
    self.log = log
    self.keeper = keeper
    self.deadLetters = deadLetters
    self.metrics = metrics
    self.post = post
  }

  func carryOut(_ effect: Effect) {
    switch effect {
    case .log(let record): log.write(record)
    case .scrape(let id, let request): scrape(id, request)
    case .deliver(let id, let request):
      guard let keeper else { return deliver(id, request) }
      // What the request tells is saved before it leaves: after `kill -9` it is known under its
      // key.
      keeper.afterWriting { deliver(id, request) }
    case .persist(let batch): keeper?.save(batch)
    case .deadLetter(let letter): keep(letter)
    case .drained: finish()
    }
  }

  /// Returns once what was to be saved is saved.
  func finish() { keeper?.flush() }

  private func keep(_ letter: DeadLetter) {
    if let deadLetters {
      if !deadLetters.append(letter) { metrics.noteLostLetter() }
      return
    }
    metrics.noteLostLetter()
    log.log(
      .error, "notify", "A dead letter is lost: only with --storage.path is there a file for it",
      [("receiver", letter.receiver), ("key", letter.key), ("alerts", "\(letter.alerts)")])
  }

  private func scrape(_ id: TargetID, _ scrape: ScrapeRequest) {
    let started = clock.now()
    do throws(RequestMapping.Problem) {
      let request = try RequestMapping.request(scrape)
      try client.send(request, tokenFor: scrape.http) { outcome in
        post(
          .scraped(
            id,
            ScrapeOutcome(
              result: Self.result(outcome), started: started,
              duration: PromDuration(milliseconds: outcome.duration / 1_000_000))))
      }
    } catch {
      post(
        .scraped(
          id,
          ScrapeOutcome(
            result: .failure(error.description), started: started, duration: .zero)))
    }
  }

  private static func result(_ outcome: HTTPOutcome) -> ScrapeOutcome.Result {
    switch outcome.result {
    case .success(let response) where response.status == 200:
      return .body(response.body, contentType: response.contentType)
    case .success(let response):
      return .failure("server returned HTTP status \(response.statusText)")
    case .failure(.bodyTooLarge(let limit)): return .bodyTooLarge(limit: limit)
    case .failure(let failure):
      var shown = outcome
      shown.url = SecretText.redacted(url: outcome.url)
      return .failure(shown.failureText ?? failure.text)
    }
  }

  private func deliver(_ id: DeliveryID, _ delivery: DeliveryRequest) {
    do throws(RequestMapping.Problem) {
      let request = try RequestMapping.request(delivery)
      try client.send(request, tokenFor: delivery.http) { outcome in
        post(
          .delivered(
            id,
            DeliveryOutcome(
              result: Self.result(of: outcome),
              duration: PromDuration(milliseconds: outcome.duration / 1_000_000))))
      }
    } catch {
      post(
        .delivered(id, DeliveryOutcome(result: .failed(error.description), duration: .zero)))
    }
  }

  /// What a receiver answered.
  static func result(of outcome: HTTPOutcome) -> DeliveryOutcome.Result {
    switch outcome.result {
    case .success(let response):
      .answered(
        status: response.status, retryAfter: response.retryAfter.map { .seconds(Int64($0)) },
        body: String(decoding: response.body, as: UTF8.self))
    // Without the URL: that of a webhook is a secret, and the receiver's name is known.
    case .failure(let failure): .failed(failure.text)
    }
  }
}
