//go:build !unix

package bisect

import "os/exec"

func ownGroup(*exec.Cmd) {}
