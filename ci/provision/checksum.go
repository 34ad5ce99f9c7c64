package provision

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
)

// checkSum returns an error unless the file's SHA-256 is want, in hexadecimal.
func checkSum(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != strings.ToLower(want) {
		return fmt.Errorf("%s: SHA-256 is %s, want %s", path, got, want)
	}
	return nil
}

// entryName names an entry after what it holds: the same packages give the same
// name.
func entryName(s Source, arch string, m manifest) string {
	h := sha256.New()
	for _, f := range m.Fetched {
		fmt.Fprintln(h, f.Name, f.Version, f.SHA256)
	}
	version := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-", r) {
			return r
		}
		return '_'
	}, m.Version)
	return fmt.Sprintf("%s-%s-%s-%.4x", s, version, arch, h.Sum(nil))
}
