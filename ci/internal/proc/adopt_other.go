//go:build !linux

package proc

// Adopt does nothing: only Linux lets a process adopt.
func Adopt() error { return nil }

// Children returns nil.
func Children() []int { return nil }

// EndAdopted does nothing.
func EndAdopted(int, []int) []string { return nil }
