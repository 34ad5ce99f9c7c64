// Package stats turns numbers into numbers: estimates, intervals, p-values and
// the sample sizes they need. It knows nothing of benchmarks, prints nothing and
// decides nothing; package compare does the deciding.
//
// Misuse, such as an empty sample where the doc forbids it, panics with a
// message that starts with "stats:" and names the function. Every random
// procedure takes its seed from the caller or from the data, so the same input
// gives the same output on every machine.
//
// # Calls
//
// The functions fall into groups; [the reference] says which rule is used where
// and why.
//
//   - A change and its error: [PairedT] for differences of blocks, [Welch] for two
//     independent sides, [Prediction] for a new session against stored ones. Each
//     returns an [Estimate]; its Interval, PBelow and PAbove are what is decided by.
//   - Success counts: [DeflatedNewcombe] where requests of a trial fail together,
//     [Boschloo] and [Fisher] where they do not, [StratifiedFisher] over strata.
//   - A quantile of one trial: [HarrellDavis], with [QuantileInterval] around it.
//   - Many tests: [Holm]. Many interim analyses: [NewInterimAnalyses].
//   - How much to measure: [Target] with [BlocksNeeded], [MDE] and [Allocate].
//   - A series of sessions: [ChangePoints], [RateChanges], [FitVariancePrior].
//
// Most programs need two of them:
//
//	e := stats.PairedT(differences)      // of logs, one a block
//	iv := e.Interval(0.90)
//	worse := e.PBelow(-math.Log(1.03))   // small: worse than a margin of 3 %
//
// [the reference]: https://github.com/llama-regress/llama-regress/blob/main/stats/REFERENCE.md
package stats
