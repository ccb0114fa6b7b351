import JSON
import Kernel
import Model
import Storage

/// `/api/v1/labels`, `/label/<name>/values` and `/series`.
///
/// The index is searched in small steps, so that the kernel never waits for long.
struct IndexAPI: Sendable {
  /// Series looked at while the kernel waits.
  private static let stepSize = 4096

  let context: ServerContext

  func labelNames(_ parameters: RequestParameters) async throws(APIFailure) -> Answer {
    let limit = try parameters.limit("limit")
    let range = try Range(parameters)
    let sets = try Self.matcherSets(parameters)
    var names: Set<[UInt8]> = []
    await search(sets, range) { found in
      for labels in found { labels.forEachRaw { name, _ in names.insert(Array(name)) } }
    }
    return Self.list(names, limit: limit)
  }

  func labelValues(
    _ name: String, _ parameters: RequestParameters
  ) async throws(APIFailure) -> Answer {
    if name.isEmpty {
      throw APIFailure(.badData, "invalid label name: \(GoText.quote(name))")
    }
    let limit = try parameters.limit("limit")
    let range = try Range(parameters)
    let sets = try Self.matcherSets(parameters)
    let wanted = Array(name.utf8)
    var values: Set<[UInt8]> = []
    await search(sets, range) { found in
      for labels in found {
        labels.forEachRaw { n, v in if n.elementsEqual(wanted) { values.insert(Array(v)) } }
      }
    }
    return Self.list(values, limit: limit)
  }

  func series(_ parameters: RequestParameters) async throws(APIFailure) -> Answer {
    if parameters.all("match[]").isEmpty {
      throw APIFailure(.badData, "no match[] parameter provided")
    }
    let limit = try parameters.limit("limit")
    let range = try Range(parameters)
    let sets: [[Matcher]]
    do throws(MatcherProblem) { sets = try parameters.matcherSets() } catch {
      throw error.ofParameter
    }
    var found: [LabelSet] = []
    await search(sets, range) { found += $0 }
    found.sort()
    if sets.count > 1 {
      let sorted = found
      found = sorted.indices.filter { $0 == 0 || sorted[$0] != sorted[$0 - 1] }.map { sorted[$0] }
    }
    let (kept, warnings) = Self.limited(found, limit)
    return Envelope.success(of: kept, warnings: warnings) { QueryJSON.labels($0, to: &$1) }
  }

  /// Calls `body` with the series found, step by step.
  func search(
    _ lists: [[Matcher]], _ range: Range, _ body: ([LabelSet]) -> Void
  ) async {
    var search = context.gate.visit {
      SeriesSearch(lists, in: $0.store, from: range.from, through: range.through)
    }
    while true {
      let (advanced, found) = context.gate.visit { kernel -> (SeriesSearch, [LabelSet]?) in
        var search = search
        let found = search.next(Self.stepSize, in: kernel.store)
        return (search, found)
      }
      search = advanced
      guard let found else { return }
      body(found)
      await Task.yield()
    }
  }

  /// `start` and `end`.
  struct Range: Sendable {
    var from: Timestamp?
    var through: Timestamp?

    /// Everything.
    init() {}

    init(_ parameters: RequestParameters) throws(APIFailure) {
      from = try parameters.time("start")
      through = try parameters.time("end")
    }
  }

  private static func matcherSets(
    _ parameters: RequestParameters
  ) throws(APIFailure) -> [[Matcher]] {
    do throws(MatcherProblem) {
      return try parameters.matcherSets()
    } catch {
      throw error.plain
    }
  }

  private static func list(_ texts: Set<[UInt8]>, limit: Int) -> Answer {
    let sorted = texts.sorted { $0.lexicographicallyPrecedes($1) }
    let (kept, warnings) = limited(sorted, limit)
    return Envelope.success(of: kept, warnings: warnings) { text, json in
      json.string(String(decoding: text, as: UTF8.self))
    }
  }

  private static func limited<T>(_ all: [T], _ limit: Int) -> ([T], [String]) {
    if limit == 0 || all.count <= limit { return (all, []) }
    return (Array(all.prefix(limit)), ["results truncated due to limit"])
  }
}
