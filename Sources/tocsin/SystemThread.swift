import CLinux
import Glibc

/// A named operating-system thread for work that blocks.
///
/// The cooperative pool has one thread per core and must never wait; loops that do live here.
enum SystemThread {
  private final class Body {
    let name: String
    let run: @Sendable () -> Void

    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }

  /// Starts a detached thread.
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Body(name, body))
    let status = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
        tlinux_name_thread(body.name)
        body.run()
        return nil
      }, box.toOpaque())
    precondition(status == 0, "a thread could not be started")
    pthread_detach(thread)
  }
}
