import Diagnostics
import Glibc
import JSON
import Model

/// A range of samples drawn with characters: axes, lines, and a legend.
///
/// With colours, or for a single series, lines are made of braille dots; several series without
/// colours are drawn with a letter each.
package struct Plot {
  /// How it is drawn.
  package struct Options: Sendable {
    /// Columns of the terminal.
    package var width = 80
    /// Rows of the field between the axes.
    package var height = 16
    package var isColoured = false
    /// Series named in the legend.
    package var legend = 12

    package init() {}
  }

  private struct Line {
    var name: String
    var points: [(t: Double, v: Double)]
  }

  private let lines: [Line]
  private let from: Double
  private let through: Double
  private let step: Double
  private let options: Options

  /// Draws the float samples of a matrix over a range of times.
  package init(
    _ answer: Answer, from: Timestamp, through: Timestamp, step: PromDuration,
    options: Options = Options()
  ) {
    lines = answer.series.map { series in
      let points = series.points.compactMap { point -> (t: Double, v: Double)? in
        guard let t = point[0]?.double, let v = point[1]?.string.flatMap(Double.init) else {
          return nil
        }
        return (t, v)
      }
      return Line(name: Answer.name(series.labels), points: points)
    }
    self.from = from.seconds
    self.through = max(through.seconds, from.seconds + 1)
    self.step = step.seconds
    self.options = options
  }

  private static let colours = ["36", "33", "32", "35", "31", "34", "96", "93", "92", "95"]
  private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

  /// The picture, lines ended by a line feed.
  package var text: String {
    let values = lines.flatMap { $0.points.map(\.v) }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return "no data\n" }
    let scale = PlotScale(low, high, rows: options.height)
    let labels = scale.ticks.map(\.label)
    let margin = labels.map(\.count).max() ?? 0
    let width = max(16, options.width - margin - 2)
    var canvas = PlotCanvas(width: width, height: options.height)
    for (i, line) in lines.enumerated() { draw(line, i, scale, &canvas) }
    var out = ""
    for row in 0..<options.height {
      let label = scale.ticks.first { $0.row == row }?.label ?? ""
      let pad = String(repeating: " ", count: margin - label.count)
      out += pad + label + (label.isEmpty ? " │" : " ┤") + cells(canvas.row(row)) + "\n"
    }
    out += String(repeating: " ", count: margin) + " └" + axis(width) + "\n"
    out += String(repeating: " ", count: margin + 2) + times(width) + "\n"
    return out + legend
  }

  // MARK: Lines

  private func draw(_ line: Line, _ owner: Int, _ scale: PlotScale, _ canvas: inout PlotCanvas) {
    func place(_ point: (t: Double, v: Double)) -> (x: Int, y: Int) {
      let x = (point.t - from) / (through - from) * Double(canvas.width * 2 - 1)
      let y = (point.v - scale.low) / (scale.high - scale.low) * Double(canvas.height * 4 - 1)
      return (Int(x.rounded()), Int(y.rounded()))
    }
    var last: (t: Double, v: Double)?
    for point in line.points {
      guard point.v.isFinite else {
        last = nil
        continue
      }
      // A missing sample is a gap, not a line.
      if let last, point.t - last.t <= step * 1.5 {
        canvas.line(from: place(last), to: place(point), owner: owner)
      } else {
        let (x, y) = place(point)
        canvas.set(x: x, y: y, owner: owner)
      }
      last = point
    }
  }

  private var usesLetters: Bool { !options.isColoured && lines.count > 1 }

  private func cells(_ row: [(pattern: Unicode.Scalar, owner: Int)?]) -> String {
    var out = ""
    for cell in row {
      guard let cell else {
        out += " "
        continue
      }
      out += usesLetters ? mark(cell.owner) : paint(String(Character(cell.pattern)), cell.owner)
    }
    while out.utf8.last == UInt8(ascii: " ") { out.removeLast() }
    return out
  }

  private func mark(_ owner: Int) -> String {
    String(Self.letters[owner % Self.letters.count])
  }

  private func paint(_ text: String, _ owner: Int) -> String {
    guard options.isColoured else { return text }
    return "\u{1b}[\(Self.colours[owner % Self.colours.count])m\(text)\u{1b}[0m"
  }

  private var legend: String {
    let shown = lines.prefix(options.legend).enumerated().map { i, line in
      let points = line.points.filter { $0.v.isFinite }
      let last = points.last.map { "  \(NumberText.plain($0.v))" } ?? ""
      let sign = usesLetters ? mark(i) : options.isColoured ? paint("━", i) : "⠒"
      return "\(sign) \(line.name)\(last)\n"
    }
    let more = lines.count - shown.count
    return shown.joined() + (more > 0 ? "… and \(more) more\n" : "")
  }

  // MARK: Times

  /// Where times stand, as parts of the width.
  private func columns(_ width: Int) -> [Double] {
    width < 60 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]
  }

  private func axis(_ width: Int) -> String {
    var axis = Array(repeating: "─", count: width)
    for part in columns(width) { axis[Int((Double(width - 1) * part).rounded())] = "┬" }
    return axis.joined()
  }

  private func times(_ width: Int) -> String {
    var out = ""
    for part in columns(width) {
      let label = time(from + (through - from) * part)
      let centre = Int((Double(width - 1) * part).rounded())
      let start = part == 0 ? 0 : part == 1 ? width - label.count : centre - label.count / 2
      if start > out.count + 1 || out.isEmpty {
        out += String(repeating: " ", count: max(0, start - out.count)) + label
      }
    }
    return out + " UTC"
  }

  private func time(_ seconds: Double) -> String {
    let t = CivilTime(Timestamp(seconds: seconds.rounded()))
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    let clock = "\(two(t.hour)):\(two(t.minute))"
    if through - from <= 600 { return clock + ":" + two(t.second) }
    return through - from <= 86_400 ? clock : "\(two(t.month))-\(two(t.day)) \(clock)"
  }
}

/// The values of an axis: bounds a little outside of the data, and round numbers between.
struct PlotScale {
  let low: Double
  let high: Double
  /// Rows from the top with their labels.
  let ticks: [(row: Int, label: String)]

  init(_ least: Double, _ most: Double, rows: Int) {
    // A flat line stands in the middle.
    let isFlat = most <= least
    let spread = isFlat ? max(1, least.magnitude * 0.1) : most - least
    let low = isFlat ? least - spread : least
    let high = isFlat ? most + spread : most
    let wanted = (high - low) / Double(max(3, rows / 4))
    let power = pow(10, floor(log10(wanted)))
    let step = ([1, 2, 5, 10].map { $0 * power }.first { $0 >= wanted }) ?? wanted
    var ticks: [(row: Int, label: String)] = []
    let decimals = max(0, -Int(floor(log10(step) + 1e-9)))
    var n = (low / step).rounded(.up)
    while n * step <= high + step * 1e-9, ticks.count < rows {
      let part = (n * step - low) / (high - low)
      let row = rows - 1 - min(rows - 1, Int((part * Double(rows * 4 - 1)).rounded()) / 4)
      let scale = pow(10, Double(decimals))
      let value = decimals > 15 ? n * step : (n * step * scale).rounded() / scale
      // Plus zero makes zero of minus zero.
      ticks.append((row, Self.label(value + 0)))
      n += 1
    }
    self.low = low
    self.high = high
    self.ticks = ticks
  }

  /// Short: `1.5k`, `20M`, `0.05`.
  private static func label(_ value: Double) -> String {
    for (limit, unit) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")]
    where value.magnitude >= limit {
      let divisor = unit == "k" ? 1e3 : limit
      return NumberText.general((value / divisor * 1000).rounded() / 1000) + unit
    }
    return NumberText.plain(value)
  }
}
