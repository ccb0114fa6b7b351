/// What the lexers recognise; the raw value is the name that Prometheus' error texts show.
enum Token: String {
  case invalid = "INVALID"
  case end = "EOF"
  case lineBreak = "LINEBREAK"
  case whitespace = "WHITESPACE"
  case help = "HELP"
  case type = "TYPE"
  case unit = "UNIT"
  case endWord = "EOFWORD"
  case text = "TEXT"
  case comment = "COMMENT"
  case metricName = "MNAME"
  case quoted = "QSTRING"
  case braceOpen = "BOPEN"
  case braceClose = "BCLOSE"
  case labelName = "LNAME"
  case labelValue = "LVALUE"
  case comma = "COMMA"
  case equal = "EQUAL"
  case timestamp = "TIMESTAMP"
  case value = "VALUE"
}

/// Where on a line a lexer stands.
enum LexerState {
  case initial, comment, metaName, metaText, labels, labelValue, value, timestamp
  case exemplar, exemplarValue, exemplarTimestamp
}

/// The bytes the grammars speak of.
enum Byte {
  static let tab = UInt8(ascii: "\t")
  static let newline = UInt8(ascii: "\n")
  static let space = UInt8(ascii: " ")
  static let quote = UInt8(ascii: "\"")
  static let hash = UInt8(ascii: "#")
  static let comma = UInt8(ascii: ",")
  static let equal = UInt8(ascii: "=")
  static let backslash = UInt8(ascii: "\\")
  static let braceOpen = UInt8(ascii: "{")
  static let braceClose = UInt8(ascii: "}")

  @inline(__always)
  static func isBlank(_ c: UInt8) -> Bool { c == space || c == tab }

  @inline(__always)
  static func isDigit(_ c: UInt8) -> Bool { c &- 0x30 < 10 }

  @inline(__always)
  static func isLabelStart(_ c: UInt8) -> Bool { (c | 0x20) &- 0x61 < 26 || c == 0x5f }

  @inline(__always)
  static func isLabelPart(_ c: UInt8) -> Bool { isLabelStart(c) || isDigit(c) }

  @inline(__always)
  static func isNameStart(_ c: UInt8) -> Bool { isLabelStart(c) || c == 0x3a }

  @inline(__always)
  static func isNamePart(_ c: UInt8) -> Bool { isLabelPart(c) || c == 0x3a }
}
