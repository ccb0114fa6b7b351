import Model
import PromQL

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

  /// The selectors of `match[]`.
  func matcherSets() throws(APIFailure) -> [[Matcher]] {
    var sets: [[Matcher]] = []
    for text in all("match[]") {
      do {
        sets.append(try PromQLParser.parseMetricSelector(text))
      } catch {
        throw .invalidParameter("match[]", error.text(in: text))
      }
    }
    return sets
  }

  /// A point in time: RFC 3339 or Unix seconds.
  func time(_ name: String) throws(APIFailure) -> Timestamp? {
    guard let text = self[name] else { return nil }
    guard let t = Self.parseTime(text) else {
      throw .invalidParameter(name, "cannot parse \(GoText.quote(text)) to a valid timestamp")
    }
    return t
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
