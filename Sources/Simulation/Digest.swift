import Kernel
import Model

/// A digest of everything a kernel wanted done, in order: equal in every process, or something
/// depended on what it must not.
struct Digest {
  private var hash = StableHash()

  var text: String { StableHash.hex(hash.value) }

  mutating func add(_ effect: Effect, at now: Timestamp) {
    hash.combine(now.milliseconds.description)
    switch effect {
    case .scrape(let id, let request):
      hash.combine("scrape \(id.raw) \(request.url)")
      for header in request.headers { hash.combine(header.name + header.value) }
    case .deliver(let id, let request):
      hash.combine("deliver \(id.raw) \(request.receiver)")
      for header in request.headers { hash.combine(header.name + header.value) }
      hash.combine(request.body)
    case .persist(let batch): add(batch)
    case .log(let record):
      hash.combine(record.level.rawValue + record.component + record.message)
      for field in record.fields { hash.combine(field.name + "=" + field.value) }
    default: hash.combine("\(effect)")
    }
  }

  private mutating func add(_ batch: StateBatch) {
    hash.combine("persist \(batch.isLast)")
    for rule in batch.alerts?.rules ?? [] {
      hash.combine(rule.group + rule.rule)
      for alert in rule.alerts { hash.combine("\(alert)") }
    }
    if let outbox = batch.outbox { hash.combine("\(outbox)") }
    for entry in batch.journal { hash.combine("\(entry)") }
    guard let samples = batch.samples else { return }
    for source in samples.sources { hash.combine("\(source)") }
    for column in samples.columns { hash.combine("\(column)") }
    for row in samples.rows {
      hash.combine("\(row.source) \(row.time)")
      hash.combine(row.cells)
    }
    for run in samples.sideRuns { hash.combine(run.samples) }
  }
}
