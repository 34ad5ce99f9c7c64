package sched

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// sudoVariable is set by sudo, and nobody else's word counts there: whoever
// runs a program through sudo cannot take it away.
const sudoVariable = "SUDO_UID"

// throughSudo checks what may be run as root on behalf of a user who may run
// this guard by sudo, and returns its path: a scheduler (scx_...) that nobody
// but root can replace. Without the check, the right to load schedulers would be
// the right to run anything. It is no full fence: a scheduler takes arguments,
// and it decides what the whole machine runs.
func throughSudo(program string) (string, error) {
	path, err := filepath.EvalSymlinks(program)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s: want the whole path of a scheduler", program)
	}
	for _, name := range []string{filepath.Base(program), filepath.Base(path)} {
		if !strings.HasPrefix(name, "scx_") {
			return "", fmt.Errorf("%s is no scheduler by its name: by sudo only programs named scx_... are run", program)
		}
	}
	if err := onlyRootWrites(path); err != nil {
		return "", fmt.Errorf("%w: by sudo only programs are run that nobody but root can replace; copy it with 'sudo install %s /usr/local/bin/'", err, program)
	}
	return path, nil
}

// onlyRootWrites checks a file and every folder above it. path has no links.
func onlyRootWrites(path string) error {
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		if at == path && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no file", at)
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok || owner.Uid != 0 || info.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("others than root can write %s", at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
