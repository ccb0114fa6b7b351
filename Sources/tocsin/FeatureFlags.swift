import Kernel
import PromQL

/// What `--enable-feature` switches on, by Prometheus' names.
struct FeatureFlags: Sendable {
  /// What to tell about one of the names.
  struct Remark: Sendable {
    var level: LogRecord.Level
    var message: String
    var option: String
  }

  /// What the parser of rules and of queries accepts.
  private(set) var parser = ParserOptions.release
  private(set) var delayedNameRemoval = false
  private(set) var startTimestamps = false
  private(set) var reloadsConfig = false
  private(set) var remarks: [Remark] = []

  /// Reads the values of the flag, each a comma-separated list.
  init(_ lists: [String] = []) {
    for list in lists {
      for name in list.split(separator: ",", omittingEmptySubsequences: false) {
        enable(String(name))
      }
    }
  }

  private mutating func enable(_ name: String) {
    switch name {
    case "": break
    case "promql-experimental-functions":
      parser.experimentalFunctions = true
      note("Experimental PromQL functions enabled.", name)
    case "promql-extended-range-selectors":
      parser.extendedRangeSelectors = true
      note("Experimental PromQL extended range selectors enabled.", name)
    case "promql-binop-fill-modifiers":
      parser.fillModifiers = true
      note("Experimental PromQL binary operator fill modifiers enabled.", name)
    case "promql-delayed-name-removal":
      delayedNameRemoval = true
      note("Experimental PromQL delayed name removal enabled.", name)
    case "use-start-timestamps":
      startTimestamps = true
      note("Experimental use of start timestamps in PromQL enabled.", name)
    case "auto-reload-config":
      reloadsConfig = true
      note("Automatic reloading of changed configuration files enabled.", name)
    case "promql-duration-expr":
      note("Duration expressions are always on; the option has no effect.", name)
    default:
      remarks.append(
        Remark(level: .warn, message: "Unknown option for --enable-feature", option: name))
    }
  }

  private mutating func note(_ message: String, _ name: String) {
    remarks.append(Remark(level: .info, message: message, option: name))
  }
}
