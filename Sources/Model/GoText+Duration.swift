extension GoText {
  /// Go's `time.Duration` text of whole milliseconds: `1h2m3s`, `1m0s`, `1.5s`, `500ms`, `0s`.
  package static func duration(milliseconds: Int64) -> String {
    let size = milliseconds.magnitude
    let sign = milliseconds < 0 ? "-" : ""
    if size == 0 { return "0s" }
    if size < 1000 { return "\(sign)\(size)ms" }
    let hours = size / 3_600_000
    let minutes = size / 60_000 % 60
    let seconds = NumberText.plain(Double(size % 60_000) / 1000) + "s"
    if hours > 0 { return "\(sign)\(hours)h\(minutes)m\(seconds)" }
    if minutes > 0 { return "\(sign)\(minutes)m\(seconds)" }
    return sign + seconds
  }
}
