// Package callgrind reads the profiles that valgrind's tool callgrind writes: how
// many instructions each function of a program executed.
//
// The format is that of the manual of valgrind 3, "Callgrind Format Specification",
// version 1: names and positions compressed or not, any events, several parts
// and threads in a file. What a reader takes from it is the self cost in
// instructions (event Ir) by function, source file of the line, and object. The
// inclusive cost that follows a call is left out. A file is believed only where its
// costs add up to the totals that it states itself, part by part.
//
// A profile comes from whoever built the program that was measured, so that all of
// it is foreign: names are bounded and made valid UTF-8, and what is damaged is
// refused with its line.
package callgrind
