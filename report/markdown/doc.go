// Package markdown writes a report as GitHub reads it: a pull-request comment
// or a step summary. The verdict is the first line, what is not equivalent
// stands open, everything else is folded.
//
// Write and WriteNightly write a report.Report and a report.Nightly; Options say
// how much room there is, and the zero value suits a file.
package markdown
