package compare

// calibration is the version that stats/CALIBRATION.md has; the run that writes
// the one writes the other.
const calibration = "2026-11-30 0f06b99766a0"

// Calibration names the measurement that stands behind the error rates of
// verdicts: the day and the fingerprint of stats/CALIBRATION.md, which has how
// often simulated decisions of this package were right and wrong, and what did
// not hold. It says which document was written, not that all in it is good news.
func Calibration() string { return calibration }
