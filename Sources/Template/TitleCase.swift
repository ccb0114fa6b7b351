import Model

/// Capital letters at the start of words, the other letters as they are: Go's `cases.Title` with
/// `NoLower`.
///
/// A word ends at what is neither letter, digit, mark nor underscore. A single dot, colon or
/// apostrophe between two letters stays inside the word (`web-2.example.com` becomes
/// `Web-2.Example.com`); digits alone do not start one (`2nd` becomes `2Nd`).
enum TitleCase {
  static func apply(_ text: String) -> String {
    var out = ""
    var isInWord = false
    var wasMiddle = false
    for scalar in text.unicodeScalars {
      let isMiddle = middles.contains(scalar)
      if wasMiddle && isMiddle { isInWord = false }
      if scalar.properties.isCased {
        out += isInWord ? String(scalar) : scalar.properties.titlecaseMapping
        isInWord = true
      } else {
        out.unicodeScalars.append(scalar)
        if !isMiddle && !continuesWord(scalar) { isInWord = false }
      }
      wasMiddle = isMiddle
    }
    return out
  }

  /// Unicode's word break properties MidLetter, MidNumLet and Single_Quote.
  private static let middles: Set<Unicode.Scalar> = [
    "'", ".", ":", "\u{b7}", "\u{387}", "\u{55f}", "\u{5f4}", "\u{2018}", "\u{2019}", "\u{2024}",
    "\u{2027}", "\u{fe13}", "\u{fe52}", "\u{fe55}", "\u{ff07}", "\u{ff0e}", "\u{ff1a}",
  ]

  /// Letters of alphabets without case, digits, marks, connectors and format characters.
  private static func continuesWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .decimalNumber, .nonspacingMark, .spacingMark, .enclosingMark, .connectorPunctuation,
      .format:
      true
    case .otherLetter, .modifierLetter: !scalar.properties.isIdeographic && !isKana(scalar)
    default: false
    }
  }

  /// Hiragana and Katakana break words in Unicode's rules as Go applies them.
  private static func isKana(_ scalar: Unicode.Scalar) -> Bool {
    (0x3040...0x30ff).contains(scalar.value) || (0x31f0...0x31ff).contains(scalar.value)
      || (0xff66...0xff9f).contains(scalar.value)
  }
}
