import Model

/// The random source of tests is the one the program uses.
package typealias SeededGenerator = Model.SeededGenerator
