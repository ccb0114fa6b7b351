/// The functions from a range of samples to one value.
enum RangeFunction: String {
  case rate, increase, delta, irate, idelta, changes, resets, deriv
  case predictLinear = "predict_linear"
  case doubleExponentialSmoothing = "double_exponential_smoothing"
  case avg = "avg_over_time"
  case sum = "sum_over_time"
  case count = "count_over_time"
  case min = "min_over_time"
  case max = "max_over_time"
  case first = "first_over_time"
  case last = "last_over_time"
  case present = "present_over_time"
  case stddev = "stddev_over_time"
  case stdvar = "stdvar_over_time"
  case quantile = "quantile_over_time"
  case mad = "mad_over_time"
  case timeOfFirst = "ts_of_first_over_time"
  case timeOfLast = "ts_of_last_over_time"
  case timeOfMin = "ts_of_min_over_time"
  case timeOfMax = "ts_of_max_over_time"

  /// `first_over_time` and `last_over_time` act like an offset and keep the metric name.
  var keepsName: Bool { self == .first || self == .last }

  var isCounterFunction: Bool { self == .rate || self == .increase }
}
