import Model

/// The limits a scrape configuration puts on the labels of one sample; 0 = none.
package struct LabelLimits: Sendable, Hashable {
  package var count: Int
  package var nameLength: Int
  package var valueLength: Int

  package init(count: Int = 0, nameLength: Int = 0, valueLength: Int = 0) {
    self.count = count
    self.nameLength = nameLength
    self.valueLength = valueLength
  }

  /// Why labels (after relabelling) break a limit, in Prometheus' words, or nil.
  package func check(_ labels: LabelSet) -> String? {
    if count == 0 && nameLength == 0 && valueLength == 0 { return nil }
    let all = labels.labels
    let metric = cut(labels.value(of: LabelName.metricName))
    if count > 0, all.count > count {
      return
        "label_limit exceeded (metric: \(metric), number of labels: \(all.count), limit: \(count))"
    }
    for label in all {
      let name = cut(label.name)
      let (nameBytes, valueBytes) = (label.name.utf8.count, label.value.utf8.count)
      if nameLength > 0, nameBytes > nameLength {
        return "label_name_length_limit exceeded (metric: \(metric), label name: \(name), "
          + "length: \(nameBytes), limit: \(nameLength))"
      }
      if valueLength > 0, valueBytes > valueLength {
        let value = GoText.quote(cut(label.value))
        return "label_value_length_limit exceeded (metric: \(metric), label name: \(name), "
          + "value: \(value), length: \(valueBytes), limit: \(valueLength))"
      }
    }
    return nil
  }

  /// Go's `%.50s`: at most fifty characters.
  private func cut(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(50)))
  }
}
