// Package json writes a report as JSON for programs: every number of every
// comparison, unrounded, beside the words that people read. The format has a
// published schema; within one version of it fields are added and never
// changed or taken away, so a reader ignores what it does not know.
//
// Write and WriteNightly write a report.Report and a report.Nightly; JSONSchema and
// NightlyJSONSchema are the schemas of what they write.
package json
