//go:build !linux

package llama

// memoryKills is not known on this system.
func memoryKills() int { return 0 }
