import Model

/// Matchers as Alertmanager writes them: `severity=~"page|critical"`, the value bare or quoted.
package enum MatcherText {
  /// Why a matcher could not be read.
  package struct Problem: Error, Sendable {
    package let message: String
    /// Byte offset into the text.
    package let offset: Int
  }

  /// Reads one matcher.
  package static func parse(_ text: String) throws(Problem) -> Matcher {
    let bytes = Array(text.utf8)
    var i = 0
    skipBlanks(bytes, &i)
    let nameStart = i
    let name: String
    if i < bytes.count, bytes[i] == quote {
      name = try quoted(bytes, &i)
    } else {
      while i < bytes.count, !isOperator(bytes[i]), bytes[i] > 0x20 { i += 1 }
      name = String(decoding: bytes[nameStart..<i], as: UTF8.self)
    }
    if name.isEmpty {
      throw Problem(message: "a matcher starts with a label name", offset: nameStart)
    }
    skipBlanks(bytes, &i)
    guard let kind = kind(bytes, &i) else {
      throw Problem(message: "expected one of =, !=, =~, !~ behind the label name", offset: i)
    }
    skipBlanks(bytes, &i)
    let valueStart = i
    let value: String
    if i < bytes.count, bytes[i] == quote {
      value = try quoted(bytes, &i)
      skipBlanks(bytes, &i)
      if i < bytes.count { throw Problem(message: "unexpected text behind the value", offset: i) }
    } else {
      var end = bytes.count
      while end > i, bytes[end - 1] <= 0x20 { end -= 1 }
      value = String(decoding: bytes[i..<end], as: UTF8.self)
      if value.utf8.contains(quote) {
        throw Problem(message: "a quote inside a value that is not quoted", offset: valueStart)
      }
    }
    do throws(RegexpProblem) {
      return try Matcher(name, kind, value)
    } catch {
      throw Problem(message: error.description, offset: valueStart)
    }
  }

  private static let quote = UInt8(ascii: "\"")

  private static func isOperator(_ b: UInt8) -> Bool {
    b == UInt8(ascii: "=") || b == UInt8(ascii: "!") || b == UInt8(ascii: "~")
  }

  private static func skipBlanks(_ bytes: [UInt8], _ i: inout Int) {
    while i < bytes.count, bytes[i] == 0x20 || bytes[i] == 0x09 { i += 1 }
  }

  private static func kind(_ bytes: [UInt8], _ i: inout Int) -> Matcher.Kind? {
    for kind in [Matcher.Kind.regexp, .notRegexp, .notEqual, .equal]
    where bytes[min(i, bytes.count)...].starts(with: kind.rawValue.utf8) {
      i += kind.rawValue.utf8.count
      return kind
    }
    return nil
  }

  /// A text in double quotes with `\\`, `\"` and `\n`.
  private static func quoted(_ bytes: [UInt8], _ i: inout Int) throws(Problem) -> String {
    let start = i
    i += 1
    var out: [UInt8] = []
    while i < bytes.count, bytes[i] != quote {
      if bytes[i] == UInt8(ascii: "\\"), i + 1 < bytes.count {
        i += 1
        switch bytes[i] {
        case UInt8(ascii: "n"): out.append(0x0a)
        case quote, UInt8(ascii: "\\"): out.append(bytes[i])
        default: out += [UInt8(ascii: "\\"), bytes[i]]
        }
      } else {
        out.append(bytes[i])
      }
      i += 1
    }
    guard i < bytes.count else { throw Problem(message: "a quote without its end", offset: start) }
    i += 1
    return String(decoding: out, as: UTF8.self)
  }
}
