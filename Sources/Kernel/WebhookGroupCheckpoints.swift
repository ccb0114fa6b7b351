import Model

extension WebhookGroupCheckpoint.Told {
  init(_ told: WebhookGroup.Told) {
    self.init(firing: told.firing.sorted(), resolved: told.resolved.sorted(), at: told.at)
  }
}

extension WebhookGroup.Told {
  init(_ saved: WebhookGroupCheckpoint.Told) {
    self.init(firing: Set(saved.firing), resolved: Set(saved.resolved), at: saved.at)
  }
}

extension WebhookGroupCheckpoint.Outstanding {
  init(_ outstanding: WebhookGroup.Outstanding) {
    self.init(
      body: String(decoding: outstanding.body, as: UTF8.self), key: outstanding.key,
      told: WebhookGroupCheckpoint.Told(outstanding.told), alerts: outstanding.alerts,
      created: outstanding.created, failures: outstanding.failures, nextTry: outstanding.nextTry)
  }
}

extension WebhookGroup.Outstanding {
  init(_ saved: WebhookGroupCheckpoint.Outstanding) {
    self.init(
      body: Array(saved.body.utf8), key: saved.key, told: WebhookGroup.Told(saved.told),
      alerts: saved.alerts, created: saved.created, isInherited: true, failures: saved.failures,
      // One that was on its way may or may not have arrived: it is sent again under its key.
      nextTry: saved.nextTry ?? .distantPast)
  }
}
