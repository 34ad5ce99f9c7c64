package provision

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A bound is how much an archive may hold, whatever its own size.
type bound struct {
	bytes int64 // in all files together
	files int   // with folders and links
}

// releaseBound is some ten times what llama.cpp's largest archives hold.
var releaseBound = bound{bytes: 4 << 30, files: 20_000}

// unpack unpacks a .tar.gz or .zip into the new folder dir. It refuses what
// would leave the folder: names with "..", absolute names, and links to outside
// or through a link. It also refuses devices, a name that comes twice, and
// archives beyond the bound.
func unpack(ctx context.Context, path, dir string, most bound) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacker{ctx: ctx, root: root, left: most}
	if strings.HasSuffix(path, ".zip") {
		return u.zip(path)
	}
	return u.tarGz(path)
}

type unpacker struct {
	ctx  context.Context
	root *os.Root
	left bound
}

func (u *unpacker) tarGz(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader: // comments, such as git's
		case tar.TypeReg, tar.TypeDir, tar.TypeSymlink:
			if err := u.add(h.Name, h.FileInfo().Mode(), h.Linkname, r); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%q is neither file, folder nor symbolic link", h.Name)
		}
	}
}

func (u *unpacker) zip(path string) error {
	r, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		body, err := f.Open()
		if err != nil {
			return fmt.Errorf("%q: %w", f.Name, err)
		}
		var link []byte
		if f.Mode()&fs.ModeSymlink != 0 {
			link, err = io.ReadAll(io.LimitReader(body, 4096))
		}
		if err == nil {
			err = u.add(f.Name, f.Mode(), string(link), body)
		}
		if err := errors.Join(err, body.Close()); err != nil {
			return err
		}
	}
	return nil
}

// add makes one file, folder or symbolic link.
func (u *unpacker) add(name string, mode fs.FileMode, link string, body io.Reader) error {
	if u.left.files--; u.left.files < 0 {
		return errors.New("more files than any release of llama.cpp has")
	}
	if err := u.ctx.Err(); err != nil {
		return err
	}
	name = filepath.Clean(filepath.FromSlash(name))
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q leaves the folder", name)
	}
	// Below a link, ".." means something else than it reads, so nothing goes there.
	for folder := filepath.Dir(name); folder != "."; folder = filepath.Dir(folder) {
		if info, err := u.root.Lstat(folder); err == nil && !info.IsDir() {
			return fmt.Errorf("%q lies below %q, which is not a folder", name, folder)
		}
	}
	if mode.IsDir() {
		return u.root.MkdirAll(name, 0o755)
	}
	if err := u.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	switch {
	case mode&fs.ModeSymlink != 0:
		if filepath.IsAbs(link) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), link)) {
			return fmt.Errorf("link %q leaves the folder: to %q", name, link)
		}
		return u.root.Symlink(link, name)
	case mode.IsRegular():
		return u.file(name, mode, body)
	}
	return fmt.Errorf("%q is neither file, folder nor symbolic link", name)
}

func (u *unpacker) file(name string, mode fs.FileMode, body io.Reader) error {
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644|mode.Perm()&0o111)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(body, u.left.bytes+1))
	if u.left.bytes -= n; err == nil && u.left.bytes < 0 {
		err = errors.New("larger, when unpacked, than any release of llama.cpp")
	}
	return errors.Join(err, f.Close())
}
