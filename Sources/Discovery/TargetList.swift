import JSON
import Kernel
import Model

/// Why a list of targets cannot be used.
package struct TargetListProblem: Error, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// The JSON list of target groups that `http_sd_configs` fetch.
package enum TargetList {
  /// Addresses of one list; more would be a mistake, or malice.
  static let mostTargets = 1_000_000

  /// The groups of a list; each is named `url:index` and carries `__meta_url`.
  package static func parse(
    _ body: [UInt8], url: String
  ) throws(TargetListProblem) -> [TargetGroup] {
    let json: JSONValue
    do throws(JSONProblem) {
      json = try JSONValue(parsing: body)
    } catch {
      throw TargetListProblem("error parsing the list: \(error)")
    }
    if json.isNull { return [] }
    guard let items = json.array else { throw TargetListProblem("the list is not an array") }
    var groups: [TargetGroup] = []
    var count = 0
    for (index, item) in items.enumerated() {
      let group = try group(item, index, url)
      count += group.targets.count
      if count > mostTargets {
        throw TargetListProblem("the list holds more than \(mostTargets) targets")
      }
      groups.append(group)
    }
    return groups
  }

  private static func group(
    _ item: JSONValue, _ index: Int, _ url: String
  ) throws(TargetListProblem) -> TargetGroup {
    guard let fields = item.object else {
      throw TargetListProblem("nil target group item found (index \(index))")
    }
    var targets: [String] = []
    var labels: [Label] = []
    for (key, value) in fields {
      switch key {
      case "targets": targets = try texts(value, index)
      case "labels": labels = try pairs(value, index)
      default: throw TargetListProblem("group \(index): unknown field \(GoText.quote(key))")
      }
    }
    labels.append(Label(name: "__meta_url", value: url))
    return TargetGroup(
      source: "\(url):\(index)", targets: targets, labels: LabelSet(labels: labels))
  }

  private static func texts(_ value: JSONValue, _ index: Int) throws(TargetListProblem) -> [String]
  {
    if value.isNull { return [] }
    let texts = value.array?.map(\.string) ?? [nil]
    let found = texts.compactMap { $0 }
    if found.count != texts.count {
      throw TargetListProblem("group \(index): `targets` is not a list of texts")
    }
    return found
  }

  private static func pairs(_ value: JSONValue, _ index: Int) throws(TargetListProblem) -> [Label] {
    if value.isNull { return [] }
    guard let object = value.object else {
      throw TargetListProblem("group \(index): `labels` is not an object of texts")
    }
    var labels: [Label] = []
    for (name, value) in object {
      guard let text = value.string else {
        throw TargetListProblem("group \(index): the label \(GoText.quote(name)) is not a text")
      }
      if name.isEmpty {
        throw TargetListProblem("group \(index): \"\" is not a valid label name")
      }
      labels.append(Label(name: name, value: text))
    }
    return labels
  }
}
