package provision

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A release is what /etc/os-release says of the machine.
type osRelease struct {
	id       string   // "debian"
	like     []string // "debian", "ubuntu"
	codename string   // "bookworm"; empty where the system has none
}

func readOSRelease(root string) osRelease {
	var r osRelease
	data, err := os.ReadFile(filepath.Join(root, "etc/os-release"))
	if err != nil || len(data) > maxSourcesFile {
		return r // then the suites' own names must do
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			r.id = value
		case "ID_LIKE":
			r.like = strings.Fields(value)
		case "VERSION_CODENAME":
			r.codename = value
		}
	}
	return r
}

// nextSuite is where a package is to be had that the own release is too old
// for. Ubuntu has no sid; its mirrors call the release in the making "devel".
func (r osRelease) nextSuite() string {
	if r.id == "ubuntu" || slices.Contains(r.like, "ubuntu") {
		return "devel"
	}
	return "sid"
}

// rolling are the names by which a suite is called other than by its codename.
var rolling = []string{"sid", "unstable", "testing", "stable", "devel"}

// archives picks from the configured sources those that look like the
// distribution's own archive, the likeliest first and three at most, each with
// its suite and all the components that it is configured with there. Other
// publishers use the distribution's codenames too.
func archives(sources []aptSource, r osRelease) []aptSource {
	var found []aptSource
	for _, s := range sources {
		own := s.suite == r.codename || slices.Contains(rolling, s.suite)
		main := slices.Contains(s.components, "main")
		if !own || strings.HasPrefix(s.uri, "cdrom:") || (!main && !slices.Contains(s.components, "universe")) {
			continue
		}
		i := slices.IndexFunc(found, func(a aptSource) bool { return a.uri == s.uri && a.suite == s.suite })
		if i < 0 {
			found = append(found, s)
			found[len(found)-1].components = nil
			i = len(found) - 1
		}
		for _, c := range []string{"main", "universe"} { // llama.cpp is free software: the rest has none
			if slices.Contains(s.components, c) && !slices.Contains(found[i].components, c) {
				found[i].components = append(found[i].components, c)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b aptSource) int {
		return -cmp.Compare(likeness(a, sources), likeness(b, sources))
	})
	return found[:min(len(found), 3)]
}

// likeness counts the signs of a distribution's own archive: its address, and
// suites that only it has.
func likeness(a aptSource, sources []aptSource) int {
	n := 0
	if slices.Contains([]string{"debian", "ubuntu", "ubuntu-ports"}, path.Base(a.uri)) {
		n++
	}
	if slices.ContainsFunc(sources, func(s aptSource) bool { return s.uri == a.uri && s.suite == a.suite+"-updates" }) {
		n++
	}
	return n
}

// withSuite returns the same archive at another suite.
func (a aptSource) withSuite(suite string) aptSource {
	a.suite = suite
	return a
}

// String names the archive and suite as a person would.
func (a aptSource) String() string { return a.uri + " " + a.suite }

// deb822 writes the source for apt, for packages of one architecture. Options
// that would turn signature checks off (trusted, allow-insecure) were not read,
// so they are not passed on.
func (a aptSource) deb822(arch string) string {
	var b strings.Builder
	field := func(name, value string) {
		switch {
		case strings.HasPrefix(value, "\n"): // a key, which starts on the second line
			b.WriteString(name + ":" + value + "\n")
		case value != "":
			b.WriteString(name + ": " + value + "\n")
		}
	}
	field("Types", "deb")
	field("URIs", a.uri)
	field("Suites", a.suite)
	field("Components", strings.Join(a.components, " "))
	field("Architectures", arch)
	field("Targets", "Packages") // no translations, icons or file lists
	field("Check-Valid-Until", a.checkValidUntil)
	field("Signed-By", a.signedBy)
	return b.String()
}
