package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// machineLockName is the same for every user and every repository of a machine.
const machineLockName = "llama-regress.lock"

// ErrMachineBusy is wrapped by LockMachine's error when another run measures on
// this machine and the time to wait for it is over.
var ErrMachineBusy = errors.New("the machine is in use by another measurement")

// A MachineUse says who measures on this machine. Whoever may write the lock
// file may claim anything: escape it.
type MachineUse struct {
	PID   int       `json:"pid"`
	Dir   string    `json:"dir"` // its output folder
	Since time.Time `json:"since"`
}

// String is one printable line.
func (u MachineUse) String() string {
	if u.PID == 0 {
		return "a run that did not say who it is"
	}
	return printable(fmt.Sprintf("process %d, which writes to %.200s, since %s", u.PID, u.Dir, u.Since.Local().Format("15:04:05")))
}

// MachineLockFile is where the machine's lock lies unless told otherwise: in
// /run/lock, else /var/lock, else /tmp, never where TMPDIR points, which differs
// from job to job. Containers each have folders of their own: give those that
// share a machine one file to share.
func MachineLockFile() string {
	for _, dir := range []string{"/run/lock", "/var/lock"} {
		if sharedFolder(dir) {
			return filepath.Join(dir, machineLockName)
		}
	}
	return filepath.Join("/tmp", machineLockName)
}

// sharedFolder says whether every user may make a file there, so that all of
// them come to the same answer.
func sharedFolder(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm()&0o002 != 0
}

// A MachineLock keeps every other measurement off this machine.
type MachineLock struct{ file *os.File }

// Waiting says how to wait for the machine.
type Waiting struct {
	For    time.Duration                                       // at most; 0 does not wait
	Notify func(holder MachineUse, waited, left time.Duration) // at once and then each minute; nil tells nobody
}

const (
	lockPoll   = 100 * time.Millisecond
	lockNotice = time.Minute
)

// LockMachine takes the lock of the machine for the process that writes to dir,
// and waits for whoever has it. The system lets go of it when this process ends,
// however it ends. The error wraps ErrMachineBusy or ctx.Err(), or says why the
// file cannot be used.
func LockMachine(ctx context.Context, file, dir string, wait Waiting) (*MachineLock, error) {
	f, err := openShared(file)
	if err != nil {
		return nil, fmt.Errorf("machine lock: %w; name another file in LLAMA_REGRESS_LOCK", err)
	}
	if err := waitForLock(ctx, f, wait); err != nil {
		f.Close()
		return nil, fmt.Errorf("machine lock %s: %w", file, err)
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	// Another user's file may be locked and not written: then the holder stays unnamed.
	line, _ := json.Marshal(MachineUse{PID: os.Getpid(), Dir: dir, Since: time.Now().UTC().Round(time.Second)})
	if f.Truncate(0) == nil {
		f.WriteAt(append(line, '\n'), 0)
	}
	return &MachineLock{f}, nil
}

func waitForLock(ctx context.Context, f *os.File, wait Waiting) error {
	begun, told := time.Now(), time.Time{}
	for {
		err := proc.TryLock(f)
		if !errors.Is(err, proc.ErrLocked) {
			return err
		}
		waited := time.Since(begun)
		if waited >= wait.For {
			return fmt.Errorf("%w: %s; wait for it longer (--wait), or measure elsewhere", ErrMachineBusy, holderOf(f))
		}
		if wait.Notify != nil && time.Since(told) >= lockNotice {
			told = time.Now()
			wait.Notify(holderOf(f), waited, wait.For-waited)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(min(lockPoll, wait.For-waited)):
		}
	}
}

// holderOf reads what the holder wrote; a torn or foreign text is nobody.
func holderOf(f *os.File) (u MachineUse) {
	text, _ := io.ReadAll(io.NewSectionReader(f, 0, 8<<10))
	if json.Unmarshal(text, &u) != nil || u.PID < 0 {
		return MachineUse{}
	}
	return u
}

// Unlock lets the next one measure. The file stays: removing it would let a
// third process lock a new one while a second waits for the old.
func (l *MachineLock) Unlock() {
	l.file.Truncate(0)
	l.file.Close()
}

// openShared opens or makes a file in a folder where everybody may put files.
// It follows no link, so that nobody can have another's file written, and makes
// what it creates usable by all.
func openShared(path string) (*os.File, error) {
	for range 3 { // it may come and go between two interims
		f, err := os.OpenFile(path, os.O_RDWR|noFollow, 0)
		if errors.Is(err, fs.ErrPermission) { // another user's, or a folder on a read-only disk
			f, err = os.OpenFile(path, os.O_RDONLY|noFollow, 0)
		}
		if errors.Is(err, fs.ErrNotExist) {
			// Exclusively: Linux refuses to create what another user owns in a
			// folder of everybody's (fs.protected_regular).
			f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o666)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				f.Chmod(0o666) // whatever the umask
			}
		}
		if err != nil {
			return nil, err
		}
		if err := ownFile(f); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
	return nil, fmt.Errorf("%s comes and goes", path)
}
