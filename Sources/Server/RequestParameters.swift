import Model
import PromQL

/// Why `match[]` cannot be used.
struct MatcherProblem: Error {
  let text: String

  /// The problem as some endpoints tell it.
  var plain: APIFailure { APIFailure(.badData, text) }
  /// The problem as others do.
  var ofParameter: APIFailure { .invalidParameter("match[]", text) }
}

/// The parameters of a request: those of the query string and those of a form body, names repeated
/// as given.
struct RequestParameters {
  private var pairs: [(name: String, value: String)] = []

  init(query: String?, form: String? = nil) {
    // A form's values come first, as in Go's `Request.Form`.
    if let form { add(form) }
    if let query { add(query) }
  }

  private mutating func add(_ text: String) {
    // A pair with a semicolon is no pair, as in Go since 1.17.
    for pair in text.split(separator: "&") where !pair.contains(";") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? Self.decode(parts[1]) : ""
      pairs.append((Self.decode(parts[0]), value))
    }
  }

  /// Percent and plus decoding; a broken escape stays as it is.
  static func decode(_ text: some StringProtocol) -> String {
    var out: [UInt8] = []
    let bytes = Array(text.utf8)
    var i = 0
    while i < bytes.count {
      let b = bytes[i]
      if b == UInt8(ascii: "+") {
        out.append(0x20)
      } else if b == UInt8(ascii: "%"), i + 2 < bytes.count,
        let byte = UInt8(String(decoding: bytes[(i + 1)...(i + 2)], as: UTF8.self), radix: 16)
      {
        out.append(byte)
        i += 2
      } else {
        out.append(b)
      }
      i += 1
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The first value of a name; empty counts as not given.
  subscript(name: String) -> String? {
    let value = pairs.first { $0.name == name }?.value
    return value == "" ? nil : value
  }

  /// All values of a name.
  func all(_ name: String) -> [String] {
    pairs.filter { $0.name == name }.map(\.value)
  }

  /// The selectors of `match[]`, each with a matcher that an absent label does not fulfil; the
  /// error is a sentence.
  func matcherSets() throws(MatcherProblem) -> [[Matcher]] {
    var sets: [[Matcher]] = []
    for text in all("match[]") { sets.append(try Self.selector(text)) }
    if sets.contains(where: { $0.allSatisfy { $0.matches("") } }) {
      throw MatcherProblem(text: "match[] must contain at least one non-empty matcher")
    }
    return sets
  }

  /// One selector.
  static func selector(_ text: String) throws(MatcherProblem) -> [Matcher] {
    do {
      return try PromQLParser.parseMetricSelector(text)
    } catch {
      throw MatcherProblem(text: error.text(in: text))
    }
  }

  /// A point in time that may be left out: RFC 3339 or Unix seconds.
  func time(_ name: String) throws(APIFailure) -> Timestamp? {
    guard let text = self[name] else { return nil }
    guard let t = Self.parseTime(text) else {
      let reason = "cannot parse \(GoText.quote(text)) to a valid timestamp"
      throw .invalidParameter(name, "Invalid time value for '\(name)': \(reason)")
    }
    return t
  }

  /// A point in time that must be there.
  func requiredTime(_ name: String) throws(APIFailure) -> Timestamp {
    let text = self[name] ?? ""
    guard let t = Self.parseTime(text) else {
      throw .invalidParameter(name, "cannot parse \(GoText.quote(text)) to a valid timestamp")
    }
    return t
  }

  /// A truth value in Go's words; left out is false.
  func bool(_ name: String) throws(APIFailure) -> Bool {
    switch self[name] {
    case nil, "false", "0", "f", "F", "FALSE", "False": return false
    case "true", "1", "t", "T", "TRUE", "True": return true
    case .some(let other):
      throw .invalidParameter(
        name,
        "error converting \(name): strconv.ParseBool: parsing \(GoText.quote(other)): "
          + "invalid syntax")
    }
  }

  /// A number of things in the older endpoints' words; nil or negative: all.
  func count(_ name: String) throws(APIFailure) -> Int? {
    guard let text = self[name] else { return nil }
    guard let n = Int(text) else { throw APIFailure(.badData, "\(name) must be a number") }
    return n < 0 ? nil : n
  }

  /// A duration: seconds, or Prometheus' form.
  func duration(_ name: String) throws(APIFailure) -> PromDuration? {
    guard let text = self[name] else { return nil }
    if let seconds = Double(text) {
      guard seconds.isFinite, seconds.magnitude < 9.2e9 else {
        throw .invalidParameter(
          name, "cannot parse \(GoText.quote(text)) to a valid duration. It overflows int64")
      }
      return PromDuration(seconds: seconds)
    }
    guard let d = try? PromDuration(parsing: text) else {
      throw .invalidParameter(name, "cannot parse \(GoText.quote(text)) to a valid duration")
    }
    return d
  }

  /// A count that must not be negative.
  func limit(_ name: String) throws(APIFailure) -> Int {
    guard let text = self[name] else { return 0 }
    guard let n = Int(text) else {
      throw .invalidParameter(name, "strconv.Atoi: parsing \(GoText.quote(text)): invalid syntax")
    }
    if n < 0 { throw .invalidParameter(name, "limit must be non-negative") }
    return n
  }

  /// Seconds with decimals, or RFC 3339 with any offset.
  static func parseTime(_ text: String) -> Timestamp? {
    if let seconds = Double(text) {
      guard seconds.isFinite, seconds.magnitude < 9e15 else { return nil }
      return Timestamp(seconds: seconds)
    }
    return Timestamp(rfc3339: text)
  }
}
