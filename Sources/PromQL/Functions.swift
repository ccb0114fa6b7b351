extension FunctionSignature {
  /// The function of a name; names are case-sensitive.
  package static func named(_ name: String) -> FunctionSignature? { table[name] }

  /// All functions, sorted by name.
  package static let all: [FunctionSignature] = table.values.sorted { $0.name < $1.name }

  private static let table: [String: FunctionSignature] = {
    var table: [String: FunctionSignature] = [:]
    for function in ofVectors + ofMatrices + ofTime + others { table[function.name] = function }
    return table
  }()

  /// Functions of one instant vector.
  private static let ofVectors: [FunctionSignature] = [
    "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh",
    "deg", "exp", "floor", "histogram_avg", "histogram_count", "histogram_stddev",
    "histogram_stdvar", "histogram_sum", "ln", "log10", "log2", "rad", "sgn", "sin", "sinh", "sort",
    "sort_desc", "sqrt", "tan", "tanh", "timestamp",
  ].map { FunctionSignature($0, [.vector]) }

  /// Functions of one range vector.
  private static let ofMatrices: [FunctionSignature] =
    [
      "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv",
      "first_over_time", "idelta", "increase", "irate", "last_over_time", "max_over_time",
      "min_over_time", "present_over_time", "rate", "resets", "stddev_over_time",
      "stdvar_over_time", "sum_over_time",
    ].map { FunctionSignature($0, [.matrix]) }
    + [
      "mad_over_time", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time",
      "ts_of_min_over_time",
    ].map { FunctionSignature($0, [.matrix], experimental: true) }

  /// Functions of a vector of times, by default the evaluation time.
  private static let ofTime: [FunctionSignature] = [
    "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month",
    "year",
  ].map { FunctionSignature($0, [.vector], variadic: 1) }

  private static let others: [FunctionSignature] = [
    FunctionSignature("clamp", [.vector, .scalar, .scalar]),
    FunctionSignature("clamp_max", [.vector, .scalar]),
    FunctionSignature("clamp_min", [.vector, .scalar]),
    FunctionSignature(
      "double_exponential_smoothing", [.matrix, .scalar, .scalar], experimental: true),
    FunctionSignature("end", [], returns: .scalar, experimental: true),
    FunctionSignature("histogram_fraction", [.scalar, .scalar, .vector]),
    FunctionSignature("histogram_quantile", [.scalar, .vector]),
    FunctionSignature(
      "histogram_quantiles", [.vector, .string, .scalar, .scalar], variadic: 9, experimental: true),
    FunctionSignature("info", [.vector, .vector], variadic: 1, experimental: true),
    FunctionSignature("label_join", [.vector, .string, .string, .string], variadic: -1),
    FunctionSignature("label_replace", [.vector, .string, .string, .string, .string]),
    FunctionSignature("max_of", [.scalar, .scalar], returns: .scalar, experimental: true),
    FunctionSignature("min_of", [.scalar, .scalar], returns: .scalar, experimental: true),
    FunctionSignature("pi", [], returns: .scalar),
    FunctionSignature("predict_linear", [.matrix, .scalar]),
    FunctionSignature("quantile_over_time", [.scalar, .matrix]),
    FunctionSignature("range", [], returns: .scalar, experimental: true),
    FunctionSignature("round", [.vector, .scalar], variadic: 1),
    FunctionSignature("scalar", [.vector], returns: .scalar),
    FunctionSignature("sort_by_label", [.vector, .string], variadic: -1, experimental: true),
    FunctionSignature("sort_by_label_desc", [.vector, .string], variadic: -1, experimental: true),
    FunctionSignature("start", [], returns: .scalar, experimental: true),
    FunctionSignature("start_timestamp", [.vector], experimental: true),
    FunctionSignature("step", [], returns: .scalar, experimental: true),
    FunctionSignature("time", [], returns: .scalar),
    FunctionSignature("vector", [.scalar]),
  ]
}
