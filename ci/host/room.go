package host

import "syscall"

// diskRoom is how many bytes may be written on the disk of a folder.
func diskRoom(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
