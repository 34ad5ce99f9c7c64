package proc

import (
	"errors"
	"io"
)

// ErrTooLarge is what ReadAll returns for more bytes than allowed.
var ErrTooLarge = errors.New("too large")

// ReadAll reads all of r, which must be at most so many bytes; of more it
// returns ErrTooLarge and the first of them.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		return data[:most], ErrTooLarge
	}
	return data, err
}
