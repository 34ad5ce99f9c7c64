//go:build !linux

package llama

import "errors"

// perfCounters are those of Linux alone.
type perfCounters struct{}

func (perfCounters) Begin() (countReading, error) {
	return nil, errors.New("only Linux gives the processor's counters to a program: count with valgrind")
}
