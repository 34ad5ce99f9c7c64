package github

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Bounds of an artifact. A session of 1 000 cells, 20 blocks and 2 arms takes
// some 30 MB of JSON and a tenth of that packed.
const (
	MaxArtifact = 32 << 20  // bytes of the archive
	maxEntries  = 2_000     // files and folders in it
	maxUnpacked = 512 << 20 // bytes of all of them
	maxRecord   = 64 << 20  // bytes of the run record
	maxRatio    = 200       // of what is unpacked to what is packed; JSON comes to 30
	recordName  = "run.json"
)

// ReadArtifact reads the run record out of a zip archive that a job with
// somebody else's code in it made. Nothing is written to disk. One bad entry
// spoils the whole archive: whoever made it did not use the tool.
func ReadArtifact(archive []byte) (*record.Run, error) {
	if len(archive) > MaxArtifact {
		return nil, fmt.Errorf("artifact: %d bytes, want at most %d", len(archive), MaxArtifact)
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("artifact: %w", err)
	}
	f, err := onlyRecord(z)
	if err != nil {
		return nil, fmt.Errorf("artifact: %w", err)
	}
	if f.UncompressedSize64 > maxRecord { // what really comes out is counted too: sizes in the archive are claims
		return nil, fmt.Errorf("artifact: %s: larger than %d MiB", recordName, maxRecord>>20)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("artifact: %s: %w", recordName, err)
	}
	defer r.Close()
	return readForeign(r, "artifact: "+recordName)
}

// onlyRecord checks every entry and returns the one run record.
func onlyRecord(z *zip.Reader) (*zip.File, error) {
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("%d entries, want at most %d", len(z.File), maxEntries)
	}
	seen := make(map[string]bool, len(z.File))
	var left uint64 = maxUnpacked
	var found *zip.File
	for _, f := range z.File {
		if err := checkEntry(f); err != nil {
			return nil, fmt.Errorf("entry %q: %w", cutName(f.Name), err)
		}
		folded := strings.ToLower(strings.TrimSuffix(f.Name, "/"))
		if seen[folded] {
			return nil, fmt.Errorf("entry %q: there twice", cutName(f.Name))
		}
		seen[folded] = true
		if f.UncompressedSize64 > left {
			return nil, fmt.Errorf("unpacks to more than %d MiB", maxUnpacked>>20)
		}
		left -= f.UncompressedSize64
		if path.Base(f.Name) == recordName && f.Mode().IsRegular() {
			if found != nil {
				return nil, fmt.Errorf("several %s: %q and %q", recordName, cutName(found.Name), cutName(f.Name))
			}
			found = f
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no %s in it: the measuring job was ended before it could write one", recordName)
	}
	return found, nil
}

// checkEntry refuses what no honest archive holds.
func checkEntry(f *zip.File) error {
	name := f.Name
	switch {
	case name == "" || len(name) > 512 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("not a plain name")
	case strings.ContainsAny(name, `\:`) || path.IsAbs(name) || path.Clean(name) != strings.TrimSuffix(name, "/") || name == ".." || strings.HasPrefix(name, "../"):
		return errors.New("the name leads out of the folder, or in a roundabout way")
	case !f.Mode().IsRegular() && !f.Mode().IsDir():
		return errors.New("neither a file nor a folder")
	case f.Flags&1 != 0:
		return errors.New("encrypted")
	case f.UncompressedSize64 > 1<<20 && f.UncompressedSize64/maxRatio > f.CompressedSize64:
		return fmt.Errorf("%d bytes packed into %d", f.UncompressedSize64, f.CompressedSize64)
	}
	return nil
}

// cutName bounds a name for a message.
func cutName(name string) string { return name[:min(len(name), 80)] }
