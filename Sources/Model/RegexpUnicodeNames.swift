/// The names behind `\p{…}`: categories, their long aliases, and scripts.
///
/// As in Go, case, blanks, hyphens and underscores of a name do not matter.
enum RegexpUnicodeNames {
  /// The class as the engine reads it inside brackets, or nil for an unknown name.
  static func classText(_ name: String, negated: Bool) -> String? {
    let key = canonical(name)
    switch key {
    case "any": return negated ? #"\P{Any}"# : #"\p{Any}"#
    case "ascii": return negated ? #"[:^ascii:]"# : #"[:ascii:]"#
    case "assigned", "cn", "unassigned":
      let wanted = (key == "assigned") == negated
      return ranges { ($0.properties.generalCategory == .unassigned) == wanted }
    case "lc", "casedletter":
      return negated ? ranges { !cased($0) } : #"\p{Lu}\p{Ll}\p{Lt}"#
    default:
      guard let known = names[key] else { return nil }
      return (negated ? #"\P{"# : #"\p{"#) + known + "}"
    }
  }

  private static func canonical(_ name: String) -> String {
    String(name.unicodeScalars.filter { !("_- ".unicodeScalars.contains($0)) }).lowercased()
  }

  private static func cased(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter: true
    default: false
    }
  }

  /// Lists the scalars with a property as ranges; rare names only, as it looks at all of Unicode.
  private static func ranges(where holds: (Unicode.Scalar) -> Bool) -> String {
    var out = ""
    var start: UInt32?
    func close(_ end: UInt32) {
      guard let low = start else { return }
      out += "\\x{" + String(low, radix: 16) + "}-\\x{" + String(end, radix: 16) + "}"
      start = nil
    }
    for value in UInt32(0)...0x10ffff {
      if let scalar = Unicode.Scalar(value), holds(scalar) {
        if start == nil { start = value }
      } else if start != nil {
        close(value - 1)
      }
    }
    close(0x10ffff)
    return out
  }

  /// Canonical spelling → the engine's name.
  private static let names: [String: String] = {
    var names: [String: String] = [:]
    for name in categories.split(separator: " ") { names[name.lowercased()] = String(name) }
    for pair in categoryAliases.split(separator: " ") {
      let parts = pair.split(separator: "=")
      names[String(parts[0])] = String(parts[1])
    }
    for name in scripts.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      names[canonical(String(name))] = String(name)
    }
    return names
  }()

  private static let categories = """
    C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z \
    Zl Zp Zs
    """

  private static let categoryAliases = """
    other=C control=Cc cntrl=Cc format=Cf privateuse=Co surrogate=Cs letter=L lowercaseletter=Ll \
    modifierletter=Lm otherletter=Lo titlecaseletter=Lt uppercaseletter=Lu mark=M \
    combiningmark=M spacingmark=Mc enclosingmark=Me nonspacingmark=Mn number=N decimalnumber=Nd \
    digit=Nd letternumber=Nl othernumber=No punctuation=P punct=P connectorpunctuation=Pc \
    dashpunctuation=Pd closepunctuation=Pe finalpunctuation=Pf initialpunctuation=Pi \
    otherpunctuation=Po openpunctuation=Ps symbol=S currencysymbol=Sc modifiersymbol=Sk \
    mathsymbol=Sm othersymbol=So separator=Z lineseparator=Zl paragraphseparator=Zp \
    spaceseparator=Zs
    """

  private static let scripts = """
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak
    Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian
    Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot
    Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs
    Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kayah_Li
    Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B
    Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi
    Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi
    Mongolian Mro Multani Myanmar Nabataean Nandinagari New_Tai_Lue Newa Nko Nushu
    Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic
    Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya
    Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan
    Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese
    Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu
    Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi
    Zanabazar_Square
    """
}
