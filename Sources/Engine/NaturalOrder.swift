/// The order people expect of texts with numbers in them: "a2" before "a10".
enum NaturalOrder {
  /// Whether `a` comes before `b`: runs of digits compare as numbers, the rest by bytes.
  static func precedes(_ a: String, _ b: String) -> Bool {
    let left = chunks(Array(a.utf8))
    let right = chunks(Array(b.utf8))
    for (x, y) in zip(left, right) {
      if x == y { continue }
      let bothNumbers = isDigit(x[x.startIndex]) && isDigit(y[y.startIndex])
      if !bothNumbers { return x.lexicographicallyPrecedes(y) }
      let p = x.drop { $0 == 0x30 }
      let q = y.drop { $0 == 0x30 }
      if p.count != q.count { return p.count < q.count }
      if !p.elementsEqual(q) { return p.lexicographicallyPrecedes(q) }
      // Equal numbers with leading zeros: the longer text is the smaller.
      if x.count != y.count { return x.count > y.count }
    }
    return left.count < right.count
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// Splits into runs of digits and runs of anything else.
  private static func chunks(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var out: [ArraySlice<UInt8>] = []
    var start = 0
    for i in bytes.indices where i > start && isDigit(bytes[i]) != isDigit(bytes[i - 1]) {
      out.append(bytes[start..<i])
      start = i
    }
    if start < bytes.count { out.append(bytes[start...]) }
    return out
  }
}
