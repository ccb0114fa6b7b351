import Exposition
import Model
import Rules

/// Everything the kernel obeys, validated: built by `Config`, never aware of YAML.
package struct Settings: Sendable {
  package var global = GlobalSettings()
  package var groups: [RuleGroupDefinition] = []
  /// Rule files that do not tell all their groups; what ran of them runs on.
  package var heldFiles: [HeldFile] = []
  /// Of tocsin.yml: what alert rules do when data vanish, evaluations fail or targets are down.
  package var policies: [PolicySettings] = []
  /// Of tocsin.yml: what makes groups be evaluated.
  package var triggers: [TriggerSettings] = []
  package var scrapes: [ScrapeSettings] = []
  package var alertmanagers: [AlertmanagerSettings] = []
  package var alertRelabeling: [RelabelRule] = []
  package var webhooks: [WebhookSettings] = []
  package var storage = StorageSettings()
  /// The configuration as it may be shown: with its defaults, without its secrets.
  package var configText = ""

  package init() {}
}

/// A rule file that cannot be read, is not YAML, or has groups that cannot be told apart.
package struct HeldFile: Sendable, Hashable {
  package var file: String
  /// What is wrong with it, with its place.
  package var message: String

  package init(file: String, message: String) {
    self.file = file
    self.message = message
  }
}

/// The `global` block and the flags that belong to it.
package struct GlobalSettings: Sendable {
  package var scrapeInterval = PromDuration.minutes(1)
  package var scrapeTimeout = PromDuration.seconds(10)
  package var evaluationInterval = PromDuration.minutes(1)
  package var ruleQueryOffset = PromDuration.zero
  package var externalLabels = LabelSet.empty
  /// Prefix of generator links, without a trailing slash.
  package var externalURL = ""
  package var resendDelay = PromDuration.minutes(1)
  package var lookback = PromDuration.minutes(5)
  package var maxSamples = 50_000_000
  /// Experimental: rules keep metric names until the end of an evaluation.
  package var delayedNameRemoval = false
  /// Experimental: the rate family of rules takes start timestamps into account.
  package var startTimestamps = false
  package var notificationBatchSize = 256
  package var notificationQueueCapacity = 10_000
  /// Whether a failed evaluation re-sends its firing alerts, so that they do not expire at the
  /// receivers.
  package var resendsOnFailure = true
  /// Whether a breach of a group's `limit` leaves the alerts as they are; false: forgets them as
  /// Prometheus does.
  package var holdsStateOnLimit = true
  /// Alert state that was saved longer ago than this is not restored.
  package var outageTolerance = PromDuration.hours(1)
  /// The least time that a `for` this long or longer waits after an outage.
  package var gracePeriod = PromDuration.minutes(10)
  /// How long `stop` keeps trying to deliver what is queued.
  package var drainTimeout = PromDuration.seconds(10)
  /// Sent with scrapes and notifications.
  package var userAgent = "Tocsin"
  /// Nil: every group has a phase of its own; else all count their intervals from this time, as
  /// tests want it.
  package var groupsBegin: Timestamp?

  package init() {}
}

/// `storage` of tocsin.yml.
package struct StorageSettings: Sendable {
  /// What of the scraped series is kept.
  package enum Keep: String, Sendable { case rules, all }

  package var keep = Keep.rules
  package var retention = PromDuration.hours(2)
  /// Bytes; 0 = no limit.
  package var memoryLimit = 0
  /// How long transitions and deliveries stay stored, and how many bytes of them at most.
  package var historyRetention = PromDuration.days(30)
  package var historySize = 64 << 20

  package init() {}
}

/// One `scrape_configs` entry.
package struct ScrapeSettings: Sendable {
  package var jobName: String
  package var interval: PromDuration
  package var timeout: PromDuration
  package var metricsPath = "/metrics"
  package var scheme = "http"
  /// Query parameters in name order; several values per name.
  package var params: [(name: String, values: [String])] = []
  package var honorLabels = false
  package var honorTimestamps = true
  package var trackTimestampsStaleness = false
  package var enableCompression = true
  package var fallbackScrapeProtocol: String?
  /// Names as in `scrape_protocols`; empty: the default order.
  package var scrapeProtocols: [String] = []
  /// 0 = no limit; counted on decoded bytes.
  package var bodySizeLimit = 0
  package var sampleLimit = 0
  package var labelLimit = 0
  package var labelNameLengthLimit = 0
  package var labelValueLengthLimit = 0
  package var targetLimit = 0
  package var keepDroppedTargets = 0
  package var relabeling: [RelabelRule] = []
  package var metricRelabeling: [RelabelRule] = []
  /// Which forms of histograms are taken.
  package var histograms = HistogramReading()
  /// Buckets of one native histogram; 0 = no limit.
  package var nativeHistogramBucketLimit = 0
  /// The least growth from one bucket of a native histogram to the next; 0 = as sent.
  package var nativeHistogramMinBucketFactor = 0.0
  /// Whether names may hold any UTF-8 (`metric_name_validation_scheme`).
  package var allowsUTF8Names = true
  /// How targets are asked to escape names (`metric_name_escaping_scheme`).
  package var nameEscaping = NameEscaping.allowUTF8
  /// Whether `scrape_timeout_seconds` and the like are written too.
  package var extraScrapeMetrics = false
  /// Where failed scrapes are written down.
  package var failureLogFile: String?
  package var http = HTTPSettings()
  package var staticTargets: [TargetGroup] = []
  package var fileDiscovery: [FileDiscoverySettings] = []
  package var httpDiscovery: [HTTPDiscoverySettings] = []
  package var dnsDiscovery: [DNSDiscoverySettings] = []

  package init(jobName: String, interval: PromDuration, timeout: PromDuration) {
    self.jobName = jobName
    self.interval = interval
    self.timeout = timeout
  }
}

/// Addresses that share labels, as a discovery mechanism yields them.
package struct TargetGroup: Sendable, Hashable {
  /// Unique within its discovery (`0` for the first static group, a path for a file).
  package var source: String
  package var targets: [String]
  package var labels: LabelSet

  package init(source: String, targets: [String], labels: LabelSet = .empty) {
    self.source = source
    self.targets = targets
    self.labels = labels
  }
}

/// One `file_sd_configs` entry; globs are absolute or relative to the working directory.
package struct FileDiscoverySettings: Sendable, Hashable {
  package var files: [String]
  package var refreshInterval: PromDuration

  package init(files: [String], refreshInterval: PromDuration = .minutes(5)) {
    self.files = files
    self.refreshInterval = refreshInterval
  }
}

/// The HTTP client block shared by scrapes, Alertmanagers and webhooks.
///
/// Secrets in files are named by path: the edge reads them on each use.
package struct HTTPSettings: Sendable, Hashable {
  /// A secret given in place or by the path of its file.
  package enum Secret: Sendable, Hashable {
    case inline(String)
    case file(String)
  }

  package struct BasicAuth: Sendable, Hashable {
    package var username: Secret
    package var password: Secret

    package init(username: Secret, password: Secret) {
      self.username = username
      self.password = password
    }
  }

  package struct Authorization: Sendable, Hashable {
    package var type: String
    package var credentials: Secret

    package init(type: String = "Bearer", credentials: Secret) {
      self.type = type
      self.credentials = credentials
    }
  }

  package struct TLS: Sendable, Hashable {
    package var caFile: String?
    package var certFile: String?
    package var keyFile: String?
    package var ca: String?
    package var cert: String?
    package var key: String?
    package var serverName: String?
    package var insecureSkipVerify = false
    /// `TLS10`…`TLS13`.
    package var minVersion: String?
    package var maxVersion: String?

    package init() {}
  }

  /// Client credentials, exchanged for a token at `tokenURL`.
  package struct OAuth2: Sendable, Hashable {
    package var clientID: String
    package var clientSecret: Secret
    package var tokenURL: String
    package var scopes: [String] = []
    /// More parameters of the token request, in name order.
    package var endpointParams: [Param] = []
    package var tls = TLS()
    package var proxy = Proxy()

    package struct Param: Sendable, Hashable {
      package var name: String
      package var value: String

      package init(name: String, value: String) {
        self.name = name
        self.value = value
      }
    }

    package init(clientID: String, clientSecret: Secret, tokenURL: String) {
      self.clientID = clientID
      self.clientSecret = clientSecret
      self.tokenURL = tokenURL
    }
  }

  /// Whether and how requests go through a proxy.
  package struct Proxy: Sendable, Hashable {
    package var url: String?
    /// Hosts that are reached without it.
    package var exceptions: String?
    /// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` decide.
    package var fromEnvironment = false
    /// Sent to the proxy with CONNECT.
    package var connectHeaders: [Header] = []

    package init() {}
  }

  package var basicAuth: BasicAuth?
  package var authorization: Authorization?
  package var oauth2: OAuth2?
  package var tls = TLS()
  package var proxy = Proxy()
  package var followRedirects = true
  package var enableHTTP2 = true
  /// Extra request headers in name order.
  package var headers: [Header] = []

  package struct Header: Sendable, Hashable {
    package var name: String
    package var values: [Secret]

    package init(name: String, values: [Secret]) {
      self.name = name
      self.values = values
    }
  }

  package init() {}
}

/// One `alerting.alertmanagers` entry.
package struct AlertmanagerSettings: Sendable {
  package var scheme = "http"
  package var pathPrefix = ""
  package var timeout = PromDuration.seconds(10)
  package var http = HTTPSettings()
  package var targets: [TargetGroup] = []
  package var fileDiscovery: [FileDiscoverySettings] = []
  package var httpDiscovery: [HTTPDiscoverySettings] = []
  package var dnsDiscovery: [DNSDiscoverySettings] = []
  package var relabeling: [RelabelRule] = []
  package var alertRelabeling: [RelabelRule] = []

  package init() {}
}

/// One receiver of tocsin.yml.
package struct WebhookSettings: Sendable {
  package var name: String
  package var url: HTTPSettings.Secret
  package var matchers: [Matcher] = []
  package var sendResolved = true
  /// Nil: by alert name; `["..."]`: every alert alone.
  package var groupBy: [String] = [LabelName.alertName]
  package var groupWait = PromDuration.zero
  package var groupInterval = PromDuration.minutes(1)
  package var repeatInterval = PromDuration.hours(4)
  package var maxAlerts = 0
  package var timeout = PromDuration.seconds(10)
  package var deadLetterAfter = PromDuration.hours(24)
  package var http = HTTPSettings()

  package init(name: String, url: HTTPSettings.Secret) {
    self.name = name
    self.url = url
  }
}
