// Package html writes a report as one self-contained page: it opens from a
// disk or an attachment with no network, under a policy that lets nothing run
// but its own two scripts. Without JavaScript everything but the charts is
// there, in tables.
//
// Charts are described by go-echarts and drawn by ECharts. Their options reach
// the page as inert JSON: go-echarts' own Render would put labels, which are
// foreign text, into a script.
//
// Write and WriteNightly write a report.Report and a report.Nightly; the zero
// Options will do.
package html
