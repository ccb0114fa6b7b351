/// Keeps credentials out of logs and pages.
package enum SecretText {
  /// What names of query parameters that carry credentials contain.
  private static let suspects = ["token", "key", "secret", "pass", "auth", "sig", "credential"]

  /// A URL whose password, and values of parameters that look like credentials, are `xxxxx`.
  ///
  /// - Note: Go's `URL.Redacted` hides the password only.
  package static func redacted(url: String) -> String {
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let place = withoutPassword(parts[0])
    if parts.count == 1 { return place }
    let query = parts[1].split(separator: "&", omittingEmptySubsequences: false).map(withoutValue)
    return place + "?" + query.joined(separator: "&")
  }

  /// A receiver's URL: parts of its path that look like credentials are `xxxxx` as well.
  package static func redacted(receiver url: String) -> String {
    let plain = redacted(url: url)
    let parts = plain.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let place = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    let masked = place.enumerated().map { index, part in
      // scheme, nothing, host; then the path.
      index > 2 && looksSecret(part) ? "xxxxx" : String(part)
    }
    return ([masked.joined(separator: "/")] + parts.dropFirst().map(String.init))
      .joined(separator: "?")
  }

  /// Whether a part of a path may be a credential: long, or not short and with digits in it.
  package static func looksSecret(_ part: Substring) -> Bool {
    let length = part.utf8.count
    return length >= 20 || length >= 8 && part.utf8.contains { (0x30...0x39).contains($0) }
  }

  private static func withoutPassword(_ url: Substring) -> String {
    let scheme = url.prefix { $0 != ":" } + "://"
    guard url.hasPrefix(scheme) else { return String(url) }
    let rest = url.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":")
    else { return String(url) }
    return scheme + authority[..<colon] + ":xxxxx" + rest[at...]
  }

  private static func withoutValue(_ pair: Substring) -> String {
    let name = pair.prefix { $0 != "=" }
    let isSuspect = suspects.contains { name.lowercased().contains($0) }
    return isSuspect && name.endIndex != pair.endIndex ? name + "=xxxxx" : String(pair)
  }
}
