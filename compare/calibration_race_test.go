//go:build race

package compare_test

// raceEnabled: under the race detector everything takes ten times as long, and
// draws that run one after another teach it nothing.
const raceEnabled = true
