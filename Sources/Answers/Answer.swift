import Diagnostics
import JSON
import Model

/// What a server with Prometheus' API answered, in forms for people and for other programs.
package struct Answer {
  /// What was asked for.
  package enum Subject: Sendable { case query, series, labels, metadata }

  package let subject: Subject
  let data: JSONValue?

  package init(_ subject: Subject, _ data: JSONValue?) {
    self.subject = subject
    self.data = data
  }

  /// The samples of one series.
  struct Series {
    var labels: [Label]
    /// Time and value, or the histogram.
    var points: [JSONValue]
  }

  /// All series, those of an instant with one sample; none for scalars and lists.
  var series: [Series] {
    (data?["result"]?.array ?? []).map { item in
      var points = (item["values"]?.array ?? []) + (item["histograms"]?.array ?? [])
      if let point = item["value"] ?? item["histogram"] { points.append(point) }
      points.sort { ($0[0]?.double ?? 0) < ($1[0]?.double ?? 0) }
      return Series(labels: Self.labels(item["metric"]), points: points)
    }
  }

  static func labels(_ metric: JSONValue?) -> [Label] {
    (metric?.object ?? []).map { Label(name: $0.key, value: $0.value.string ?? "") }
  }

  static func value(_ point: JSONValue) -> String {
    if let text = point[1]?.string { return text }
    let (count, sum) = (point[1]?["count"]?.string, point[1]?["sum"]?.string)
    return "histogram count \(count ?? "") sum \(sum ?? "")"
  }

  static func time(_ point: JSONValue) -> String {
    point[0]?.double.map { Timestamp(seconds: $0).rfc3339 } ?? ""
  }

  /// Metrics with their metadata, by name.
  var metadata: [(metric: String, type: String, unit: String, help: String)] {
    (data?.object ?? []).flatMap { metric, entries in
      (entries.array ?? []).map {
        (
          metric, $0["type"]?.string ?? "", $0["unit"]?.string ?? "", $0["help"]?.string ?? ""
        )
      }
    }.sorted { ByteOrder.less($0.metric, $1.metric) }
  }
}
