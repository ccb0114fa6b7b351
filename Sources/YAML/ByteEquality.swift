extension String {
  /// Whether two texts are the same bytes; Swift's `==` asks for canonical equivalence.
  func hasBytes(of other: String) -> Bool {
    guard utf8.count == other.utf8.count else { return false }
    let answer = utf8.withContiguousStorageIfAvailable { a in
      other.utf8.withContiguousStorageIfAvailable { b in
        for i in a.indices where a[i] != b[i] { return false }
        return true
      }
    }
    return (answer ?? nil) ?? utf8.elementsEqual(other.utf8)
  }
}
