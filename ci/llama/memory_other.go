//go:build !linux

package llama

// memoryKills is not known on this system.
func memoryKills() int { return 0 }

// peakOf is not known on this system.
func peakOf(int) int64 { return 0 }
