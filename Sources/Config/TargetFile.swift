import Diagnostics
import Kernel
import Model
import YAML

/// Reads the target files of `file_sd_configs`: a list of groups, YAML or JSON (which is YAML).
package enum TargetFile {
  /// The groups of a file; each is named `path:index` and carries `__meta_filepath`.
  ///
  /// Any error means the file is not to be used: the targets known before it stay.
  package static func parse(
    _ source: SourceText, path: String
  ) -> (groups: [TargetGroup], diagnostics: [Diagnostic]) {
    let document = YAMLDocument.parse(source: source)
    guard let root = document.root, document.diagnostics.isEmpty else {
      return ([], document.diagnostics)
    }
    let config = ConfigReading(directory: "", environment: { _ in nil })
    let discovery = DiscoveryReading(config: config)
    var groups: [TargetGroup] = []
    for (index, node) in (config.reader.items(of: root, "a list of target groups") ?? [])
      .enumerated()
    {
      if node.isNull {
        config.refuse("nil target group item found (index \(index))", at: node, id: "config/target")
        continue
      }
      // Addresses with slashes are the job's business: its relabelling may mend them.
      let source = "\(path):\(index)"
      guard var group = discovery.group(node, source: source, isRelabelled: true)?.group
      else { continue }
      group.labels = group.labels.setting("__meta_filepath", to: path)
      groups.append(group)
    }
    return (groups, config.reader.diagnostics)
  }
}
