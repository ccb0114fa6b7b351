import Glibc
import Rules
import Synchronization

/// Threads that help the kernel's thread to compute independent rules.
///
/// They are started when there is work for them the first time, and sleep in between.
final class EvaluationThreads: ParallelWork {
  private struct Job {
    var body: ((Int) -> Void)?
    var next = 0
    var count = 0
    var unfinished = 0
    /// How many numbers are taken at a time.
    var chunk = 1

    mutating func take() -> Range<Int>? {
      guard body != nil, next < count else { return nil }
      let end = min(count, next + chunk)
      defer { next = end }
      return next..<end
    }
  }

  /// The closure of a job, on its way from the thread that lends it to one that helps.
  private struct Loan: @unchecked Sendable {
    let body: (Int) -> Void
    let numbers: Range<Int>
  }

  /// A counting semaphore.
  private final class Signal: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
      semaphore = .allocate(capacity: 1)
      let status = sem_init(semaphore, 0, 0)
      precondition(status == 0, "no semaphore for the evaluation threads")
    }

    deinit {
      sem_destroy(semaphore)
      semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    func wait() {
      while sem_wait(semaphore) != 0 && errno == EINTR {}
    }
  }

  private let helpers: Int
  private let job = Mutex<Box>(Box())
  private let isStarted = Atomic<Bool>(false)
  private let wake = Signal()
  private let done = Signal()

  /// What the mutex guards; its closure never leaves `run`.
  private struct Box: @unchecked Sendable {
    var job = Job()
  }

  /// Nil where one thread is all there is to be.
  init?(threads: Int) {
    if threads < 2 { return nil }
    helpers = threads - 1
  }

  func run(_ count: Int, _ body: (Int) -> Void) {
    if count == 0 { return }
    start()
    let chunk = max(1, count / ((helpers + 1) * 8))
    withoutActuallyEscaping(body) { body in
      let loan = Loan(body: body, numbers: 0..<count)
      job.withLock {
        $0.job = Job(body: loan.body, next: 0, count: count, unfinished: count, chunk: chunk)
      }
      for _ in 0..<min(helpers, count - 1) { wake.post() }
      while work() {}
      done.wait()
      job.withLock { $0.job = Job() }
    }
  }

  private func start() {
    if isStarted.exchange(true, ordering: .relaxed) { return }
    for number in 1...helpers {
      SystemThread.start("rules \(number)") { [self] in
        while true {
          wake.wait()
          while work() {}
        }
      }
    }
  }

  /// Carries out a piece of the job; false if none is left to take.
  private func work() -> Bool {
    guard let numbers = perform() else { return false }
    let isLast = job.withLock { box in
      box.job.unfinished -= numbers
      return box.job.unfinished == 0
    }
    if isLast { done.post() }
    return true
  }

  /// Calls the closure for a piece, and holds on to it no longer than that.
  @inline(never)
  private func perform() -> Int? {
    let loan = job.withLock { box -> Loan? in
      guard let body = box.job.body, let numbers = box.job.take() else { return nil }
      return Loan(body: body, numbers: numbers)
    }
    guard let loan else { return nil }
    for number in loan.numbers { loan.body(number) }
    return loan.numbers.count
  }
}
