/// A target with 1,000 series per size unit: counters, gauges and histograms, moving a bit each time.
struct MadeUpTarget {
  /// Families of each kind.
  static let families = 20
  static let bounds = [
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
    "10", "25", "50", "100", "250", "+Inf",
  ]
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  let index: Int
  let size: Int

  /// Lines with a sample.
  var series: Int { Self.families * size * 50 }

  /// The body of the scrape with the given number.
  func body(_ round: Int) -> [UInt8] {
    var text = ""
    for family in 0..<Self.families {
      text += "# HELP jobs\(family)_total Jobs done.\n# TYPE jobs\(family)_total counter\n"
      for i in 0..<(20 * size) {
        let value = (round + 3) * (i + index + 7) * 13
        text += "jobs\(family)_total{path=\"/api/v1/resource\(i)\",code=\"200\"} \(value)\n"
      }
      text += "# HELP depth\(family) Entries waiting.\n# TYPE depth\(family) gauge\n"
      for i in 0..<(10 * size) {
        let value = Double((round * 31 + i * 17 + index) % 1000) / 8
        text += "depth\(family){queue=\"queue-\(i)\"} \(value)\n"
      }
      text += "# HELP seconds\(family) Time taken.\n# TYPE seconds\(family) histogram\n"
      for i in 0..<size { text += histogram("seconds\(family)", instance: i, round) }
    }
    return Array(text.utf8)
  }

  private func histogram(_ name: String, instance: Int, _ round: Int) -> String {
    var text = ""
    var count = 0
    for (i, bound) in Self.bounds.enumerated() {
      count += (round + 5) * (1 + (i * 7 + instance + index) % 11)
      text += "\(name)_bucket{handler=\"h\(instance)\",le=\"\(bound)\"} \(count)\n"
    }
    text += "\(name)_sum{handler=\"h\(instance)\"} \(Double(count) * 0.173)\n"
    return text + "\(name)_count{handler=\"h\(instance)\"} \(count)\n"
  }
}
