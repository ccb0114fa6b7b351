import JSON
import Kernel
import Model

/// `/api/v1/status/…`: what this process is, was told and holds.
struct StatusAPI: Sendable {
  let context: ServerContext

  func buildInfo() -> Answer { Envelope.success { writeBuild(to: &$0) } }

  /// The same without an envelope, at `/version`.
  func version() -> [UInt8] {
    var json = JSONWriter(escapesHTML: true)
    writeBuild(to: &json)
    return json.bytes
  }

  private func writeBuild(to json: inout JSONWriter) {
    json.object { json in
      json.field("version", context.build.version)
      json.field("revision", context.build.revision)
      json.field("branch", "")
      json.field("buildUser", "")
      json.field("buildDate", "")
      json.field("goVersion", "")
      json.field("application", "tocsin")
    }
  }

  /// Go's own words (`goroutineCount`, `GOMAXPROCS`) stand for threads and processors.
  func runtimeInfo() -> Answer {
    let status = context.status
    let reload = status.reload()
    let storage = context.gate.visit { $0.settings.storage }
    return Envelope.success { json in
      json.object { json in
        json.field("startTime", RulesAPI.time(status.started))
        json.field("CWD", status.workingDirectory)
        json.field("hostname", status.hostName)
        json.field("serverTime", context.now().rfc3339)
        json.field("reloadConfigSuccess", bool: reload.succeeded)
        json.field("lastConfigTime", RulesAPI.time(reload.lastSuccess))
        json.field("corruptionCount", int: 0)
        json.field("goroutineCount", int: status.threads())
        json.field("GOMAXPROCS", int: status.processors)
        json.field("GOMEMLIMIT", int: storage.memoryLimit > 0 ? storage.memoryLimit : .max)
        json.field("GOGC", "")
        json.field("GODEBUG", "")
        json.field(
          "storageRetention",
          storage.keep == .all ? storage.retention.description : "what the rules need")
      }
    }
  }

  func config() -> Answer {
    let text = context.gate.visit { $0.settings.configText }
    return Envelope.success { json in json.object { $0.field("yaml", text) } }
  }

  func flags() -> Answer {
    let flags = context.status.flags.sorted { ByteOrder.less($0.name, $1.name) }
    return Envelope.success { json in
      json.object { json in for flag in flags { json.field(flag.name, flag.value) } }
    }
  }

  /// There is no log to be replayed before the first evaluation.
  func walReplay() -> Answer {
    Envelope.success { json in
      json.object { json in
        for name in ["min", "max", "current"] { json.field(name, int: 0) }
      }
    }
  }

  // MARK: the store

  /// How many series there are, by several measures.
  func store(_ parameters: RequestParameters) async throws(APIFailure) -> Answer {
    var limit = 10
    if let text = parameters["limit"] {
      guard let n = Int(text), n >= 1 else {
        throw APIFailure(.badData, "limit must be a positive number")
      }
      limit = n
    }
    var count = Cardinality()
    await IndexAPI(context: context).search([], IndexAPI.Range()) { found in
      for labels in found { count.add(labels) }
    }
    let (statistics, span) = context.gate.visit { ($0.store.statistics, $0.store.span) }
    let counted = count
    return Envelope.success { json in
      json.object { json in
        json.key("headStats")
        json.object { json in
          json.field("numSeries", int: statistics.series)
          json.field("numLabelPairs", int: counted.pairs.count)
          json.field("chunkCount", int: statistics.columns)
          json.field("minTime", int: span.oldest)
          json.field("maxTime", int: span.newest)
        }
        Self.list("seriesCountByMetricName", counted.series, limit, to: &json)
        Self.list("labelValueCountByLabelName", counted.values, limit, to: &json)
        Self.list("memoryInBytesByLabelName", counted.bytes, limit, to: &json)
        Self.list("seriesCountByLabelValuePair", counted.pairs, limit, to: &json)
      }
    }
  }

  private static func list(
    _ name: String, _ counts: [[UInt8]: Int], _ limit: Int, to json: inout JSONWriter
  ) {
    let sorted = counts.sorted { a, b in
      a.value != b.value ? a.value > b.value : a.key.lexicographicallyPrecedes(b.key)
    }
    json.key(name)
    json.array { json in
      for (key, value) in sorted.prefix(limit) {
        json.object { json in
          json.field("name", String(decoding: key, as: UTF8.self))
          json.field("value", int: value)
        }
      }
    }
  }
}

/// Counts of series by what their labels say.
private struct Cardinality {
  var series: [[UInt8]: Int] = [:]
  /// Per label: how many values, and their bytes.
  var values: [[UInt8]: Int] = [:]
  var bytes: [[UInt8]: Int] = [:]
  /// Per `name=value`: how many series.
  var pairs: [[UInt8]: Int] = [:]

  mutating func add(_ labels: LabelSet) {
    labels.forEachRaw { name, value in
      let name = Array(name)
      var pair = name
      pair.append(UInt8(ascii: "="))
      pair += value
      let known = pairs[pair, default: 0]
      pairs[pair] = known + 1
      if known == 0 {
        values[name, default: 0] += 1
        bytes[name, default: 0] += value.count
      }
      if name.elementsEqual(LabelName.metricName.utf8) { series[Array(value), default: 0] += 1 }
    }
  }
}
