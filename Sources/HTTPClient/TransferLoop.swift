import CCurl
import CLinux
import Glibc
import Synchronization

/// Drives all transfers on one thread: libcurl's multi interface told of events by epoll.
///
/// Everything but the inbox is confined to the loop's thread. Other threads put commands into the
/// inbox and wake the loop through an eventfd.
final class TransferLoop: @unchecked Sendable {
  enum Command {
    case start(Transfer)
    case cancel(UInt64)
    case stop
  }

  private struct Inbox {
    var commands: [Command] = []
    /// No further command is taken; the loop is ending or has ended.
    var isClosed = false
    var thread: pthread_t?
  }

  private let inbox = Mutex(Inbox())
  private let multi: UnsafeMutableRawPointer
  private let poller: Int32
  private let wakeUp: Int32
  private let timer: Int32
  private let maximumConcurrent: Int

  // The loop's own.
  private var running: [UInt64: Transfer] = [:]
  private var waiting: [Transfer] = []
  private var waitingHead = 0
  private var idle: [UnsafeMutableRawPointer] = []
  private var isStopping = false

  init(maximumConcurrent: Int, maximumIdleConnections: Int) throws(HTTPClientProblem) {
    guard CurlLibrary.isReady, let multi = curl_multi_init() else {
      throw HTTPClientProblem(description: "libcurl cannot be initialised")
    }
    poller = epoll_create1(Int32(EPOLL_CLOEXEC))
    wakeUp = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
    self.multi = multi
    self.maximumConcurrent = max(1, maximumConcurrent)
    guard poller >= 0, wakeUp >= 0, timer >= 0 else {
      throw HTTPClientProblem(description: "epoll: \(String(cString: strerror(errno)))")
    }
    watch(wakeUp, EPOLLIN.rawValue, EPOLL_CTL_ADD)
    watch(timer, EPOLLIN.rawValue, EPOLL_CTL_ADD)
    tcurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, maximumIdleConnections)
    let context = Unmanaged.passUnretained(self).toOpaque()
    tcurl_multi_set_socket(
      multi,
      { _, socket, what, context, known in
        guard let context else { return 0 }
        Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue()
          .socketChanged(socket, what, isKnown: known != nil)
        return 0
      }, context)
    tcurl_multi_set_timer(
      multi,
      { _, milliseconds, context in
        guard let context else { return 0 }
        Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
        return 0
      }, context)
  }

  /// Starts the thread, which keeps the loop alive until it has stopped.
  func launch() throws(HTTPClientProblem) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        tlinux_name_thread("tocsin-http")
        Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    guard result == 0 else {
      Unmanaged<TransferLoop>.fromOpaque(context).release()
      throw HTTPClientProblem(
        description: "no thread for the HTTP client: \(String(cString: strerror(result)))")
    }
    let started = thread
    inbox.withLock { $0.thread = started }
  }

  /// Hands a command to the loop; false when it has been stopped.
  func post(_ command: Command) -> Bool {
    inbox.withLock { inbox in
      if inbox.isClosed { return false }
      if case .stop = command { inbox.isClosed = true }
      inbox.commands.append(command)
      var one: UInt64 = 1
      // Under the lock: the loop closes the descriptor only after taking the last command.
      write(wakeUp, &one, 8)
      return true
    }
  }

  /// Waits until the thread has ended; returns at once on the loop's own thread.
  func join() {
    let thread = inbox.withLock { inbox in
      defer { inbox.thread = nil }
      return inbox.thread
    }
    guard let thread else { return }
    if pthread_equal(thread, pthread_self()) != 0 {
      pthread_detach(thread)
    } else {
      pthread_join(thread, nil)
    }
  }

  /// Lets the thread end on its own.
  func detach() {
    let thread = inbox.withLock { inbox in
      defer { inbox.thread = nil }
      return inbox.thread
    }
    if let thread { pthread_detach(thread) }
  }

  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  // MARK: The thread

  private func run() {
    let room = 64
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: room)
    defer { events.deallocate() }
    while !isStopping {
      // Requests in the queue have deadlines libcurl knows nothing of.
      let pause: Int32 = waiting.count > waitingHead ? 50 : -1
      let count = epoll_wait(poller, events, Int32(room), pause)
      for i in 0..<max(0, Int(count)) { handle(events[i]) }
      finishDone()
      startWaiting()
    }
    end()
  }

  private func handle(_ event: epoll_event) {
    let descriptor = event.data.fd
    var stillRunning: Int32 = 0
    var discarded: UInt64 = 0
    if descriptor == wakeUp {
      read(wakeUp, &discarded, 8)
      takeCommands()
    } else if descriptor == timer {
      read(timer, &discarded, 8)
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &stillRunning)
    } else {
      var action: Int32 = 0
      if event.events & EPOLLIN.rawValue != 0 { action |= CURL_CSELECT_IN }
      if event.events & EPOLLOUT.rawValue != 0 { action |= CURL_CSELECT_OUT }
      if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { action |= CURL_CSELECT_ERR }
      curl_multi_socket_action(multi, descriptor, action, &stillRunning)
    }
  }

  private func takeCommands() {
    let commands = inbox.withLock { inbox in
      defer { inbox.commands.removeAll(keepingCapacity: true) }
      return inbox.commands
    }
    for command in commands {
      switch command {
      case .start(let transfer): waiting.append(transfer)
      case .cancel(let id): cancel(id)
      case .stop: isStopping = true
      }
    }
  }

  private func cancel(_ id: UInt64) {
    if let transfer = running[id] {
      finish(transfer, transfer.outcome(.failure(.cancelled), now: Self.now()))
    } else if let i = waiting[waitingHead...].firstIndex(where: { $0.id == id }) {
      let transfer = waiting.remove(at: i)
      transfer.completion(transfer.outcome(.failure(.cancelled), now: Self.now()))
    }
  }

  /// Starts what waits while there is room, and gives up on what has waited too long.
  private func startWaiting() {
    guard waiting.count > waitingHead else { return }
    let now = Self.now()
    while running.count < maximumConcurrent, waitingHead < waiting.count {
      let transfer = waiting[waitingHead]
      waitingHead += 1
      start(transfer, now)
    }
    if waitingHead == waiting.count || waitingHead > 1024 {
      waiting.removeFirst(waitingHead)
      waitingHead = 0
    }
    guard waiting.count > waitingHead else { return }
    let late = waiting[waitingHead...].filter { ($0.deadline ?? .max) <= now }
    guard !late.isEmpty else { return }
    waiting.removeSubrange(..<waitingHead)
    waitingHead = 0
    waiting.removeAll { ($0.deadline ?? .max) <= now }
    for transfer in late { transfer.completion(transfer.outcome(.failure(.timeout), now: now)) }
  }

  private func start(_ transfer: Transfer, _ now: Int64) {
    if let deadline = transfer.deadline, deadline <= now {
      transfer.completion(transfer.outcome(.failure(.timeout), now: now))
      return
    }
    guard let easy = idle.popLast() ?? curl_easy_init() else {
      let failure = HTTPFailure.request("libcurl has no handle left")
      transfer.completion(transfer.outcome(.failure(failure), now: now))
      return
    }
    transfer.attach(easy, now: now)
    running[transfer.id] = transfer
    let result = curl_multi_add_handle(multi, easy)
    if result != CURLM_OK {
      let text = String(cString: curl_multi_strerror(result))
      finish(transfer, transfer.outcome(.failure(.request(text)), now: now))
    }
  }

  /// Completes the transfers libcurl has ended.
  private func finishDone() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      var code = CURLE_OK
      guard let easy = tcurl_done(message, &code) else { continue }
      var context: UnsafeMutableRawPointer?
      tcurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
      guard let context else { continue }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      finish(transfer, transfer.outcome(code, now: Self.now()))
    }
  }

  /// Takes a transfer off libcurl and reports its outcome.
  private func finish(_ transfer: Transfer, _ outcome: HTTPOutcome) {
    running[transfer.id] = nil
    if let easy = transfer.detach() {
      curl_multi_remove_handle(multi, easy)
      if idle.count < 64 {
        // Connections live in the multi handle; this only forgets the options.
        curl_easy_reset(easy)
        idle.append(easy)
      } else {
        curl_easy_cleanup(easy)
      }
    }
    transfer.completion(outcome)
  }

  /// Reports what is left and frees everything.
  private func end() {
    takeCommands()
    let now = Self.now()
    let open = running.values.sorted { $0.id < $1.id } + waiting[waitingHead...]
    waiting.removeAll()
    waitingHead = 0
    for transfer in open {
      finish(transfer, transfer.outcome(.failure(.shutDown), now: now))
    }
    for easy in idle { curl_easy_cleanup(easy) }
    idle.removeAll()
    curl_multi_cleanup(multi)
    close(poller)
    close(timer)
    inbox.withLock { _ in _ = close(wakeUp) }
  }

  // MARK: What libcurl wants to know

  private func socketChanged(_ socket: curl_socket_t, _ what: Int32, isKnown: Bool) {
    if what == CURL_POLL_REMOVE {
      epoll_ctl(poller, EPOLL_CTL_DEL, socket, nil)
      return
    }
    var events: UInt32 = 0
    if what & CURL_POLL_IN != 0 { events |= EPOLLIN.rawValue }
    if what & CURL_POLL_OUT != 0 { events |= EPOLLOUT.rawValue }
    if isKnown {
      watch(socket, events, EPOLL_CTL_MOD)
    } else {
      watch(socket, events, EPOLL_CTL_ADD)
      curl_multi_assign(multi, socket, Unmanaged.passUnretained(self).toOpaque())
    }
  }

  private func watch(_ descriptor: Int32, _ events: UInt32, _ operation: Int32) {
    var event = epoll_event()
    event.events = events
    event.data.fd = descriptor
    if epoll_ctl(poller, operation, descriptor, &event) != 0, errno == EEXIST {
      epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event)
    }
  }

  private func setTimer(_ milliseconds: Int) {
    var time = itimerspec()
    if milliseconds == 0 {
      time.it_value.tv_nsec = 1
    } else if milliseconds > 0 {
      time.it_value.tv_sec = milliseconds / 1000
      time.it_value.tv_nsec = milliseconds % 1000 * 1_000_000
    }
    timerfd_settime(timer, 0, &time, nil)
  }
}

/// libcurl's process-wide set-up.
private enum CurlLibrary {
  static let isReady: Bool = {
    // A peer that hangs up while we write is an error of the write, not of the process.
    signal(SIGPIPE, SIG_IGN)
    return curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
  }()
}
