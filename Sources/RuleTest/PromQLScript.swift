import Model
import PromQL

/// A PromQL test script, parsed: the language in which Prometheus tests itself.
///
/// `clear`, `load <step>`, `load_with_nhcb <step>` and `eval …` commands, each with a body that an
/// empty line ends. The whole file is parsed before anything runs.
package struct PromQLScript: Sendable {
  package let name: String
  package let commands: [Command]

  /// One command with the line it starts on (from 1).
  package enum Command: Sendable {
    case clear(line: Int)
    case load(Load)
    case eval(Eval)
  }

  /// `load 1m`: samples at multiples of a step.
  package struct Load: Sendable {
    package var line: Int
    package var step: PromDuration
    /// Also build native histograms with custom buckets from classic ones.
    package var buildsCustomHistograms: Bool
    package var series: [LoadedSeries] = []
  }

  /// One line of a load; a later line for the same labels replaces an earlier one.
  package struct LoadedSeries: Sendable {
    package var labels: LabelSet
    package var values: [SequenceValue]
    /// Offsets of start timestamps from each sample's time; nil entries are unknown.
    package var startOffsets: [PromDuration?] = []
  }

  /// `eval instant at 5m expr` or `eval range from 0 to 10m step 1m expr` with its expectations.
  package struct Eval: Sendable {
    /// When the query runs.
    package enum Times: Sendable {
      case instant(Timestamp)
      case range(from: Timestamp, through: Timestamp, step: PromDuration)
    }

    package var line: Int
    package var times: Times
    package var query: String
    package var isOrdered = false
    /// The legacy `eval_warn` and `eval_info`: at least one annotation of the kind.
    package var wantsWarning = false
    package var wantsInfo = false
    package var failure: TextExpectation?
    package var warnings: [TextExpectation] = []
    package var infos: [TextExpectation] = []
    package var forbidsWarnings = false
    package var forbidsInfos = false
    /// Set by `expect range vector from … to … step …`.
    package var rangeVector: (from: Timestamp, through: Timestamp, step: PromDuration)?
    package var string: String?
    package var scalar: Double?
    package var series: [ExpectedSeries] = []
  }

  /// An expected text: any, exact, or an unanchored regular expression.
  package enum TextExpectation: Sendable {
    case any
    case exact(String)
    case pattern(Regexp)

    /// Whether a text fulfils the expectation.
    package func accepts(_ text: String) -> Bool {
      switch self {
      case .any: true
      case .exact(let wanted): text == wanted
      case .pattern(let regexp): regexp.matches(text)
      }
    }
  }

  /// A result line: exact labels, values at consecutive steps.
  package struct ExpectedSeries: Sendable {
    package var line: Int
    package var labels: LabelSet
    package var values: [SequenceValue]
  }
}

/// Why a script cannot be read, or what failed in it, with its line.
package struct ScriptProblem: Error, Sendable, CustomStringConvertible {
  package let script: String
  package let line: Int
  package let message: String

  package var description: String { "\(script):\(line): \(message)" }
}
