/// Finds what someone probably meant.
package enum NearestName {
  /// The known name closest to `name`, if it is close enough to be a slip.
  package static func find(_ name: String, among known: [String]) -> String? {
    let wanted = Array(name.utf8.map(lower))
    var best: (name: String, distance: Int)?
    for candidate in known {
      let distance = distance(wanted, Array(candidate.utf8.map(lower)))
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, min(3, wanted.count / 3)) else { return nil }
    return best.name
  }

  private static func lower(_ b: UInt8) -> UInt8 {
    b == 0x2d ? 0x5f : b >= 0x41 && b <= 0x5a ? b | 0x20 : b
  }

  /// Insertions, deletions, replacements and swaps of neighbours.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 1..<max(1, a.count + 1) {
      var row = [i]
      for j in 1..<max(1, b.count + 1) {
        var cost = min(
          rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          cost = min(cost, rows[i - 2][j - 2] + 1)
        }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
