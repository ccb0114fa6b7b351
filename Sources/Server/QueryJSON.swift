import Engine
import JSON
import Model

/// Query results in Prometheus' JSON.
enum QueryJSON {
  /// `"resultType":…,"result":…` of a scalar or a string; those of vectors are written one by one.
  static func write(_ value: QueryValue, to json: inout JSONWriter) {
    switch value {
    case .scalar(let t, let v):
      json.field("resultType", "scalar")
      json.key("result")
      point(t, v, to: &json)
    case .string(let t, let s):
      json.field("resultType", "string")
      json.key("result")
      json.array { json in
        time(t, to: &json)
        json.string(s)
      }
    case .vector, .matrix:
      preconditionFailure("the elements of a vector or matrix are written one by one")
    }
  }

  /// A label set as an object, in name order.
  static func labels(_ labels: LabelSet, to json: inout JSONWriter) {
    json.object { json in
      for label in labels.labels { json.field(label.name, label.value) }
    }
  }

  /// One sample of a vector.
  static func write(_ sample: VectorSample, to json: inout JSONWriter) {
    json.object { json in
      json.key("metric")
      labels(sample.labels, to: &json)
      switch sample.value {
      case .float(let v):
        json.key("value")
        point(sample.timestamp, v, to: &json)
      case .histogram(let h):
        json.key("histogram")
        point(sample.timestamp, h, to: &json)
      }
    }
  }

  /// One series of a matrix.
  static func write(_ series: MatrixSeries, to json: inout JSONWriter) {
    json.object { json in
      json.key("metric")
      labels(series.labels, to: &json)
      let hasFloats = series.samples.contains { if case .float = $0.value { true } else { false } }
      if hasFloats {
        json.key("values")
        json.array { json in
          for sample in series.samples {
            if case .float(let v) = sample.value { point(sample.timestamp, v, to: &json) }
          }
        }
      }
      if series.samples.contains(where: { if case .histogram = $0.value { true } else { false } }) {
        json.key("histograms")
        json.array { json in
          for sample in series.samples {
            if case .histogram(let h) = sample.value { point(sample.timestamp, h, to: &json) }
          }
        }
      }
    }
  }

  private static func point(_ t: Timestamp, _ v: Double, to json: inout JSONWriter) {
    json.array { json in
      time(t, to: &json)
      json.string(number(v))
    }
  }

  private static func point(_ t: Timestamp, _ h: FloatHistogram, to json: inout JSONWriter) {
    json.array { json in
      time(t, to: &json)
      histogram(h, to: &json)
    }
  }

  /// Buckets as `[boundary rule, lower, upper, count]`; rule 0 open left, 1 open right, 2 both
  /// open, 3 closed.
  private static func histogram(_ h: FloatHistogram, to json: inout JSONWriter) {
    json.object { json in
      json.field("count", number(h.count))
      json.field("sum", number(h.sum))
      let buckets = h.allBuckets.filter { $0.count != 0 }
      if buckets.isEmpty { return }
      json.key("buckets")
      json.array { json in
        for bucket in buckets {
          json.array { json in
            let rule =
              switch (bucket.lowerInclusive, bucket.upperInclusive) {
              case (false, true): 0
              case (true, false): 1
              case (false, false): 2
              case (true, true): 3
              }
            json.int(rule)
            json.string(number(bucket.lower))
            json.string(number(bucket.upper))
            json.string(number(bucket.count))
          }
        }
      }
    }
  }

  /// Seconds as a JSON number; a fraction always has three digits.
  static func time(_ t: Timestamp, to json: inout JSONWriter) {
    let (seconds, fraction) = t.milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
    if fraction == 0 && t.milliseconds >= 0 { return json.int(seconds) }
    let sign = t.milliseconds < 0 ? "-" : ""
    if fraction == 0 { return json.raw("\(sign)\(seconds)") }
    let digits = String(fraction)
    let zeros = String(repeating: "0", count: 3 - digits.count)
    json.raw("\(sign)\(seconds).\(zeros)\(digits)")
  }

  /// A sample value: an exponent only below 1e-6 and from 1e21 on (`jsonutil.MarshalFloat`).
  static func number(_ v: Double) -> String {
    let size = v.magnitude
    // Most numbers: here Swift's own text has no exponent, either, but a fraction always.
    if size >= 1e-3 && size < 1e15 {
      let text = v.description
      let digits = text.utf8
      return digits.dropLast().last == UInt8(ascii: ".") && digits.last == UInt8(ascii: "0")
        ? String(text.dropLast(2)) : text
    }
    if size != 0, size < 1e-6 || size >= 1e21 { return NumberText.scientific(v) }
    return NumberText.plain(v)
  }
}
