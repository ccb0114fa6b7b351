import Config
import Diagnostics
import Exposition
import JSON
import Model
import Template

/// What the smaller parsers must never break on any bytes; nil is in order.
enum TextFuzz {
  static func template(_ text: String) -> String? {
    let input = TemplateInput(
      labels: LabelSet([("job", "x"), ("instance", "h:1")]), externalLabels: .empty,
      externalURL: "http://localhost", value: .float(1.5))
    let context = TemplateContext(time: Timestamp(seconds: 1000)) { _, _ in
      [TemplateSample(labels: LabelSet([("a", "b")]), value: 2)]
    }
    do throws(TemplateProblem) {
      let template = try Template.alertField(text, alertName: "A")
      _ = try template.expand(input, context: context)
      return nil
    } catch {
      return problem(error.description, error.offset..<error.offset, in: text.utf8.count)
    }
  }

  static func regexp(_ pattern: String) -> String? {
    do throws(RegexpProblem) {
      let regexp = try Regexp(anchored: pattern)
      _ = regexp.matches("")
      _ = regexp.matches("GET /api/v1/query?x=ab\n9é")
      for literal in regexp.literals ?? [] where !regexp.matches(literal) {
        return "does not match \(literal), one of its own literals"
      }
      _ = try Regexp(pattern)
      _ = try Regexp(wrapped: pattern)
      return nil
    } catch {
      return error.description.isEmpty ? "an empty message" : nil
    }
  }

  static func exposition(_ bytes: [UInt8], openMetrics: Bool) -> String? {
    var parser = ExpositionParser(bytes, format: openMetrics ? .openMetrics : .text)
    var entries = 0
    do throws(ExpositionProblem) {
      while let entry = try parser.next() {
        entries += 1
        if entries > bytes.count + 1 { return "more entries than bytes" }
        if case .series(let sample) = entry, sample.offset > bytes.count {
          return "a sample beyond the end"
        }
      }
      return nil
    } catch {
      return "\(error)".isEmpty ? "an empty message" : nil
    }
  }

  static func rules(_ bytes: [UInt8]) -> String? {
    let file = RuleFileLoader.load(SourceText(name: "r.yml", bytes: bytes))
    for diagnostic in file.diagnostics {
      let range = diagnostic.range.map { $0.start..<max($0.start, $0.end) } ?? 0..<0
      if let found = problem(diagnostic.message, range, in: bytes.count) { return found }
    }
    _ = HumanRenderer().render(file.diagnostics)
    return nil
  }

  static func json(_ bytes: [UInt8]) -> String? {
    do throws(JSONProblem) {
      _ = try JSONValue(parsing: bytes)
      return nil
    } catch {
      return problem(error.message, error.offset..<error.offset, in: bytes.count)
    }
  }

  private static func problem(_ message: String, _ range: Range<Int>, in size: Int) -> String? {
    if message.isEmpty { return "an empty message" }
    return range.lowerBound < 0 || range.upperBound > size
      ? "the range of \"\(message)\" lies outside of the text" : nil
  }
}
