import Model

/// Go's `fmt` package over template values: `Sprintf`, `Sprint`, `Sprintln`.
///
/// Flags hold over nested values and over the text of wrong verbs, as in Go.
struct GoFormat {
  struct Flags {
    var width: Int?
    var precision: Int?
    var minus = false
    var plus = false
    var sharp = false
    var space = false
    var zero = false
    /// `%+v` and `%#v` change the layout of values instead of their signs.
    var plusV = false
    var sharpV = false
  }

  var out: [UInt8] = []
  var flags = Flags()

  /// Go's bound for widths and precisions.
  private static let maxNumber = 1_000_000
  /// Past this, nothing more is written: the executor refuses texts of that size anyway.
  static let sizeLimit = 16 << 20

  // MARK: Entry points

  /// `fmt.Sprint`: a blank stands between two operands that are no strings.
  static func print(_ values: [TemplateValue]) -> [UInt8] {
    var format = GoFormat()
    var previousIsString = false
    for (i, value) in values.enumerated() {
      var isString = false
      if case .string = value { isString = true }
      if i > 0 && !isString && !previousIsString { format.out.append(0x20) }
      format.printArgument(value, "v")
      previousIsString = isString
    }
    return format.out
  }

  /// `fmt.Sprintln`.
  static func printLine(_ values: [TemplateValue]) -> [UInt8] {
    var format = GoFormat()
    for (i, value) in values.enumerated() {
      if i > 0 { format.out.append(0x20) }
      format.printArgument(value, "v")
    }
    return format.out + [0x0a]
  }

  /// `fmt.Sprintf`.
  static func printf(_ format: [UInt8], _ values: [TemplateValue]) -> [UInt8] {
    var formatter = GoFormat()
    formatter.run(format, values)
    return formatter.out
  }

  // MARK: The format string

  /// Where the reading of the format and of the arguments stands.
  private struct Cursor {
    let format: [UInt8]
    let values: [TemplateValue]
    var position = 0
    var argument = 0
    /// `[n]` was used: surplus arguments are no error then.
    var reordered = false
    var isGoodIndex = true

    var byte: UInt8? { position < format.count ? format[position] : nil }
  }

  private mutating func run(_ format: [UInt8], _ values: [TemplateValue]) {
    var cursor = Cursor(format: format, values: values)
    while cursor.position < format.count, !isFull {
      let start = cursor.position
      while let b = cursor.byte, b != UInt8(ascii: "%") { cursor.position += 1 }
      out += format[start..<cursor.position]
      if cursor.byte == nil { break }
      cursor.position += 1
      readFlags(&cursor)
      var afterIndex = readIndex(&cursor)
      readWidth(&cursor, &afterIndex)
      readPrecision(&cursor, &afterIndex)
      if !afterIndex { afterIndex = readIndex(&cursor) }
      guard cursor.byte != nil else {
        append("%!(NOVERB)")
        break
      }
      printVerb(&cursor)
    }
    if !cursor.reordered, cursor.argument < values.count, !isFull {
      printExtra(values[cursor.argument...])
    }
  }

  private mutating func readFlags(_ cursor: inout Cursor) {
    flags = Flags()
    cursor.isGoodIndex = true
    while let b = cursor.byte {
      switch b {
      case UInt8(ascii: "#"): flags.sharp = true
      case UInt8(ascii: "0"): flags.zero = true
      case UInt8(ascii: "+"): flags.plus = true
      case UInt8(ascii: "-"): flags.minus = true
      case UInt8(ascii: " "): flags.space = true
      default: return
      }
      cursor.position += 1
    }
  }

  private mutating func readWidth(_ cursor: inout Cursor, _ afterIndex: inout Bool) {
    if cursor.byte == UInt8(ascii: "*") {
      cursor.position += 1
      flags.width = starArgument(&cursor)
      if flags.width == nil { append("%!(BADWIDTH)") }
      if let width = flags.width, width < 0 {
        flags.width = -width
        flags.minus = true
        // Zeros pad to the left only.
        flags.zero = false
      }
      afterIndex = false
    } else {
      flags.width = number(&cursor)
      if afterIndex, flags.width != nil { cursor.isGoodIndex = false }
    }
  }

  private mutating func readPrecision(_ cursor: inout Cursor, _ afterIndex: inout Bool) {
    guard cursor.byte == UInt8(ascii: ".") else { return }
    cursor.position += 1
    if afterIndex { cursor.isGoodIndex = false }
    afterIndex = readIndex(&cursor)
    if cursor.byte == UInt8(ascii: "*") {
      cursor.position += 1
      flags.precision = starArgument(&cursor)
      let isBad = flags.precision.map { $0 < 0 } ?? true
      if isBad {
        flags.precision = nil
        append("%!(BADPREC)")
      }
      afterIndex = false
    } else {
      flags.precision = number(&cursor) ?? 0
    }
  }

  private func number(_ cursor: inout Cursor) -> Int? {
    var n: Int?
    while let b = cursor.byte, b >= 0x30, b <= 0x39 {
      n = (n ?? 0) * 10 + Int(b - 0x30)
      cursor.position += 1
      if n ?? 0 > Self.maxNumber { return nil }
    }
    return n
  }

  /// The argument of `*`, if it is a number of bearable size.
  private func starArgument(_ cursor: inout Cursor) -> Int? {
    guard cursor.argument < cursor.values.count else { return nil }
    let value = cursor.values[cursor.argument]
    cursor.argument += 1
    let n: Int? =
      switch value {
      case .int(let n, _): Int(n)
      case .uint(let n, _): Int(exactly: n)
      case .duration(let n, isPointer: false): Int(n)
      case .month(let n), .weekday(let n): n
      default: nil
      }
    return n.flatMap { abs($0.magnitude > Int.max ? Int.max : $0) <= Self.maxNumber ? $0 : nil }
  }

  /// `[3]`; tells whether an index was there and good.
  private func readIndex(_ cursor: inout Cursor) -> Bool {
    guard cursor.byte == UInt8(ascii: "[") else { return false }
    cursor.reordered = true
    guard let close = cursor.format[cursor.position...].firstIndex(of: UInt8(ascii: "]")) else {
      cursor.isGoodIndex = false
      cursor.position += 1
      return false
    }
    let digits = cursor.format[cursor.position + 1..<close]
    cursor.position = close + 1
    let n =
      digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
      ? Int(String(decoding: digits, as: UTF8.self)) : nil
    guard let n, n >= 1, n <= cursor.values.count else {
      cursor.isGoodIndex = false
      return false
    }
    cursor.argument = n - 1
    return true
  }

  private mutating func printVerb(_ cursor: inout Cursor) {
    let width = cursor.format.withUnsafeBufferPointer {
      GoText.scalarWidth($0, at: cursor.position)
    }
    let bytes = cursor.format[cursor.position..<cursor.position + width]
    let verb = String(decoding: bytes, as: UTF8.self).unicodeScalars.first ?? "\u{fffd}"
    cursor.position += width
    if verb == "%" {
      out.append(UInt8(ascii: "%"))
    } else if !cursor.isGoodIndex {
      append("%!\(verb)(BADINDEX)")
    } else if cursor.argument >= cursor.values.count {
      append("%!\(verb)(MISSING)")
    } else {
      if verb == "v" {
        flags.sharpV = flags.sharp
        flags.sharp = false
        flags.plusV = flags.plus
        flags.plus = false
      }
      printArgument(cursor.values[cursor.argument], verb)
      cursor.argument += 1
    }
  }

  private mutating func printExtra(_ values: ArraySlice<TemplateValue>) {
    flags = Flags()
    append("%!(EXTRA ")
    for (i, value) in values.enumerated() {
      if i > 0 { append(", ") }
      if value.isNone {
        append("<nil>")
      } else {
        append(value.typeName + "=")
        printArgument(value, "v")
      }
    }
    append(")")
  }

  private var isFull: Bool { out.count > Self.sizeLimit }

  mutating func append(_ text: String) {
    if !isFull { out += text.utf8 }
  }

  // MARK: Padding

  /// Writes a text padded to the width, which counts characters.
  mutating func pad(_ text: [UInt8]) {
    if isFull { return }
    guard let width = flags.width, width > 0 else {
      out += text
      return
    }
    let count = text.text.unicodeScalars.count
    let padding = [UInt8](
      repeating: flags.zero && !flags.minus ? 0x30 : 0x20, count: max(0, width - count))
    out += flags.minus ? text + padding : padding + text
  }

  mutating func pad(_ text: String) { pad(Array(text.utf8)) }
}
