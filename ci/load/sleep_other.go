//go:build !linux

package load

import "time"

func doze(d time.Duration) { time.Sleep(d) }
