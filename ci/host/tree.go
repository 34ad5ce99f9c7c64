package host

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A tree is where a Linux kernel tells about itself: /proc and /sys below a
// root, which is a recorded one in tests. Nothing in it is trusted to be there
// or to be well-formed.
type tree struct{ fs.FS }

// maxFile bounds what is read of one file: /proc/cpuinfo takes some 1.5 KiB a
// processor, so this is enough for 5 000.
const maxFile = 8 << 20

// text is a file's content without blanks around it, "" when it cannot be read.
func (t tree) text(name string) string {
	f, err := t.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(data), "\x00", "")) // a device tree ends its texts in NUL
}

func (t tree) exists(name string) bool {
	_, err := fs.Stat(t.FS, name)
	return err == nil
}

// fields are the "name: value" lines of a file such as /proc/cpuinfo, a map
// for each paragraph; names are in lower case.
func (t tree) fields(name string) []map[string]string {
	var all []map[string]string
	for paragraph := range strings.SplitSeq(t.text(name), "\n\n") {
		one := make(map[string]string)
		for line := range strings.SplitSeq(paragraph, "\n") {
			if key, value, ok := strings.Cut(line, ":"); ok {
				one[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
			}
		}
		if len(one) > 0 {
			all = append(all, one)
		}
	}
	return all
}

// set is a file with a list of numbers such as "0-3,8", nil when there is none.
func (t tree) set(name string) []int { return parseSet(t.text(name)) }

// parseSet reads a kernel's list of numbers. What is not one is nil.
func parseSet(text string) []int {
	const most = 8192 // processors Linux can be built for
	var set []int
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		low, high, ranged := strings.Cut(part, "-")
		if !ranged {
			high = low
		}
		first, err1 := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || first < 0 || last < first || last >= most {
			return nil
		}
		for n := first; n <= last; n++ {
			set = append(set, n)
		}
		if len(set) > most {
			return nil
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// majorMinor is "6.12" of "6.12.41+deb13-amd64", "" of what has no such form.
func majorMinor(release string) string {
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		return ""
	}
	return fmt.Sprintf("%d.%d", major, minor)
}

// counted names what there is several times: "4 x a, 1 x b", sorted by name.
func counted(names []string) string {
	count := make(map[string]int)
	for _, name := range names {
		count[name]++
	}
	var parts []string
	for name, n := range count {
		parts = append(parts, fmt.Sprintf("%d x %s", n, name))
	}
	slices.SortFunc(parts, func(a, b string) int {
		_, nameA, _ := strings.Cut(a, " x ")
		_, nameB, _ := strings.Cut(b, " x ")
		return cmp.Compare(nameA, nameB)
	})
	return strings.Join(parts, ", ")
}

// upward lists p and the folders above it, "." last.
func upward(p string) []string {
	p = path.Clean(strings.Trim(p, "/"))
	for all := []string{p}; ; all = append(all, p) {
		if p == "." || p == "" {
			return all
		}
		p = path.Dir(p)
	}
}
