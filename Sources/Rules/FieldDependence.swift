/// What the expansion of a template can depend on, as far as its text tells without running it.
///
/// Decides how long an expansion may be reused; errs to the side of expanding again.
enum FieldDependence: Int, Comparable {
  /// No action at all: the text itself.
  case nothing
  /// Only on the labels of the result element (and on the configuration).
  case labels
  /// On the labels and the value.
  case value
  /// On stored data or the time: a fresh expansion for each evaluation.
  case world

  static func < (a: FieldDependence, b: FieldDependence) -> Bool { a.rawValue < b.rawValue }

  init(of text: String) {
    let bytes = Array(text.utf8)
    guard Self.contains(bytes, "{{") else {
      self = .nothing
      return
    }
    if Self.contains(bytes, "query") || Self.contains(bytes, "now") {
      self = .world
    } else {
      self = Self.actions(of: bytes).allSatisfy(Self.isLabelAccess) ? .labels : .value
    }
  }

  /// The texts between `{{` and `}}`; an action that is not closed extends to the end.
  private static func actions(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var out: [ArraySlice<UInt8>] = []
    var i = 0
    while let open = find(bytes, "{{", from: i) {
      let close = find(bytes, "}}", from: open + 2) ?? bytes.count
      out.append(bytes[(open + 2)..<close])
      i = min(close + 2, bytes.count)
    }
    return out
  }

  /// Whether an action is just `$labels.name` or `.Labels.name`.
  private static func isLabelAccess(_ action: ArraySlice<UInt8>) -> Bool {
    func isTrim(_ b: UInt8) -> Bool { b == 0x20 || b == 0x09 || b == 0x0a || b == 0x2d }
    var action = action
    while let first = action.first, isTrim(first) { action.removeFirst() }
    while let last = action.last, isTrim(last) { action.removeLast() }
    for prefix in ["$labels.", ".Labels."] where action.starts(with: prefix.utf8) {
      let name = action.dropFirst(prefix.utf8.count)
      return !name.isEmpty && name.allSatisfy(isWord)
    }
    return false
  }

  private static func isWord(_ b: UInt8) -> Bool {
    (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39 || b == 0x5f
  }

  private static func contains(_ bytes: [UInt8], _ text: String) -> Bool {
    find(bytes, text, from: 0) != nil
  }

  private static func find(_ bytes: [UInt8], _ text: String, from start: Int) -> Int? {
    let wanted = Array(text.utf8)
    var i = start
    while i + wanted.count <= bytes.count {
      if bytes[i..<(i + wanted.count)].elementsEqual(wanted) { return i }
      i += 1
    }
    return nil
  }
}
