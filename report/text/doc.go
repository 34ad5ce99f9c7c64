// Package text writes a report for a terminal: the verdict first, then what to
// do, then what is not equivalent, each with a bar drawn against its margin.
//
// Write and WriteNightly write a report.Report and a report.Nightly; the zero
// Options suit a pipe.
package text
