import Glibc
import Model

/// Functions from one float to another, with up to two scalar arguments.
enum MathFunction: String {
  case abs, ceil, floor, exp, sqrt, ln, log2, log10, sgn, round
  case sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, deg, rad
  case clamp
  case clampMin = "clamp_min"
  case clampMax = "clamp_max"
  case dayOfMonth = "day_of_month"
  case dayOfWeek = "day_of_week"
  case dayOfYear = "day_of_year"
  case daysInMonth = "days_in_month"
  case hour, minute, month, year
  /// The unary minus.
  case negate = "-"

  var isDate: Bool {
    switch self {
    case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year: true
    default: false
    }
  }

  /// Applies the function to each float of a row; the choice is made once, the loops are tight.
  func apply(_ row: FloatRow, p0: Double, p1: Double) {
    switch self {
    case .abs: row.map { $0.magnitude }
    case .ceil: row.map { $0.rounded(.up) }
    case .floor: row.map { $0.rounded(.down) }
    case .sqrt: row.map { $0.squareRoot() }
    case .negate: row.map { -$0 }
    case .sgn: row.map { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }
    case .deg: row.map { $0 * 180 / Double.pi }
    case .rad: row.map { $0 * Double.pi / 180 }
    case .round:
      let inverse = 1 / p0
      row.map { ($0 * inverse + 0.5).rounded(.down) / inverse }
    case .clamp: clamp(row, p0, p1)
    case .clampMin: clamp(row, p0, .infinity)
    case .clampMax: clamp(row, -.infinity, p0)
    default:
      if isDate { applyDate(row) } else { applyTranscendental(row) }
    }
  }

  private func clamp(_ row: FloatRow, _ low: Double, _ high: Double) {
    if high < low { return }
    row.map { ScalarOperation.maximum(low, ScalarOperation.minimum(high, $0)) }
  }

  private func applyTranscendental(_ row: FloatRow) {
    switch self {
    case .exp: row.map { GoMath.exponential($0) }
    case .ln: row.map { GoMath.logarithm($0) }
    case .log2: row.map { Glibc.log2($0) }
    case .log10: row.map { Glibc.log10($0) }
    case .sin: row.map { Glibc.sin($0) }
    case .cos: row.map { Glibc.cos($0) }
    case .tan: row.map { Glibc.tan($0) }
    case .asin: row.map { Glibc.asin($0) }
    case .acos: row.map { Glibc.acos($0) }
    case .atan: row.map { Glibc.atan($0) }
    case .sinh: row.map { Glibc.sinh($0) }
    case .cosh: row.map { Glibc.cosh($0) }
    case .tanh: row.map { Glibc.tanh($0) }
    case .asinh: row.map { Glibc.asinh($0) }
    case .acosh: row.map { Glibc.acosh($0) }
    case .atanh: row.map { Glibc.atanh($0) }
    default: preconditionFailure("the function is handled elsewhere")
    }
  }

  private func applyDate(_ row: FloatRow) {
    switch self {
    case .dayOfMonth: row.map { Double(Date($0).civil.day) }
    case .dayOfWeek: row.map { Double(Date($0).weekday) }
    case .dayOfYear: row.map { Double(Date($0).dayOfYear) }
    case .daysInMonth: row.map { Double(Date($0).daysInMonth) }
    case .hour: row.map { Double(Date($0).civil.hour) }
    case .minute: row.map { Double(Date($0).civil.minute) }
    case .month: row.map { Double(Date($0).civil.month) }
    default: row.map { Double(Date($0).year) }
    }
  }
}

/// One step of a vector on its way through a float function.
struct FloatRow {
  let input: UnsafePointer<Double>
  let inputTags: UnsafePointer<UInt8>
  let output: UnsafeMutablePointer<Double>
  let outputTags: UnsafeMutablePointer<UInt8>
  let count: Int

  /// Maps the floats; histograms become absent.
  @inline(__always)
  func map(_ body: (Double) -> Double) {
    for i in 0..<count where inputTags[i] == CellTag.float {
      output[i] = body(input[i])
      outputTags[i] = CellTag.float
    }
  }
}

/// Calendar fields of a float taken as seconds since the epoch.
///
/// Go counts absolute time in 64 bits that wrap around, and turns floats out of range into the
/// smallest integer; so is it done here.
private struct Date {
  /// Seconds from the first day of the year −292277022399 to the epoch.
  private static let epoch: UInt64 = 9_223_372_028_715_321_600
  private static let cycle: UInt64 = 146_097
  private static let firstYear: Int64 = -292_277_022_399

  let civil: CivilTime
  private let year1: Int64
  private let days: Int64

  init(_ value: Double) {
    let isInRange = value.magnitude < 0x1p63
    let seconds = isInRange ? Int64(value.rounded(.towardZero)) : .min
    let absolute = UInt64(bitPattern: seconds) &+ Self.epoch
    let day = absolute / 86_400
    // The calendar repeats every 400 years: look the day up in the years 1 to 400.
    days = Int64(day % Self.cycle) + CivilTime.days(year: 1, month: 1, day: 1)
    year1 = Self.firstYear - 1 + Int64(day / Self.cycle) * 400
    civil = CivilTime(
      Timestamp(milliseconds: (days * 86_400 + Int64(absolute % 86_400)) * 1000))
  }

  var year: Int64 { civil.year + year1 }

  /// 0 for Sunday; the epoch was a Thursday.
  var weekday: Int64 { (days + 4).flooredDivision(by: 7).remainder }

  var dayOfYear: Int64 { days - CivilTime.days(year: civil.year, month: 1, day: 1) + 1 }

  var daysInMonth: Int64 {
    let next =
      civil.month == 12
      ? CivilTime.days(year: civil.year + 1, month: 1, day: 1)
      : CivilTime.days(year: civil.year, month: civil.month + 1, day: 1)
    return next - CivilTime.days(year: civil.year, month: civil.month, day: 1)
  }
}
