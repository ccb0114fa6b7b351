import Dispatch
import HTTPTypes
import JSON
import Kernel
import Model
import Rules
import Synchronization

/// `/api/v1/transitions` and `/api/v1/notifications/log`: what happened, as a list or as a stream.
struct HistoryAPI: Sendable {
  /// The most entries of one answer.
  private static let maxLimit = 10_000
  /// The most clients that follow at the same time.
  private static let maxFollowers = 64
  /// How often a stream looks for news, and how often it shows that it lives.
  private static let pause = Duration.milliseconds(250)
  private static let heartbeat = 40

  /// Clients that follow now.
  private static let followers = Mutex(0)

  let context: ServerContext

  /// What a request wants to see, and how.
  private struct Wish {
    /// One per `match[]`; an entry that any of them accepts is shown.
    var filters: [HistoryFilter]
    var limit: Int
    var asLines: Bool
    var follows: Bool

    init(
      _ parameters: RequestParameters, kind: HistoryFilter.Kind, accept: String
    ) throws(APIFailure) {
      var filter = HistoryFilter()
      filter.kinds = [kind]
      filter.alert = parameters["alert"] ?? parameters["alertname"]
      filter.group = parameters["group"]
      if kind == .delivery { filter.receiver = parameters["receiver"] }
      filter.from = try parameters.time("start")
      filter.through = try parameters.time("end")
      filter.after = try Self.sequence("after", parameters)
      filter.before = try Self.sequence("before", parameters)
      let asked = try parameters.limit("limit")
      limit = asked == 0 ? 1_000 : min(asked, HistoryAPI.maxLimit)
      filter.limit = limit
      let selectors = parameters.all("match[]")
      filters = []
      for text in selectors {
        do throws(MatcherProblem) {
          filter.matchers = try RequestParameters.selector(text)
        } catch {
          throw error.ofParameter
        }
        filters.append(filter)
      }
      if selectors.isEmpty { filters = [filter] }
      follows = try parameters.bool("follow")
      switch parameters["format"] {
      case nil: asLines = follows || accept.contains("application/x-ndjson")
      case "json": asLines = false
      case "jsonl", "ndjson": asLines = true
      case .some(let other):
        throw .invalidParameter("format", "not supported value \(GoText.quote(other))")
      }
      if follows && !asLines {
        throw .invalidParameter("follow", "only JSON lines can be followed")
      }
    }

    private static func sequence(
      _ name: String, _ parameters: RequestParameters
    ) throws(APIFailure) -> UInt64? {
      guard let text = parameters[name] else { return nil }
      guard let n = UInt64(text) else {
        throw .invalidParameter(name, "\(GoText.quote(text)) is no sequence number")
      }
      return n
    }

    /// Asks for what comes behind an entry.
    mutating func proceed(behind sequence: UInt64) {
      for i in filters.indices { filters[i].after = sequence }
    }
  }

  func transitions(
    _ parameters: RequestParameters, accept: String
  ) async throws(APIFailure) -> Answer {
    try await answer(parameters, .transition, name: "transitions", accept: accept)
  }

  func deliveries(
    _ parameters: RequestParameters, accept: String
  ) async throws(APIFailure) -> Answer {
    try await answer(parameters, .delivery, name: "notifications", accept: accept)
  }

  private func answer(
    _ parameters: RequestParameters, _ kind: HistoryFilter.Kind, name: String, accept: String
  ) async throws(APIFailure) -> Answer {
    let wish = try Wish(parameters, kind: kind, accept: accept)
    if wish.follows { return try follow(wish) }
    let found = try await entries(wish)
    if wish.asLines {
      return Answer(type: "application/x-ndjson") { parts in
        for entry in found { try await parts.add(Self.line(entry)) }
      }
    }
    return Envelope.success(of: found, opening: #"{"\#(name)":["#, closing: "]}") {
      Self.write($0, to: &$1)
    }
  }

  /// The newest entries somebody wished for, or the first behind a number.
  private func entries(_ wish: Wish) async throws(APIFailure) -> [JournalEntry] {
    let gate = context.gate
    let history =
      context.history ?? KernelHistory(newest: { gate.visit { $0.journal } })
    var found: [JournalEntry] = []
    do {
      for filter in wish.filters { found += try await history.entries(matching: filter) }
    } catch {
      throw APIFailure(.internalError, "the history cannot be read: \(error)")
    }
    if wish.filters.count == 1 { return found }
    found.sort { $0.sequence < $1.sequence }
    var distinct: [JournalEntry] = []
    for entry in found where entry.sequence != distinct.last?.sequence { distinct.append(entry) }
    return wish.filters[0].after == nil
      ? distinct.suffix(wish.limit) : Array(distinct.prefix(wish.limit))
  }

  // MARK: following

  /// A line per entry as it happens.
  ///
  /// Nothing is kept for a client: one that reads too slowly finds that the journal has moved on,
  /// and is told how much it has missed.
  private func follow(_ wish: Wish) throws(APIFailure) -> Answer {
    let isWelcome = Self.followers.withLock { count in
      if count >= Self.maxFollowers { return false }
      count += 1
      return true
    }
    if !isWelcome {
      throw APIFailure(.unavailable, "\(Self.maxFollowers) clients follow already")
    }
    let place = Place { Self.followers.withLock { $0 -= 1 } }
    return Answer(type: "application/x-ndjson") { parts in
      defer { place.give() }
      try await stream(wish, to: &parts)
    }
  }

  private func stream(_ wish: Wish, to parts: inout AnswerWriter) async throws {
    var wish = wish
    var last = wish.filters[0].after
    var quiet = 0
    while true {
      // What is behind this point may be asked for again; what is before has been looked at.
      let (oldest, next) = context.gate.visit {
        ($0.journal.entries.first?.sequence, $0.journal.nextSequence)
      }
      if let last, !context.storesHistory, let oldest, oldest > last + 1 {
        try await parts.add(Self.gap(oldest - last - 1))
      }
      let found = try await entries(wish)
      for entry in found { try await parts.add(Self.line(entry)) }
      let seen = found.count < wish.limit ? next - 1 : found.last?.sequence
      last = max(last ?? 0, seen ?? 0, found.last?.sequence ?? 0)
      wish.proceed(behind: last ?? 0)
      quiet = found.isEmpty ? quiet + 1 : 0
      if quiet >= Self.heartbeat {
        quiet = 0
        try await parts.add([0x0a])
      }
      try await parts.flush()
      if found.count < wish.limit { try await Task.sleep(for: Self.pause) }
    }
  }

  /// A follower's place, given back once.
  private final class Place: Sendable {
    private let isTaken = Mutex(true)
    private let back: @Sendable () -> Void

    init(_ back: @escaping @Sendable () -> Void) { self.back = back }

    func give() {
      let wasTaken = isTaken.withLock { taken in
        defer { taken = false }
        return taken
      }
      if wasTaken { back() }
    }

    /// The client may be gone before the answer begins.
    deinit { give() }
  }

  // MARK: writing

  private static func gap(_ count: UInt64) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("warning", "too slow: entries were dropped")
      json.field("dropped", int: count)
    }
    return json.bytes + [0x0a]
  }

  private static func line(_ entry: JournalEntry) -> [UInt8] {
    var json = JSONWriter()
    write(entry, to: &json)
    return json.bytes + [0x0a]
  }

  private static func write(_ entry: JournalEntry, to json: inout JSONWriter) {
    json.object { json in
      json.field("sequence", int: entry.sequence)
      json.field("time", entry.time.rfc3339)
      switch entry.event {
      case .transition(let record): write(record, to: &json)
      case .delivery(let record): write(record, to: &json)
      }
    }
  }

  private static func write(_ record: TransitionRecord, to json: inout JSONWriter) {
    let separator = record.group.lastIndex(of: ";") ?? record.group.startIndex
    json.field("file", String(record.group[..<separator]))
    json.field("group", String(record.group[separator...].drop { $0 == ";" }))
    json.field("rule", record.rule)
    json.key("labels")
    QueryJSON.labels(record.labels, to: &json)
    json.field("from", record.from.rawValue)
    json.field("to", record.to.rawValue)
    json.field("value", NumberText.scientific(record.value))
    json.field("reason", record.reason.rawValue)
  }

  private static func write(_ record: DeliveryRecord, to json: inout JSONWriter) {
    json.field("kind", record.kind.rawValue)
    json.field("receiver", record.receiver)
    json.field("group", record.group)
    json.field("key", record.key)
    json.field("attempt", int: record.attempt)
    json.field("outcome", record.outcome.rawValue)
    if let status = record.status { json.field("status", int: status) }
    if !record.error.isEmpty { json.field("error", record.error) }
    json.field("duration", raw: NumberText.json(record.duration.seconds))
    json.field("alertCount", int: record.alertCount)
    json.key("alerts")
    json.array { json in
      for alert in record.alerts {
        json.object { json in
          json.field("status", alert.isFiring ? "firing" : "resolved")
          json.key("labels")
          QueryJSON.labels(alert.labels, to: &json)
        }
      }
    }
  }
}
