import Model

/// A label set under construction: what relabelling works on.
///
/// An absent label and an empty value are the same. The order of `all` matters to `labelmap` when
/// several names map to one: labels of the start by name, then the changed ones in the order in
/// which they came.
package struct LabelBuilder: Sendable {
  private var base: [Label]
  private var changed: [Label] = []

  /// Starts from a set.
  package init(_ labels: LabelSet) { base = labels.labels }

  /// The value of a label, "" if it is absent; setting "" removes it.
  package subscript(name: String) -> String {
    get {
      if let i = index(of: name, in: changed) { return changed[i].value }
      return index(of: name, in: base).map { base[$0].value } ?? ""
    }
    set {
      if let i = index(of: name, in: base) { base.remove(at: i) }
      if newValue.isEmpty {
        if let i = index(of: name, in: changed) { changed.remove(at: i) }
      } else if let i = index(of: name, in: changed) {
        changed[i].value = newValue
      } else {
        changed.append(Label(name: name, value: newValue))
      }
    }
  }

  /// Every label, those of the start first.
  package var all: [Label] { base + changed }

  /// The finished set.
  package var labels: LabelSet { LabelSet(labels: all) }

  private func index(of name: String, in labels: [Label]) -> Int? {
    labels.firstIndex { ByteOrder.equal($0.name, name) }
  }
}
