package report

// Titles are the titles of the sections of every report, whatever its medium.
var Titles = struct {
	Steps, Failures, Control, Differences, Alone, Notes, Measured, Definitions string
	Serving, Capacity, Studies, Grids, Works                                   string
}{
	Steps:       "What to do next",
	Failures:    "Failed trials",
	Control:     "Control: the baseline against itself",
	Differences: "What differs between the sides",
	Alone:       "On one side only, so not compared",
	Notes:       "Notes",
	Measured:    "How it was measured",
	Definitions: "What the words mean",
	Serving:     "Serving",
	Capacity:    "Capacity",
	Studies:     "Schedulers side by side",
	Grids:       "Parameter sweeps",
	Works:       "Where the work went",
}
