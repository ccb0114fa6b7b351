import ArgumentParser
import Fuzzing
import Glibc

/// Looks for inputs that trap, hang or break a promise.
@main
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Feeds the parsers and the engine generated and damaged inputs.",
    discussion: """
      Every round depends on seed and number alone; a finding is printed with the line that \
      repeats it. A round that takes longer than ten seconds counts as a hang.

      Exit status: 0 nothing found, 1 a promise is broken, 3 a trap or a hang.
      """)

  @Option(help: "Another seed, other inputs.")
  var seed: UInt64 = 1

  @Option(help: "Rounds per subject.")
  var rounds: UInt64 = 100_000

  @Option(help: "The first round; with --rounds 1 one round is repeated.")
  var from: UInt64 = 0

  @Option(
    help: "One of \(FuzzSubject.allCases.map(\.rawValue).joined(separator: ", ")); default: all.")
  var only: FuzzSubject?

  @Flag(help: "Print every input before its round.")
  var verbose = false

  func run() throws {
    let fuzzer = try Fuzzer(seed: seed)
    var violations = 0
    for subject in only.map({ [$0] }) ?? FuzzSubject.allCases {
      violations += fuzz(subject, with: fuzzer)
    }
    if violations > 0 { throw ExitCode(1) }
  }

  private func fuzz(_ subject: FuzzSubject, with fuzzer: Fuzzer) -> Int {
    let replay = "swift run -c release fuzz --seed \(seed) --only \(subject.rawValue) --rounds 1 "
    Watch.start(replay: replay + "--from ")
    var violations = 0
    var evaluated = 0
    let began = Self.seconds()
    for number in from..<from + rounds {
      Watch.enter(number)
      if verbose { Self.show(fuzzer.input(number, of: subject)) }
      let round = fuzzer.round(number, of: subject)
      if round.wasEvaluated { evaluated += 1 }
      guard let violation = round.violation else { continue }
      violations += 1
      // Enough to start from; the rest is counted.
      if violations <= 10 {
        print("\(subject.rawValue): \(violation)")
        print("  input: \(String(decoding: round.input, as: UTF8.self).debugDescription)")
        print("  again: \(replay)--from \(number)")
      }
    }
    let time = Int(Self.seconds() - began)
    let extra = subject == .engine ? ", \(evaluated) evaluated" : ""
    print(
      "\(subject.rawValue): \(rounds) rounds\(extra), \(violations) violations, \(time) s, "
        + "seed \(seed)")
    return violations
  }

  /// Prints an input at once: the round may be its last.
  private static func show(_ input: [UInt8]) {
    print(String(decoding: input, as: UTF8.self).debugDescription)
    fflush(nil)
  }

  private static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension FuzzSubject: ExpressibleByArgument {}
