import Diagnostics
import JSON
import Model

/// A query's result as text for people: one line per sample, values aligned.
struct QueryTable {
  private let data: JSONValue?

  init(_ data: JSONValue?) { self.data = data }

  var text: String {
    let result = data?["result"]
    switch data?["resultType"]?.string {
    case "scalar", "string": return (result?[1]?.string ?? "") + "\n"
    case "vector": return rows((result?.array ?? []).map(sample))
    case "matrix": return (result?.array ?? []).map(series).joined()
    default: return ""
    }
  }

  private func sample(_ item: JSONValue) -> (String, String) {
    (name(item["metric"]), value(item["value"] ?? item["histogram"]))
  }

  private func rows(_ rows: [(name: String, value: String)]) -> String {
    if rows.isEmpty { return "no data\n" }
    let width = min(120, rows.map { DisplayWidth.columns(of: $0.name) }.max() ?? 0)
    return rows.map { row in
      let missing = max(0, width - DisplayWidth.columns(of: row.name))
      return row.name + String(repeating: " ", count: missing) + "  " + row.value + "\n"
    }.joined()
  }

  private func series(_ item: JSONValue) -> String {
    let points = (item["values"]?.array ?? []) + (item["histograms"]?.array ?? [])
    let lines = points.map { point -> String in
      let time = point[0]?.double.map { Timestamp(seconds: $0).rfc3339 } ?? ""
      return "  \(time)  \(value(point))\n"
    }
    return name(item["metric"]) + "\n" + lines.joined()
  }

  private func value(_ point: JSONValue?) -> String {
    if let text = point?[1]?.string { return text }
    let histogram = point?[1]
    let (count, sum) = (histogram?["count"]?.string, histogram?["sum"]?.string)
    return "histogram count \(count ?? "") sum \(sum ?? "")"
  }

  private func name(_ metric: JSONValue?) -> String {
    LabelSet((metric?.object ?? []).map { ($0.key, $0.value.string ?? "") }).metricText
  }
}
