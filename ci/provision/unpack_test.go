package provision

import (
	"archive/tar"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var small = bound{bytes: 1000, files: 8}

// unpackIn unpacks an archive of the members into a folder, and checks that
// nothing came to lie, or points, outside it. It returns the folder.
func unpackIn(t *testing.T, members []member, ext string) (string, error) {
	t.Helper()
	outside := t.TempDir()
	archive, dir := filepath.Join(outside, "archive"+ext), filepath.Join(outside, "dir")
	data := tarGz
	if ext == ".zip" {
		data = zipped
	}
	if err := os.WriteFile(archive, data(t, members), 0o644); err != nil {
		t.Fatal(err)
	}
	err := unpack(context.Background(), archive, dir, small)
	if there, _ := os.ReadDir(outside); len(there) != 2 {
		t.Errorf("outside the folder there is now %v", there)
	}
	root, rootErr := os.OpenRoot(dir)
	if rootErr != nil {
		t.Fatal(rootErr)
	}
	defer root.Close()
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, path)
		if _, err := root.Stat(rel); err != nil && strings.Contains(err.Error(), "escapes") {
			t.Errorf("%s leads out: %v", rel, err)
		}
		return nil
	})
	return dir, err
}

func TestUnpack(t *testing.T) {
	tests := map[string]struct {
		members []member
		want    string // what the error says
	}{
		"files, folders, links": {releaseMembers, ""},
		"parents not listed":    {[]member{{name: "a/b/c", body: "x"}}, ""},
		"a link beside":         {[]member{{name: "a/lib.so", link: "lib.so.1"}, {name: "a/lib.so.1", body: "x"}}, ""},
		"a link up and down":    {[]member{{name: "a/b", link: "../c/d"}}, ""},
		"up":                    {[]member{{name: "../x", body: "x"}}, `"../x" leaves the folder`},
		"up in the middle":      {[]member{{name: "a/../../x", body: "x"}}, "leaves the folder"},
		"absolute":              {[]member{{name: "/tmp/x", body: "x"}}, "leaves the folder"},
		"a folder above":        {[]member{{name: "../d/", kind: tar.TypeDir}}, "leaves the folder"},
		"a link up":             {[]member{{name: "l", link: ".."}}, `link "l" leaves the folder: to ".."`},
		"a link up from below":  {[]member{{name: "a/l", link: "../../x"}}, "leaves the folder"},
		"an absolute link":      {[]member{{name: "l", link: "/a"}}, `leaves the folder: to "/a"`},
		"through a link":        {[]member{{name: "l", link: "a"}, {name: "l/x", body: "x"}}, `"l/x" lies below "l", which is not a folder`},
		"a link below a link":   {[]member{{name: "l", link: "."}, {name: "l/m", link: ".."}}, "is not a folder"},
		"over a link":           {[]member{{name: "l", link: "a"}, {name: "l", body: "x"}}, "exists"},
		"twice":                 {[]member{{name: "a", body: "1"}, {name: "a", body: "2"}}, "exists"},
		"below a file":          {[]member{{name: "a", body: "1"}, {name: "a/b", body: "2"}}, "is not a folder"},
		"too large":             {[]member{{name: "a", body: strings.Repeat("x", 600)}, {name: "b", body: strings.Repeat("x", 600)}}, "larger, when unpacked"},
		"too many":              {[]member{{name: "1"}, {name: "2"}, {name: "3"}, {name: "4"}, {name: "5"}, {name: "6"}, {name: "7"}, {name: "8"}, {name: "9"}}, "more files"},
		"no name":               {[]member{{name: "", body: "x"}}, ""},
	}
	for name, tt := range tests {
		for _, ext := range []string{".tar.gz", ".zip"} {
			t.Run(name+ext, func(t *testing.T) {
				_, err := unpackIn(t, tt.members, ext)
				if tt.want == "" && name == "no name" {
					tt.want = "." // any error: a file cannot be the folder itself
				}
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		}
	}
	for name, kind := range map[string]byte{"hard link": tar.TypeLink, "device": tar.TypeChar, "pipe": tar.TypeFifo} {
		if _, err := unpackIn(t, []member{{name: "x", kind: kind}}, ".tar.gz"); err == nil || !strings.Contains(err.Error(), "neither file, folder nor symbolic link") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is unpacked is what was packed: contents, links, and who may execute.
func TestUnpackContents(t *testing.T) {
	for _, ext := range []string{".tar.gz", ".zip"} {
		dir, err := unpackIn(t, releaseMembers, ext)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range releaseMembers {
			path := filepath.Join(dir, m.name)
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case m.link != "":
				if to, err := os.Readlink(path); to != m.link || err != nil {
					t.Errorf("%s%s leads to %q, %v", m.name, ext, to, err)
				}
			case m.kind != tar.TypeDir:
				if data, err := os.ReadFile(path); string(data) != m.body || err != nil || info.Mode() != 0o755 {
					t.Errorf("%s%s: %q, mode %v, %v", m.name, ext, data, info.Mode(), err)
				}
			}
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add("a/b", "", "c", "a/b", "x")
	f.Add("l", ".", "l/m", "..", "x")
	f.Add("a/l", "..", "a/l/l", "..", "x")
	f.Add("l", "a", "l/../../x", "", "x")
	f.Fuzz(func(t *testing.T, name1, link1, name2, link2, body string) {
		if len(name1)+len(name2)+len(link1)+len(link2) > 400 || strings.ContainsRune(name1+name2+link1+link2, 0) {
			return
		}
		members := []member{{name: name1, link: link1, body: body}, {name: name2, link: link2, body: body}, {name: name2 + "/z", body: body}}
		for i := range members {
			if members[i].link != "" {
				members[i].body = ""
			}
		}
		unpackIn(t, members, ".tar.gz")
		unpackIn(t, members, ".zip")
	})
}

// A sum is the whole of it: files whose sums begin alike are told apart.
func TestCheckSumComparesAllDigits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	const sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
	if err := checkSum(path, strings.ToUpper(sum)); err != nil {
		t.Error(err)
	}
	for i := range sum {
		wrong := sum[:i] + string(rune("0123456789abcdef0"[strings.IndexByte("0123456789abcdef", sum[i])+1])) + sum[i+1:]
		if checkSum(path, wrong) == nil {
			t.Errorf("digit %d does not count", i+1)
		}
	}
}
