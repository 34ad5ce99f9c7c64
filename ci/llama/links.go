package llama

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Links give programs of different folders paths of the same length: a longer
// path moves the stack of the program that is started by it, and with it
// whatever depends on alignment (Mytkowicz et al., ASPLOS 2009). A link stands
// for a program's folder; the program still finds its libraries, which the
// loader looks for by the real path. Until Open they leave paths as they are, as
// does a nil *Links.
type Links struct {
	mu   sync.Mutex
	dir  string
	made map[string]string // the link of each folder; nil while paths stay as they are
}

// Open makes links in dir, which is created when one is needed and must belong
// to this run alone: what an earlier process left in it is removed. Where bins,
// the folders of the arms, are of the same length already, paths stay as they
// are.
func (l *Links) Open(dir string, bins []string) error {
	if err := os.RemoveAll(dir); err != nil { // removes links, not what they lead to
		return err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for _, bin := range bins {
		if len(bin) != len(bins[0]) {
			l.mu.Lock()
			l.dir, l.made = dir, make(map[string]string)
			l.mu.Unlock()
			break
		}
	}
	return nil
}

// program is the path by which a program is started; the program's own where no
// link can be made, as on a disk that has none.
func (l *Links) program(path string) string {
	if l == nil {
		return path
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		return path
	}
	folder := filepath.Dir(path)
	link, ok := l.made[folder]
	if !ok {
		link = filepath.Join(l.dir, fmt.Sprintf("%04d", len(l.made)))
		if os.MkdirAll(l.dir, 0o755) != nil || os.Symlink(folder, link) != nil {
			return path
		}
		l.made[folder] = link
	}
	return filepath.Join(link, filepath.Base(path))
}

// Close removes the links; paths are then as they were.
func (l *Links) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		return nil
	}
	l.made = nil
	return os.RemoveAll(l.dir)
}

// paddingVariable is not read by anything: its length moves the stack.
const paddingVariable = "LLAMA_REGRESS_PADDING"

// padded adds a variable of so many bytes to an environment, which is not
// changed.
func padded(env []string, bytes int) []string {
	return append(env[:len(env):len(env)], paddingVariable+"="+strings.Repeat("x", bytes))
}
