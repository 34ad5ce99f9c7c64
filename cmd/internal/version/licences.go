package version

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
)

// licences is what its test writes: the name, version and licence of every module
// that is linked, and their texts.
//
//go:embed licences.txt.gz
var licences []byte

// writeLicences prints the licences of what this program is made of.
func writeLicences(w io.Writer) error {
	text, err := gzip.NewReader(bytes.NewReader(licences))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, text)
	return err
}
