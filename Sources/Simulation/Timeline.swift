import Kernel
import Model

/// One line per event in fixed columns, for people; silent unless somebody reads along.
struct Timeline {
  let write: ((String) -> Void)?

  func note(_ what: String, _ detail: @autoclosure () -> String, at time: Int64) {
    guard let write else { return }
    write(Self.stamp(time) + "  " + Self.padded(what, 9) + " " + detail())
  }

  func note(_ effect: Effect, at time: Int64) {
    guard write != nil else { return }
    switch effect {
    case .scrape(let id, let request): note("scrape", "#\(id.raw) \(request.url)", at: time)
    case .deliver(let id, let request):
      let message = Message(request)
      let alerts = message.tellings.map {
        ($0.endsAt == nil ? "firing " : "until \($0.endsAt?.rfc3339 ?? "") ") + "\($0.labels)"
      }
      note(
        "deliver",
        "#\(id.raw) \(request.receiver) \(message.key) " + alerts.joined(separator: " "), at: time)
    case .persist: note("persist", "", at: time)
    case .log(let record):
      note(
        record.level.rawValue,
        record.message + record.fields.map { " \($0.name)=\($0.value)" }.joined(), at: time)
    default: note("effect", "\(effect)", at: time)
    }
  }

  private static func stamp(_ time: Int64) -> String {
    let (minutes, rest) = time.quotientAndRemainder(dividingBy: 60_000)
    let seconds = String(rest / 1_000)
    let fraction = String(rest % 1_000)
    return Self.left(String(minutes), 3) + ":" + zeros(seconds, 2) + "." + zeros(fraction, 3)
  }

  private static func zeros(_ text: String, _ width: Int) -> String {
    String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }

  private static func left(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }
}
