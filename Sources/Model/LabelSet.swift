/// An immutable set of labels: sorted by name (bytes), unique names, no empty values.
///
/// All labels stand in one byte block (`length name length value …`), so a set costs one
/// allocation, equality is one memory comparison, and a copy is a retain. An absent label and an
/// empty value are the same thing, as in Prometheus.
package struct LabelSet: Sendable {
  /// `varint(name length) name varint(value length) value`, by ascending name.
  package let bytes: [UInt8]

  /// The empty set.
  package static let empty = LabelSet(bytes: [])

  /// Wraps bytes that are already encoded, sorted and free of duplicates and empty values.
  package init(bytes: [UInt8]) { self.bytes = bytes }

  /// Builds a set from pairs in any order; the last of equal names wins, empty values vanish.
  package init(_ pairs: some Sequence<(String, String)>) {
    self.init(labels: pairs.map { Label(name: $0.0, value: $0.1) })
  }

  /// Builds a set from a dictionary.
  package init(_ pairs: [String: String]) {
    self.init(labels: pairs.map { Label(name: $0.key, value: $0.value) })
  }

  /// Builds a set from labels in any order; the last of equal names wins, empty values vanish.
  package init(labels: [Label]) {
    var sorted = true
    for i in labels.indices.dropFirst() where !ByteOrder.less(labels[i - 1].name, labels[i].name) {
      sorted = false
      break
    }
    var unique = labels
    if !sorted {
      // A stable order by name keeps "the last wins" true.
      let order = labels.indices.sorted {
        ByteOrder.less(labels[$0].name, labels[$1].name)
          || (ByteOrder.equal(labels[$0].name, labels[$1].name) && $0 < $1)
      }
      unique = []
      for i in order {
        if let last = unique.last, ByteOrder.equal(last.name, labels[i].name) {
          unique.removeLast()
        }
        unique.append(labels[i])
      }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(unique.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
    for label in unique where !label.value.isEmpty {
      Self.encode(label.name.utf8, into: &bytes)
      Self.encode(label.value.utf8, into: &bytes)
    }
    self.init(bytes: bytes)
  }

  /// Appends one length-prefixed text.
  package static func encode(_ text: some Collection<UInt8>, into bytes: inout [UInt8]) {
    var n = text.count
    while n >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: n) | 0x80)
      n >>= 7
    }
    bytes.append(UInt8(n))
    bytes.append(contentsOf: text)
  }

  package var isEmpty: Bool { bytes.isEmpty }

  /// The number of labels.
  package var count: Int {
    var n = 0
    forEachRaw { _, _ in n += 1 }
    return n
  }

  /// Calls `body` with each name and value as bytes, in order; the pointers are valid during the
  /// call only.
  @inlinable
  package func forEachRaw(
    _ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Void
  ) {
    bytes.withUnsafeBufferPointer { all in
      var i = 0
      while i < all.count {
        let name = LabelSet.next(all, &i)
        let value = LabelSet.next(all, &i)
        body(name, value)
      }
    }
  }

  /// Reads the length-prefixed text at `i` and moves behind it.
  @inlinable
  package static func next(
    _ all: UnsafeBufferPointer<UInt8>, _ i: inout Int
  ) -> UnsafeBufferPointer<UInt8> {
    var n = 0
    var shift = 0
    while true {
      let b = all[i]
      i += 1
      n |= Int(b & 0x7f) << shift
      if b < 0x80 { break }
      shift += 7
    }
    let text = UnsafeBufferPointer(rebasing: all[i..<(i + n)])
    i += n
    return text
  }

  /// The value of a label, or nil.
  package subscript(name: String) -> String? {
    var name = name
    return name.withUTF8 { wanted in
      var found: String?
      forEachRaw { n, v in
        if found == nil, ByteOrder.compare(n, wanted) == 0 {
          found = String(decoding: v, as: UTF8.self)
        }
      }
      return found
    }
  }

  /// The value of a label, or the empty string.
  package func value(of name: String) -> String { self[name] ?? "" }

  /// The metric name, or nil.
  package var metricName: String? { self[LabelName.metricName] }

  /// The labels as an array, sorted by name.
  package var labels: [Label] {
    var out: [Label] = []
    forEachRaw {
      out.append(
        Label(name: String(decoding: $0, as: UTF8.self), value: String(decoding: $1, as: UTF8.self))
      )
    }
    return out
  }

  /// The set restricted to labels for which `keep` holds.
  package func filter(_ keep: (UnsafeBufferPointer<UInt8>) -> Bool) -> LabelSet {
    bytes.withUnsafeBufferPointer { all in
      guard let from = all.baseAddress else { return self }
      // Put together aside: sets are kept by the thousand, and none shall hold room to spare.
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: all.count) { room in
        var count = 0
        var i = 0
        while i < all.count {
          let start = i
          let name = LabelSet.next(all, &i)
          _ = LabelSet.next(all, &i)
          if !keep(name) { continue }
          for at in start..<i { room.initializeElement(at: count + at - start, to: from[at]) }
          count += i - start
        }
        if count == all.count { return self }
        return LabelSet(bytes: Array(UnsafeBufferPointer(rebasing: room[..<count])))
      }
    }
  }

  /// The set without the metric name.
  package var withoutMetricName: LabelSet { dropping([LabelName.metricName]) }

  /// The set without the given names.
  package func dropping(_ names: [String]) -> LabelSet {
    let wanted = names.map { Array($0.utf8) }
    return filter { name in !wanted.contains { $0.elementsEqual(name) } }
  }

  /// The set with only the given names.
  package func keeping(_ names: [String]) -> LabelSet {
    let wanted = names.map { Array($0.utf8) }
    return filter { name in wanted.contains { $0.elementsEqual(name) } }
  }

  /// The set with one label set (an empty value removes it).
  package func setting(_ name: String, to value: String) -> LabelSet {
    LabelSet(labels: labels + [Label(name: name, value: value)])
  }

  /// The set with all of `other`'s labels laid over it.
  package func merging(_ other: LabelSet) -> LabelSet {
    LabelSet(labels: labels + other.labels)
  }

  /// 64-bit FNV-1a over `name 0xFF value 0xFF …`: Alertmanager's fingerprint, the same in every
  /// process.
  package var fingerprint: UInt64 {
    var h: UInt64 = 0xcbf2_9ce4_8422_2325
    forEachRaw { name, value in
      for b in name { h = (h ^ UInt64(b)) &* 0x100_0000_01b3 }
      h = (h ^ 0xff) &* 0x100_0000_01b3
      for b in value { h = (h ^ UInt64(b)) &* 0x100_0000_01b3 }
      h = (h ^ 0xff) &* 0x100_0000_01b3
    }
    return h
  }
}

extension LabelSet: Hashable {
  package static func == (a: LabelSet, b: LabelSet) -> Bool { a.bytes == b.bytes }

  package func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

extension LabelSet: Comparable {
  /// Label order as in Prometheus: pairwise by name, then value; a prefix comes first.
  package static func < (a: LabelSet, b: LabelSet) -> Bool {
    a.bytes.withUnsafeBufferPointer { x in
      b.bytes.withUnsafeBufferPointer { y in
        var i = 0
        var j = 0
        while i < x.count && j < y.count {
          let byName = ByteOrder.compare(next(x, &i), next(y, &j))
          if byName != 0 { return byName < 0 }
          let byValue = ByteOrder.compare(next(x, &i), next(y, &j))
          if byValue != 0 { return byValue < 0 }
        }
        return i >= x.count && j < y.count
      }
    }
  }
}

extension LabelSet: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }
}

extension LabelSet: CustomStringConvertible {
  /// `{__name__="x", a="b"}` with Go quoting, the form of Prometheus' error texts.
  package var description: String { text(of: labels) }

  /// `x{a="b"}`: the metric notation of PromQL; a name that needs quotes goes inside the braces.
  package var metricText: String {
    guard let name = metricName else { return text(of: labels) }
    let rest = labels.filter { $0.name != LabelName.metricName }
    if LabelName.isLegacyValidMetric(name) { return rest.isEmpty ? name : name + text(of: rest) }
    return "{" + ([GoText.quote(name)] + rest.map(pairText)).joined(separator: ", ") + "}"
  }

  private func text(of labels: [Label]) -> String {
    "{" + labels.map(pairText).joined(separator: ", ") + "}"
  }

  private func pairText(_ label: Label) -> String {
    let name = LabelName.isLegacyValid(label.name) ? label.name : GoText.quote(label.name)
    return "\(name)=\(GoText.quote(label.value))"
  }
}
