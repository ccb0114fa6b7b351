/// Turns the arguments of a command into rule files.
package enum RulePaths {
  /// Files as they are, the rule files of directories, and what globs match; `-` is standard input.
  package static func expand(_ arguments: [String]) -> (files: [String], problems: [String]) {
    var files: [String] = []
    var problems: [String] = []
    for argument in arguments {
      let isDirectory = argument == "-" ? false : FileSystem.isFolder(argument)
      if isDirectory == false {
        files.append(argument)
      } else if isDirectory == true {
        let found = inside(argument)
        if found.isEmpty { problems.append("\(argument): no .yml, .yaml or .rules file inside") }
        files += found
      } else if let glob = Glob(argument), !glob.matches().isEmpty {
        files += glob.matches().filter { !FileSystem.isDirectory($0) }
      } else {
        problems.append("\(argument): no such file")
      }
    }
    return (files, problems)
  }

  /// The rule files below a directory; unit tests (`*.test.yml`) are no rule files.
  private static func inside(_ directory: String, depth: Int = 0) -> [String] {
    FileSystem.names(in: directory).flatMap { name -> [String] in
      let path = FileSystem.join(directory == "." ? "" : directory, name)
      if name.hasPrefix(".") { return [] }
      if FileSystem.isDirectory(path) { return depth < 16 ? inside(path, depth: depth + 1) : [] }
      let isRuleFile = [".yml", ".yaml", ".rules"].contains { name.hasSuffix($0) }
      let isTest = [".test.yml", ".test.yaml"].contains { name.hasSuffix($0) }
      return isRuleFile && !isTest ? [path] : []
    }
  }
}
