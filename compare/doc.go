// Package compare sets the trials of two arms side by side, estimates the
// change with the error term that fits how they were measured, and judges it
// against a margin. It reads run records, decides, and never formats.
//
// # Calls
//
// One session of two or more arms, which is what gives verdicts:
//
//	run, err := record.ReadFile("llama-regress-out/run.json")
//	result := compare.Run(run, compare.DefaultPolicy())
//	for _, c := range result.Comparisons {
//		fmt.Println(c.Cell, c.Metric.Name, c.Verdict, c.Reason)
//	}
//	code := result.Outcome() // what an exit code follows from
//
// [Between] compares two records of two sessions, or raw llama-bench files, and
// [History] one session with stored ones. [Servings], [Capacity], [Grids] and
// [Studies] describe a run and are never judged. Package report words a [Result].
package compare
