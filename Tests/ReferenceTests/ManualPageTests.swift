import JSON
import Reference
import Testing

@Suite struct ManualPageTests {
  static let dump = #"""
    {"serializationVersion":0,"command":{"commandName":"tool","abstract":"A tool.","shouldDisplay":true,
     "subcommands":[{"commandName":"look","abstract":"Look at files.","shouldDisplay":true,
       "discussion":"tool look -o json f\n\nExit status: 0 fine.\n.hidden lines too",
       "arguments":[
        {"kind":"option","shouldDisplay":true,"isOptional":true,"isRepeating":false,"valueName":"output",
         "names":[{"kind":"long","name":"output"},{"kind":"short","name":"o"}],"abstract":"A format.","defaultValue":"human"},
        {"kind":"flag","shouldDisplay":false,"isOptional":true,"isRepeating":false,"names":[{"kind":"long","name":"secret"}]},
        {"kind":"positional","shouldDisplay":true,"isOptional":false,"isRepeating":true,"valueName":"files","abstract":"Files."}]},
      {"commandName":"ghost","shouldDisplay":false},{"commandName":"help","shouldDisplay":true}]}}
    """#

  @Test func pages() throws {
    let reference = try #require(CommandReference(try JSONValue(parsing: Self.dump)))
    let pages = reference.all.map { ManualPage($0, version: "1.0") }
    #expect(pages.map(\.fileName) == ["tool.1", "tool-look.1"])
    #expect(
      pages[0].text == #"""
        .TH "TOOL" 1 "" "tocsin 1.0" "Tocsin"
        .SH NAME
        tool \- A tool
        .SH SYNOPSIS
        .B tool <command>
        .SH COMMANDS
        .TP
        .B look
        Look at files.
        .SH SEE ALSO
        .BR tool\-look (1)

        """#)
    #expect(
      pages[1].text == #"""
        .TH "TOOL-LOOK" 1 "" "tocsin 1.0" "Tocsin"
        .SH NAME
        tool\-look \- Look at files
        .SH SYNOPSIS
        .B tool look [options] <files> …
        .SH DESCRIPTION
        .PP
        tool look \-o json f
        .PP
        Exit status: 0 fine.
        \&.hidden lines too
        .SH ARGUMENTS
        .TP
        .B <files>
        Files.
        .SH OPTIONS
        .TP
        .B \-o, \-\-output <output>
        A format. (default: human)
        .SH SEE ALSO
        .BR tool (1)

        """#)
  }
}
