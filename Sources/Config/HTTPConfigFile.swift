import Diagnostics
import Kernel
import YAML

/// Reads a file with the HTTP client block that scrapes have, as promtool's `--http.config.file`.
package enum HTTPConfigFile {
  /// The settings, nil if the file has errors; relative paths in it start at `directory`.
  package static func load(
    _ source: SourceText, directory: String
  ) -> (settings: HTTPSettings?, diagnostics: [Diagnostic]) {
    let document = YAMLDocument.parse(source: source)
    guard document.diagnostics.isEmpty else { return (nil, document.diagnostics) }
    guard let root = document.root else { return (HTTPSettings(), []) }
    let config = ConfigReading(directory: directory, environment: { _ in nil })
    guard let fields = config.reader.fields(of: root, "an HTTP client configuration") else {
      return (nil, config.reader.diagnostics)
    }
    let settings = HTTPReading(config: config).read(fields)
    fields.close()
    let hasErrors = config.reader.diagnostics.contains { $0.severity == .error }
    return (hasErrors ? nil : settings, config.reader.diagnostics)
  }
}
