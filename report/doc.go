// Package report says what a reader should learn from a comparison, in the
// order in which it matters: the verdict, what to do next, what got worse and
// how sure that is, what could not be told and why, how it was measured. It
// orders and words; it decides nothing and formats for no medium. The writers
// in its subfolders turn a Report into bytes and add no fact of their own.
//
// Every sentence about a result is worded here and every number is rounded
// here, so that no two outputs can disagree.
//
// # Calls
//
//	result := compare.Run(run, compare.DefaultPolicy())
//	r := report.New(result, report.Source{Base: run, Head: run})
//	err := html.Write(file, r, html.Options{}) // or json, junit, markdown, text
//
// [NewNightly] does the same for the stored nights of compare/history.
package report
