import Model
import Template

/// The alert that the tests' templates are expanded for.
enum Sample {
  static let input = TemplateInput(
    labels: ["instance": "db-1.example.com:5432", "job": "db", "n": "12.5"],
    externalLabels: ["cluster": "eu"], externalURL: "http://tocsin:9090/base",
    value: .float(1234.5))

  /// Seconds of the evaluation.
  static let time = Timestamp(milliseconds: 1_700_000_000_000)

  struct Refusal: Error, CustomStringConvertible {
    var description: String
  }

  static var context: TemplateContext {
    TemplateContext(time: time, externalURL: "http://tocsin:9090/base") { expr, _ in
      switch expr {
      case "up":
        ["b", "a"].enumerated().map { i, name in
          TemplateSample(labels: ["__name__": "up", "instance": name], value: Double(i))
        }
      case "none": []
      default: throw Refusal(description: "1:1: parse error: no idea")
      }
    }
  }

  /// Expands an annotation; an error comes back as its text.
  static func expand(_ text: String, limits: TemplateLimits = TemplateLimits()) -> String {
    do {
      return try Template.alertField(text, alertName: "A").expand(
        input, context: context, limits: limits)
    } catch {
      return error.description
    }
  }

  /// What follows the place in an error.
  static func message(_ text: String) -> String {
    let full = expand(text)
    let isParsing = full.hasPrefix("error parsing")
    let mark = isParsing ? ": template: __alert_A:" : ">: "
    guard let end = full.firstRange(of: mark)?.upperBound else { return full }
    // Behind the line number of a parsing error stands a colon.
    return String(full[end...].drop { isParsing && $0 != " " }.drop { $0 == " " })
  }
}
