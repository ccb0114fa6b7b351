import PromQL
import Testing

@Suite("Mutated expressions")
struct MutationTests {
  static let texts = [
    "sum by (host, \"the rack\") (rate(hits{code=~\"5..\", path!=\"/\"}[5m] offset 1m)) / 2 > "
      + "bool 0x1f",
    "a * on (x) group_left (y) b @ 1.5 or ignoring () c{\"d.e\"=\"f\"} and fill(1) g",
    "max_over_time(deriv(load[1h:5m] @ end())[step() * 2:1m] offset -(max_of(range(), 1m)))",
    "histogram_quantile(0.9, h) + -topk(3, a) ^ 2 # done\n - {\"x\", y='\\x41'}[5m] anchored",
    "label_replace(info(up, {a=\"b\"}), \"a\", `$1`, 'b', \"(.*)\") unless vector(time()) </ 1h30m",
  ]

  @Test("never break the parser", arguments: 1...20)
  func mutants(_ seed: UInt64) {
    for (text, violation) in ExpressionMutator.run(seed: seed, rounds: 100, on: Self.texts) {
      Issue.record("\(text): \(violation)")
    }
  }

  @Test("are the same for the same seed")
  func replay() {
    var one = ExpressionMutator(seed: 7)
    var other = ExpressionMutator(seed: 7)
    for text in Self.texts { #expect(one.mutate(text) == other.mutate(text)) }
  }

  @Test("cut anywhere")
  func prefixes() {
    for text in Self.texts {
      let bytes = Array(text.utf8)
      for end in bytes.indices {
        let cut = String(decoding: bytes[..<end], as: UTF8.self)
        #expect(ExpressionMutator.violation(on: cut) == nil, "\(cut)")
      }
    }
  }
}
