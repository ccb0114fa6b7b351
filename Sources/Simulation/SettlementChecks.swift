import Kernel
import Model
import Rules

/// What must be true all the time, and what must be true in the end.
extension Checks {
  /// The most series a world can need: live ones, those within reach of a window, rule results.
  private static let seriesLimit = 5_000

  /// Looks at the kernel between two events.
  func look(_ world: World) {
    guard let kernel = world.kernel, problems.isEmpty else { return }
    now = world.clock.now
    looks += 1
    if looks % 18 == 0 {
      checkIterations(kernel)
      checkJournal(kernel)
    }
    checkGrowth(kernel, world)
    if let since = world.peaceSince, now - since > .minutes(5) { checkBeliefs(world, kernel) }
  }

  private func checkGrowth(_ kernel: Kernel, _ world: World) {
    let statistics = kernel.store.statistics
    if statistics.series > Self.seriesLimit || statistics.columns > Self.seriesLimit {
      report("growth/store", "\(statistics.series) series, \(statistics.columns) columns")
    }
    let alerts = model.rules.reduce(0) { $0 + $1.rule.alerts.count }
    for webhook in kernel.webhooksReport where webhook.alerts > alerts * 4 + 100 {
      report("growth/outbox", "\(webhook.name) holds \(webhook.alerts) alerts, \(alerts) exist")
    }
    if world.queue.count > 10_000 { report("growth/world", "too many requests on their way") }
  }

  private func checkJournal(_ kernel: Kernel) {
    let entries = kernel.journal.entries
    let mentions = entries.reduce(0) { sum, entry in
      if case .delivery(let record) = entry.event { sum + record.alerts.count } else { sum }
    }
    let bounds = World.journalBounds
    if entries.count > bounds.entries || mentions > bounds.mentions && entries.count > 1 {
      report("growth/journal", "\(entries.count) entries that mention \(mentions) alerts")
    }
    if zip(entries, entries.dropFirst()).contains(where: { $1.sequence != $0.sequence + 1 }) {
      report("journal/order", "the entries in memory do not follow each other")
    }
  }

  /// The end of a world.
  func settle(_ world: World) {
    guard problems.isEmpty else { return }
    now = world.clock.now
    guard let kernel = world.kernel else {
      return report("end/alive", "the process did not come back")
    }
    checkJournal(kernel)
    checkBeliefs(world, kernel)
    checkEpisodes(world)
    for webhook in kernel.webhooksReport {
      let leaving = requests.values.count { $0.lane.hasPrefix(webhook.name + " ") }
      if webhook.outstanding <= leaving { continue }
      report("end/outbox", "\(webhook.name) still has \(webhook.outstanding) notifications")
    }
  }

  // MARK: beliefs

  /// Whether every receiver believes what is true, give or take what is on its way.
  private func checkBeliefs(_ world: World, _ kernel: Kernel) {
    let firing = model.firingAlerts
    let all = Set(firing.map(\.told))
    for name in model.receiverNames {
      let hook = model.settings.webhooks.first { ByteOrder.equal($0.name, name) }
      if let hook, hook.maxAlerts > 0 { continue }
      let memory = world.receivers[name, default: ReceiverMemory()]
      let believed = memory.firing(at: now)
      let delay = delay(of: hook)
      let wanted = firing.filter {
        model.wants(name, $0.told) && !isWaived(name, $0.told) && !isShared($0.told)
      }
      for (told, alert, rule) in wanted {
        // Without re-sending, the word of a rule that fails expires.
        let failedAt = rule.failedAt ?? .distantPast
        if !model.settings.global.resendsOnFailure && now - failedAt < delay { continue }
        // That it was told as resolved while nothing could be saved is unknown to the next process.
        if hook != nil && alert.firedAt ?? .distantPast <= amnesiaAt { continue }
        if let firedAt = alert.firedAt, now - max(firedAt, startedAt) > delay,
          !believed.contains(told)
        {
          report(
            "belief/firing",
            "\(name) at \(now) does not know that \(told) fires since \(firedAt)")
        }
      }
      if hook?.sendResolved == false { continue }
      let stale = believed.subtracting(all).sorted().filter {
        !isWaived(name, $0) && !isShared($0)
      }
      for told in stale where isOverdue(told, memory, at: name, delay: delay) {
        report(
          "belief/resolved", "\(name) at \(now) still believes that \(told) fires")
      }
    }
  }

  /// Whether a receiver should have heard by now that an alert is over that it believes to fire.
  private func isOverdue(
    _ told: LabelSet, _ memory: ReceiverMemory, at name: String, delay: PromDuration
  ) -> Bool {
    let since = memory.began[told]
    // A receiver that comes back knows what nobody remembers to have told.
    if memory.heard[told] ?? .distantPast < addedAt[name, default: .distantPast] { return false }
    let episodes = model.episodes.filter { $0.labels == told }
    let ended = episodes.last?.endedAt ?? .distantPast
    // What ended under other settings may have ended in silence.
    let believed = episodes.last { $0.startsAt == since }?.endedAt ?? ended
    if believed < changedAt[name, default: .distantPast] { return false }
    // What was told while nothing could be saved is unknown to the next process.
    if since ?? .distantPast <= amnesiaAt { return false }
    // A new process believes what it finds until its rules have had time to speak.
    let found = leastPatience + (leastPatience - startedAt) + model.settings.global.resendDelay
    return now > max(ended + validity, found) + delay
  }

  /// How long news may take to a receiver when everything works.
  private func delay(of hook: WebhookSettings?) -> PromDuration {
    let resend = model.settings.global.resendDelay + longestInterval + .seconds(10)
    guard let hook else { return resend }
    return resend + hook.groupWait + hook.groupInterval + .seconds(60)
  }

  var longestInterval: PromDuration {
    model.groups.values.map(\.definition.interval).max() ?? .zero
  }

  /// How long receivers may believe a word that nobody repeats.
  private var validity: PromDuration {
    max(longestInterval, model.settings.global.resendDelay) * 4 + .seconds(5)
  }

  /// Whether rules of one name are or were responsible for an alert.
  func isShared(_ labels: LabelSet) -> Bool {
    sharedNames.contains(labels.value(of: LabelName.alertName))
  }

  private func isWaived(_ receiver: String, _ labels: LabelSet) -> Bool {
    waived.contains(Waiver(receiver: receiver, labels: labels))
  }

  // MARK: episodes

  /// Every firing that lasted is known to every receiver that wanted it.
  private func checkEpisodes(_ world: World) {
    for (place, episode) in model.episodes.enumerated()
    where !episode.isForgotten && !isShared(episode.labels) {
      let next = model.episodes[(place + 1)...].first { $0.labels == episode.labels }
      let last = model.episodes[..<place].last { $0.labels == episode.labels }
      for name in episode.receivers where !isWaived(name, episode.labels) {
        let told = world.receivers[name, default: ReceiverMemory()].told
        let alert = EpisodeName(labels: episode.labels, startsAt: episode.startsAt)
        if told.contains(alert) || isOnItsWay(alert, to: name) { continue }
        if isExcused(episode, after: last, next: next, receiver: name) { continue }
        report(
          "delivery/lost",
          "\(name) never heard of \(episode.labels), which fired from \(episode.startsAt) to "
            + Self.text(episode.endedAt))
      }
    }
  }

  /// Whether a request is under way that tells a receiver of an alert.
  private func isOnItsWay(_ alert: EpisodeName, to receiver: String) -> Bool {
    // In any order: one is enough.
    requests.values.contains { _, message in
      ByteOrder.equal(message.receiver, receiver)
        && message.tellings.contains {
          $0.labels == alert.labels && $0.startsAt == alert.startsAt
        }
    }
  }

  /// Whether a receiver may not know of an episode.
  private func isExcused(
    _ episode: Episode, after last: Episode?, next: Episode?, receiver: String
  ) -> Bool {
    let hook = model.settings.webhooks.first { ByteOrder.equal($0.name, receiver) }
    if let hook, hook.maxAlerts > 0 { return true }
    let end = episode.endedAt ?? now
    // News that come and go between two notifications of a group are not told, as with
    // Alertmanager.
    // An Alertmanager gets one batch after another.
    let queued = episode.endedAt == nil ? PromDuration.seconds(5) : .milliseconds(1)
    let least = hook.map { $0.groupWait + $0.groupInterval + .seconds(5) } ?? queued
    if attention(from: episode.startsAt, until: end) <= least { return true }
    if let hook, let last, let lastEnd = last.endedAt {
      // Gone and back before the receiver could be told: for it the alert fires all the time. The
      // end of what was forgotten is told when the receiver's word has expired.
      let gap = episode.startsAt - lastEnd - (last.isForgotten ? validity : .zero)
      if gap <= hook.groupInterval + .seconds(10) { return true }
      if wasDisturbed(receiver, from: lastEnd, until: episode.startsAt + .seconds(30)) {
        return true
      }
    }
    let isOver = episode.endedAt != nil
    if isOver && hook?.sendResolved == false || next != nil || episode.isBeyondTelling {
      // Nothing of it can be told any more once it is over: it is owed only if the way was free.
      return wasDisturbed(
        receiver, from: episode.startsAt - .minutes(2),
        until: min(next?.startsAt ?? end, end + .seconds(60)))
    }
    return false
  }

  /// How much of a stretch of time the process lived through.
  private func attention(from: Timestamp, until: Timestamp) -> PromDuration {
    disturbances.reduce(until - from) { rest, gap in
      rest - max(.zero, min(gap.until, until) - max(gap.from, from))
    }
  }

  private func wasDisturbed(_ receiver: String, from: Timestamp, until: Timestamp) -> Bool {
    let troubles = disturbances + (receiverTroubles[World.receiverIndex(receiver)] ?? [])
    // A receiver is asked again only some time after its trouble is over.
    return troubles.contains { $0.from <= until && $0.until + .minutes(3) >= from }
  }
}
