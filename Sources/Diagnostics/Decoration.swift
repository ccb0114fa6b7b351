/// Where colour goes; the caller decides whether there is any.
package enum Decoration: Sendable {
  case plain
  /// ANSI escape sequences, the sixteen basic colours only.
  case ansi

  /// The parts of a rendered diagnostic.
  enum Role {
    case place, error, warning, info, note, message, id, gutter, marker, label
  }

  func apply(_ text: String, _ role: Role) -> String {
    guard self == .ansi, !text.isEmpty else { return text }
    let code =
      switch role {
      case .place, .message: "1"
      case .error, .marker: "1;31"
      case .warning: "1;33"
      case .info, .note: "1;36"
      case .id: "2"
      case .gutter: "34"
      case .label: "31"
      }
    return "\u{1b}[\(code)m\(text)\u{1b}[0m"
  }

  func apply(_ severity: Severity) -> String {
    switch severity {
    case .error: apply("error", .error)
    case .warning: apply("warning", .warning)
    case .info: apply("info", .info)
    }
  }
}
