import Model

/// Alertmanager's name for the route that leads to a receiver; the first half of a group's key.
enum RouteKey {
  /// The key of a route below the root: `{}/{severity="page",team=~"a|b"}`; the root's, `{}`,
  /// without matchers.
  static func text(_ matchers: [Matcher]) -> String {
    if matchers.isEmpty { return "{}" }
    let sorted = matchers.sorted { a, b in
      if !ByteOrder.equal(a.name, b.name) { return ByteOrder.less(a.name, b.name) }
      if !ByteOrder.equal(a.value, b.value) { return ByteOrder.less(a.value, b.value) }
      return rank(a.kind) < rank(b.kind)
    }
    return "{}/{" + sorted.map(text).joined(separator: ",") + "}"
  }

  private static func text(_ matcher: Matcher) -> String {
    let value = matcher.value.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\"": "\\\""
      default: String(scalar)
      }
    }.joined()
    return "\(matcher.name)\(matcher.kind.rawValue)\"\(value)\""
  }

  /// The order of Alertmanager's match types.
  private static func rank(_ kind: Matcher.Kind) -> Int {
    switch kind {
    case .equal: 0
    case .notEqual: 1
    case .regexp: 2
    case .notRegexp: 3
    }
  }
}
