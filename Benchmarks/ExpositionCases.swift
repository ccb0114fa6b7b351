import Exposition

/// Reading what a target sends when nothing but the values has changed.
enum ExpositionCases {
  static func run(_ report: Report) throws {
    let target = MadeUpTarget(index: 1, size: 10)
    let bodies = (0..<4).map(target.body)
    let cache = ScrapeCache()
    var round = 0
    try report.measure("known text, 10,000 samples", units: target.series, "sample") {
      round += 1
      _ = try cache.scan(bodies[round % bodies.count], format: .text)
    }
    try report.measure("unknown text, 10,000 samples", units: target.series, "sample") {
      cache.removeAll()
      _ = try cache.scan(bodies[0], format: .text)
    }
  }
}
