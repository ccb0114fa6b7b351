import Model
import TestSupport
import Testing

@testable import Storage

/// Labels come back as they went in, and leave nothing behind.
@Suite struct LabelStoreTests {
  @Test func labelsSurviveTheComingAndGoingOfOthers() {
    var random = SeededGenerator(seed: 7)
    var table = SeriesTable()
    defer { table.deallocate() }
    var live: [SeriesID: LabelSet] = [:]
    var past: [SeriesID] = []
    var peak = 0
    for round in 0..<6000 {
      if live.isEmpty || Int.random(in: 0..<100, using: &random) < (round < 3000 ? 60 : 30) {
        let labels: LabelSet = [
          "__name__": "m\(Int.random(in: 0..<5, using: &random))", "pod": "pod-\(round)",
          "node": "n\(Int.random(in: 0..<9, using: &random))",
        ]
        let slot = table.insert(labels, hash: SeriesTable.hash(labels), name: 0)
        live[table.id(slot)] = labels
      } else if let gone = live.keys.min(by: {
        ($0.index &* 2_654_435_761) < ($1.index &* 2_654_435_761)
      }) {
        live[gone] = nil
        past.append(gone)
        table.remove(gone.index)
        table.release(gone.index)
        table.tidy()
      }
      peak = max(peak, table.byteCount)
    }
    for (id, labels) in live {
      #expect(table.labels(id.index) == labels && table.labels.labels(of: id) == labels)
      #expect(table.find(labels, hash: SeriesTable.hash(labels)) == id.index)
    }
    for id in past { #expect(!table.isLive(id) && table.labels.labels(of: id).isEmpty) }
    for id in live.keys {
      table.remove(id.index)
      table.release(id.index)
    }
    table.tidy()
    #expect(table.liveCount == 0 && table.byteCount * 4 < peak)
  }
}
