import Model

/// A value inside a template, with the Go type that printing, comparing and error messages go by.
///
/// Texts are bytes: slicing and escapes may cut characters in two, as in Go.
package enum TemplateValue: Sendable {
  /// No value at all (Go's invalid `reflect.Value`, an untyped nil).
  case none
  case bool(Bool)
  case int(Int64, TemplateInt = .int)
  case uint(UInt64, TemplateUInt = .uint)
  case float(Double)
  case complex(Double, Double)
  case string([UInt8])
  /// Text that HTML mode does not escape.
  case html([UInt8])
  /// `map[string]string`.
  case labels(LabelSet)
  /// `map[string]interface {}` with sorted keys.
  case map([TemplateEntry])
  /// A slice of basic values; the name is that of its type.
  case list([TemplateValue], type: String)
  /// A query's result.
  case samples([TemplateSample])
  /// A pointer to one element of it, nil for Go's nil pointer; or what it points at, for printing.
  case sample(TemplateSample?, isPointer: Bool = true)
  /// What an alert's templates start from.
  case alert(TemplateInput)
  /// A moment; `isPointer` tells `*time.Time` from `time.Time`.
  case time(GoTime, isPointer: Bool = false)
  /// Nanoseconds.
  case duration(Int64, isPointer: Bool = false)
  case month(Int)
  case weekday(Int)
  case location
  case histogram(FloatHistogram)

  /// Text as a template value.
  package static func text(_ text: String) -> TemplateValue { .string(Array(text.utf8)) }

  /// A sample's or alert's value.
  static func sampleValue(_ value: SampleValue) -> TemplateValue {
    switch value {
    case .float(let v): .float(v)
    case .histogram(let h): .histogram(h)
    }
  }
}

/// One key of a template's map.
package struct TemplateEntry: Sendable {
  package var key: [UInt8]
  package var value: TemplateValue

  package init(key: [UInt8], value: TemplateValue) {
    self.key = key
    self.value = value
  }
}

/// Go's signed integer types, as far as templates meet them.
package enum TemplateInt: String, Sendable { case int, int32, int64 }

/// Go's unsigned integer types, as far as templates meet them.
package enum TemplateUInt: String, Sendable { case uint, uint8, uint64 }

extension TemplateValue {
  var isNone: Bool {
    if case .none = self { true } else { false }
  }

  /// The name of the Go type.
  var typeName: String {
    switch self {
    case .none: "<nil>"
    case .bool: "bool"
    case .int(_, let type): type.rawValue
    case .uint(_, let type): type.rawValue
    case .float: "float64"
    case .complex: "complex128"
    case .string: "string"
    case .html: "template.HTML"
    case .labels: "map[string]string"
    case .map: "map[string]interface {}"
    case .list(_, let type): type
    case .samples: "template.queryResult"
    case .sample(_, let isPointer): isPointer ? "*template.sample" : "template.sample"
    case .alert:
      "struct { Labels map[string]string; ExternalLabels map[string]string; "
        + "ExternalURL string; Value interface {} }"
    case .time(_, let isPointer): isPointer ? "*time.Time" : "time.Time"
    case .duration(_, let isPointer): isPointer ? "*time.Duration" : "time.Duration"
    case .month: "time.Month"
    case .weekday: "time.Weekday"
    case .location: "*time.Location"
    case .histogram: "*histogram.FloatHistogram"
    }
  }

  /// Go's idea of truth: not the zero of the type.
  var isTrue: Bool {
    switch self {
    case .none: false
    case .bool(let value): value
    case .int(let value, _): value != 0
    case .uint(let value, _): value != 0
    case .float(let value): value != 0
    case .complex(let real, let imaginary): real != 0 || imaginary != 0
    case .string(let text), .html(let text): !text.isEmpty
    case .labels(let labels): !labels.isEmpty
    case .map(let entries): !entries.isEmpty
    case .list(let values, _): !values.isEmpty
    case .samples(let samples): !samples.isEmpty
    case .sample(let sample, _): sample != nil
    case .duration(let nanoseconds, let isPointer): isPointer || nanoseconds != 0
    case .month(let n), .weekday(let n): n != 0
    case .alert, .time, .location, .histogram: true
    }
  }

  /// How many elements it has, if it has any.
  var length: Int? {
    switch self {
    case .string(let text), .html(let text): text.count
    case .labels(let labels): labels.count
    case .map(let entries): entries.count
    case .list(let values, _): values.count
    case .samples(let samples): samples.count
    default: nil
    }
  }

  /// The bytes it holds on to as text, for limits.
  var textSize: Int {
    switch self {
    case .string(let text), .html(let text): text.count
    default: 0
    }
  }

  /// What an action prints: pointers are followed.
  var printable: TemplateValue {
    switch self {
    case .none: .text("<no value>")
    case .sample(let sample?, _): .sample(sample, isPointer: false)
    default: self
    }
  }

  /// The value under a key of a map, `none` where the type of elements has no better zero.
  func value(forKey key: [UInt8]) -> TemplateValue? {
    switch self {
    case .labels(let labels): .string(Array(labels.value(of: key.text).utf8))
    case .map(let entries): entries.first { $0.key == key }?.value
    default: nil
    }
  }
}
