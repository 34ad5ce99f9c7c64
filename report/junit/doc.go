// Package junit writes a report as JUnit XML for CI systems: a suite for each
// workload and model, a test for each cell and metric, and a test for the
// trials of each cell.
//
//	regression                 failure
//	trial failed, not measured error
//	inconclusive, not judged   skipped; inconclusive is a failure where the policy says so
//	equivalent, improvement    passed
//
// So a consumer that fails on failures and errors agrees with the exit code.
// The file follows Jenkins' junit-10.xsd. Suites and tests are ordered by name
// and named by what they measure, so that two reports can be compared.
//
// Write and WriteNightly write a report.Report and a report.Nightly.
package junit
