import Model
import PromQL

/// What can be fuzzed.
package enum FuzzSubject: String, CaseIterable, Sendable {
  case parser, engine, template, regexp, exposition, yaml, json
  case protobuf, remoteWrite, snappy, dns
}

/// One round's input and what came of it.
package struct FuzzRound: Sendable {
  package var input: [UInt8]
  /// Whether the input passed a parser and was evaluated; counted for the engine only.
  package var wasEvaluated = false
  /// What is wrong, or nil.
  package var violation: String?
}

/// Feeds a subject generated and damaged inputs; every round depends on seed and number alone.
package struct Fuzzer {
  private let seed: UInt64
  private let engine: EngineFuzz

  package init(seed: UInt64) throws {
    self.seed = seed
    engine = try EngineFuzz()
  }

  /// The input of a round.
  package func input(_ number: UInt64, of subject: FuzzSubject) -> [UInt8] {
    var random = SeededGenerator(seed: seed, round: number)
    switch subject {
    case .parser: return Array(Self.expression(&random).utf8)
    case .engine: return Array(EngineFuzz.input(&random).utf8)
    case .protobuf, .remoteWrite, .snappy, .dns:
      var mutator = ByteMutator(random: random, pieces: BinaryCorpus.pieces)
      return mutator.mutant(of: BinaryCorpus.texts(of: subject))
    case .template, .regexp, .exposition, .yaml, .json:
      var mutator = ByteMutator(random: random, pieces: FuzzCorpus.pieces(of: subject))
      return mutator.mutant(of: FuzzCorpus.texts(of: subject))
    }
  }

  /// Runs one round.
  package func round(_ number: UInt64, of subject: FuzzSubject) -> FuzzRound {
    var round = FuzzRound(input: input(number, of: subject))
    let text = String(decoding: round.input, as: UTF8.self)
    let isEven = number % 2 == 0
    switch subject {
    case .parser: round.violation = ExpressionMutator.violation(on: text)
    case .engine:
      (round.wasEvaluated, round.violation) = engine.check(text, delaysNames: isEven)
    case .template: round.violation = TextFuzz.template(text)
    case .regexp: round.violation = TextFuzz.regexp(text)
    case .exposition: round.violation = TextFuzz.exposition(round.input, openMetrics: isEven)
    case .yaml: round.violation = TextFuzz.rules(round.input)
    case .json: round.violation = TextFuzz.json(round.input)
    case .protobuf: round.violation = BinaryFuzz.protobuf(round.input)
    case .remoteWrite: round.violation = BinaryFuzz.remoteWrite(round.input, isSecond: isEven)
    case .snappy: round.violation = BinaryFuzz.snappy(round.input)
    case .dns: round.violation = BinaryFuzz.dns(round.input)
    }
    return round
  }

  /// An expression: generated, then mostly damaged by tokens or by bytes.
  private static func expression(_ random: inout SeededGenerator) -> String {
    var generator = ExpressionGenerator(random: SeededGenerator(seed: random.next()))
    let text = generator.expression(depth: 1 + random.pick(4))
    switch random.pick(4) {
    case 0: return text
    case 1:
      var mutator = ByteMutator(random: random, pieces: FuzzCorpus.pieces(of: .parser))
      return String(decoding: mutator.mutant(of: [Array(text.utf8)]), as: UTF8.self)
    default:
      var mutator = ExpressionMutator(seed: random.next())
      return mutator.mutate(text)
    }
  }
}
