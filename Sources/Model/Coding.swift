// How the values of this room are stored: a time and a duration as milliseconds, labels as pairs in
// their order. (A dictionary would merge names that Unicode holds for equal.)

extension Timestamp: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(milliseconds: try decoder.singleValueContainer().decode(Int64.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
}

extension PromDuration: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(milliseconds: try decoder.singleValueContainer().decode(Int64.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
}

extension Label: Codable {
  package init(from decoder: any Decoder) throws {
    var pair = try decoder.unkeyedContainer()
    self.init(name: try pair.decode(String.self), value: try pair.decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var pair = encoder.unkeyedContainer()
    try pair.encode(name)
    try pair.encode(value)
  }
}

extension LabelSet: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(labels: try decoder.singleValueContainer().decode([Label].self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(labels)
  }
}
