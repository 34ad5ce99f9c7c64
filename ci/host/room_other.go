//go:build !linux && !darwin

package host

import "errors"

func diskRoom(string) (uint64, error) { return 0, errors.ErrUnsupported }
