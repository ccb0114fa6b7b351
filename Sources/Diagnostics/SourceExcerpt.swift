/// One source line made fit for a terminal, with the columns at which its bytes ended up.
///
/// Tabs become spaces, control characters become visible signs (a log or a file must not steer the
/// reader's terminal), and wide characters count for two columns.
struct DisplayLine {
  /// The text to print.
  private(set) var text = ""
  /// Terminal column (from 0) at which each byte of the source line starts, one more for its end;
  /// empty where every byte takes one column.
  private var columns: [Int] = []
  /// How many columns the line takes.
  private(set) var width = 0

  /// Tabs stop at multiples of four.
  static let tabStop = 4

  init(_ bytes: ArraySlice<UInt8>) {
    if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) {
      text = String(decoding: bytes, as: UTF8.self)
      width = bytes.count
      return
    }
    columns.reserveCapacity(bytes.count + 1)
    var column = 0
    for character in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      let width: Int
      switch character.value {
      case 0x09:
        width = Self.tabStop - column % Self.tabStop
        text += String(repeating: " ", count: width)
      case 0..<0x20:
        width = 1
        text.unicodeScalars.append(Unicode.Scalar(0x2400 + character.value) ?? "?")
      case 0x7f..<0xa0:
        width = 1
        text += "?"
      default:
        width = DisplayWidth.columns(of: character)
        text.unicodeScalars.append(character)
      }
      for _ in 0..<UTF8.width(character) { columns.append(column) }
      column += width
    }
    columns.append(column)
    width = column
  }

  /// The terminal column of a byte of the line; past the end, that of the end.
  func column(ofByte offset: Int) -> Int {
    columns.isEmpty
      ? min(max(0, offset), width) : columns[min(max(0, offset), columns.count - 1)]
  }

  /// The columns from `start` on, at most `width` of them.
  func clipped(from start: Int, width: Int) -> String {
    if start == 0, self.width <= width { return text }
    var out = ""
    var column = 0
    for scalar in text.unicodeScalars {
      let w = DisplayWidth.columns(of: scalar)
      if column >= start, column + w <= start + width { out.unicodeScalars.append(scalar) }
      column += w
    }
    return out
  }
}

extension UTF8 {
  /// Bytes of a scalar in UTF-8.
  fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x80: 1
    case 0x80..<0x800: 2
    case 0x800..<0x10000: 3
    default: 4
    }
  }
}

extension SourceText {
  /// The bytes of a line (from 1) without its line end.
  package func lineBytes(_ number: Int) -> ArraySlice<UInt8> {
    guard number >= 1, number <= lineStarts.count else { return [] }
    let start = lineStarts[number - 1]
    var end = number < lineStarts.count ? lineStarts[number] - 1 : bytes.count
    if end > start, bytes[end - 1] == 0x0d { end -= 1 }
    return bytes[start..<end]
  }

  /// Line and column of an offset for people: the column counts characters, from 1.
  package func characterPosition(at offset: Int) -> SourcePosition {
    var place = position(at: offset)
    let start = lineStarts[place.line - 1]
    let prefix = bytes[start..<min(bytes.count, start + place.column - 1)]
    // A continuation byte (10xxxxxx) does not start a character.
    place.column = prefix.reduce(1) { $1 & 0xc0 == 0x80 ? $0 : $0 + 1 }
    return place
  }
}
