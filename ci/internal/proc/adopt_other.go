//go:build !linux

package proc

import "os/exec"

// Adopt does nothing: only Linux lets a process adopt.
func Adopt() error { return nil }

// EndAdopted does nothing.
func EndAdopted(int) []string { return nil }

func startOfBrood(cmd *exec.Cmd, start func(*exec.Cmd) error) error { return start(cmd) }
