package provision

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// An aptSource is one place that the machine's apt is configured to fetch
// binary packages from: see sources.list(5).
type aptSource struct {
	uri        string
	suite      string
	components []string
	// signedBy is passed on as it is: names of keyrings, fingerprints, or a key
	// itself over several lines. Empty means all keys that apt trusts.
	signedBy string
	// checkValidUntil is passed on too: a snapshot's validity is long over.
	checkValidUntil string
}

const maxSourcesFile = 1 << 20

var sourcesName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(list|sources)$`) // others are ignored by apt as well

// readAptSources reads what apt is configured with below root. Lines that it
// cannot make out are returned as problems: apt itself is the judge of its
// configuration, and one bad line must not hide a good one.
func readAptSources(root string) (sources []aptSource, problems []error) {
	paths := []string{filepath.Join(root, "etc/apt/sources.list")}
	parts, err := os.ReadDir(filepath.Join(root, "etc/apt/sources.list.d"))
	if err != nil && !os.IsNotExist(err) {
		problems = append(problems, err)
	}
	for _, p := range parts {
		if sourcesName.MatchString(p.Name()) {
			paths = append(paths, filepath.Join(root, "etc/apt/sources.list.d", p.Name()))
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil && info.Size() > maxSourcesFile {
			err = fmt.Errorf("%s: larger than %d bytes", path, maxSourcesFile)
		}
		var data []byte
		if err == nil {
			data, err = os.ReadFile(path)
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		parse := parseOneLine
		if strings.HasSuffix(path, ".sources") {
			parse = parseDeb822
		}
		found, bad := parse(path, string(data))
		sources, problems = append(sources, found...), append(problems, bad...)
	}
	return sources, problems
}

var oneLine = regexp.MustCompile(`^deb\s+(?:\[([^\]]*)\]\s*)?([!-~]+)\s+([!-~]+)\s*(.*)$`)

// parseOneLine reads the format of sources.list, addresses and suites being
// printable ASCII:
//
//	deb [signed-by=/usr/share/keyrings/a.gpg] http://host/debian suite component...
func parseOneLine(path, text string) (sources []aptSource, problems []error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "deb-src") {
			continue
		}
		m := oneLine.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[2], `"`) || strings.HasPrefix(m[3], `"`) || strings.Trim(m[2], "/") == "" {
			problems = append(problems, fmt.Errorf("%s:%d: not understood: %.80q", path, n, line))
			continue
		}
		s := aptSource{uri: strings.TrimRight(m[2], "/"), suite: m[3], components: strings.Fields(m[4])}
		for _, option := range strings.Fields(m[1]) {
			key, value, _ := strings.Cut(option, "=")
			switch strings.ToLower(key) {
			case "signed-by":
				s.signedBy = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ',' }), " ")
			case "check-valid-until":
				s.checkValidUntil = value
			}
		}
		sources = append(sources, s)
	}
	return sources, problems
}

// parseDeb822 reads the format of debian.sources: stanzas of "Field: value",
// a value going on over lines that start with a space.
func parseDeb822(path, text string) (sources []aptSource, problems []error) {
	fields, last, n := map[string]string{}, "", 0
	for line := range strings.Lines(text + "\n\n") {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "": // one with spaces does not end a stanza, says apt 2.6
			sources = append(sources, stanza(fields)...)
			fields, last = map[string]string{}, ""
		case (line[0] == ' ' || line[0] == '\t') && last != "":
			fields[last] += "\n" + line
		default:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				problems = append(problems, fmt.Errorf("%s:%d: not understood: %.80q", path, n, line))
				continue
			}
			last = strings.ToLower(strings.TrimSpace(key))
			fields[last] = strings.TrimSpace(value)
		}
	}
	return sources, problems
}

func stanza(fields map[string]string) (sources []aptSource) {
	off := []string{"no", "false", "without", "off", "disable", "0"}
	if slices.Contains(off, strings.ToLower(fields["enabled"])) || !slices.Contains(strings.Fields(fields["types"]), "deb") {
		return nil
	}
	for _, uri := range strings.Fields(fields["uris"]) {
		if uri = strings.TrimRight(uri, "/"); uri == "" {
			continue
		}
		for _, suite := range strings.Fields(fields["suites"]) {
			sources = append(sources, aptSource{
				uri:             uri,
				suite:           suite,
				components:      strings.Fields(fields["components"]),
				signedBy:        fields["signed-by"],
				checkValidUntil: fields["check-valid-until"],
			})
		}
	}
	return sources
}
