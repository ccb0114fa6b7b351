/// The range functions that have faster forms than their kernel for one window.
///
/// They run over rows, for many series at once, and over the summaries of sealed rows; all give the
/// same bits.
enum BulkKernel {
  case rate(isCounter: Bool, isRate: Bool)
  case extreme(isMax: Bool)
  case sum, mean, count, changes, resets
  /// A number that says of each series' samples no more than that there are some, or one of them.
  case present, first, last
  /// The last two samples.
  case step(isRate: Bool)
  case variance(takesRoot: Bool)

  /// The form of a function, if it has one.
  init?(_ function: RangeFunction) {
    switch function {
    case .rate: self = .rate(isCounter: true, isRate: true)
    case .increase: self = .rate(isCounter: true, isRate: false)
    case .delta: self = .rate(isCounter: false, isRate: false)
    case .min: self = .extreme(isMax: false)
    case .max: self = .extreme(isMax: true)
    case .sum: self = .sum
    case .avg: self = .mean
    case .count: self = .count
    case .changes: self = .changes
    case .resets: self = .resets
    case .present: self = .present
    case .first: self = .first
    case .last: self = .last
    case .irate: self = .step(isRate: true)
    case .idelta: self = .step(isRate: false)
    case .stddev: self = .variance(takesRoot: true)
    case .stdvar: self = .variance(takesRoot: false)
    default: return nil
    }
  }

  /// Whether summaries of sealed rows can tell the result.
  var hasSummaryForm: Bool {
    switch self {
    case .step, .variance: false
    default: true
    }
  }
}
