package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An aptState is a private state of apt: it can resolve and download packages
// of any suite as any user, and neither reads nor changes what is installed.
// It stays until an entry is published, so an interrupted download goes on.
type aptState struct {
	*holding
	dir   string
	arch  string // as dpkg calls it
	pkg   string // that is wanted
	alone bool   // without what it depends on, which the machine has

	beside []string // packages that come with it where the suite has them
}

// A deb is a package to unpack.
type deb struct {
	fetched
	path string
}

// configuration is read after the machine's own, whose proxies and credentials
// hold. Signature checks are on whatever the machine says. Cleared are: hooks
// of apt-get update (they clean or refresh what belongs to the system), and the
// pinned release and foreign architectures, which do not apply here. The two
// cache files, which container images switch off, halve the work of resolving.
const configuration = `Dir::State "%[1]s/state";
Dir::State::lists "%[1]s/lists";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Dir::Cache::archives "%[1]s/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist "%[1]s/archive.sources";
Dir::Etc::sourceparts "%[1]s/none";
Dir::Etc::preferences "%[1]s/none/preferences";
Dir::Etc::preferencesparts "%[1]s/none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
#clear APT::Architectures;
APT::Architectures:: "%[2]s";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Keep-Downloaded-Packages "true";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::ForceHash "SHA256";
Acquire::Languages "none";
Acquire::Retries "3";
`

// update makes the private state know one archive and suite.
func (a *aptState) update(ctx context.Context, archive aptSource) error {
	if strings.ContainsAny(a.dir, ":;\"\\$%\n") {
		return fmt.Errorf("the path of the cache folder has a character that apt or the loader reads otherwise: %q; set LLAMA_REGRESS_CACHE", a.dir)
	}
	for _, dir := range []string{"state", "lists/partial", "cache", "archives/partial", "none/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		"status":          "", // nothing is installed, so everything needed is fetched
		"apt.conf":        fmt.Sprintf(configuration, a.dir, a.arch),
		"archive.sources": archive.deb822(a.arch),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	out, err := a.aptGet(ctx, "update")
	if strings.Contains(out.stderr, "NO_PUBKEY") || strings.Contains(out.stderr, "is not signed") {
		by := archive.signedBy
		if by == "" || strings.Contains(by, "\n") {
			by = "the configured keys"
		}
		return fmt.Errorf("its signature cannot be verified with %s, and unverified packages are not used; update the distribution's keyring package: %w", by, err)
	}
	return err
}

// aptGet runs apt-get on the private state, in the folder of its archives: its
// command "download" writes into the folder it runs in.
func (a *aptState) aptGet(ctx context.Context, args ...string) (output, error) {
	argv := append([]string{"apt-get", "-c", filepath.Join(a.dir, "apt.conf"), "-q", "-y"}, args...)
	return command{argv: argv, dir: filepath.Join(a.dir, "archives"), hold: a.lock}.run(ctx)
}

var debLine = regexp.MustCompile(`^'([^']+)' ([^ /]+\.deb) (\d+) SHA256:([0-9a-f]{64})$`)

// resolve returns the package and everything it depends on, by name. It shows
// apt an empty archives folder: apt leaves out what an earlier try downloaded.
func (a *aptState) resolve(ctx context.Context) ([]deb, error) {
	empty := filepath.Join(a.dir, "none")
	verb := "install"
	if a.alone {
		verb = "download"
	}
	out, err := a.aptGet(ctx, append([]string{"-o", "Dir::Cache::archives=" + empty, "--print-uris", verb, a.pkg}, a.beside...)...)
	if err != nil {
		return nil, err
	}
	var debs []deb
	for line := range strings.Lines(string(out.stdout)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "'") {
			continue
		}
		m := debLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("apt-get --print-uris: not understood: %.200q", line)
		}
		d := deb{path: filepath.Join(a.dir, "archives", m[2])}
		if local, ok := strings.CutPrefix(m[1], "file:"); ok { // apt leaves those where they are
			if d.path, err = url.PathUnescape(strings.TrimPrefix(local, "//")); err != nil {
				return nil, err
			}
		}
		// NAME_VERSION_ARCH.deb, the version's colon written as %3a.
		parts := strings.SplitN(m[2], "_", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("apt-get --print-uris: not a package's file name: %q", m[2])
		}
		d.Name, d.SHA256 = parts[0], m[4]
		if d.Version, err = url.PathUnescape(parts[1]); err != nil {
			return nil, err
		}
		if d.Size, err = strconv.ParseInt(m[3], 10, 64); err != nil {
			return nil, err
		}
		debs = append(debs, d)
	}
	slices.SortFunc(debs, func(a, b deb) int { return cmp.Compare(a.Name, b.Name) })
	if len(debs) == 0 {
		return nil, fmt.Errorf("apt-get found nothing to download for %s", a.pkg)
	}
	return debs, nil
}

// download fetches what is not there yet. apt checks what it fetches; what an
// earlier process left is checked here, together with all the rest.
func (a *aptState) download(ctx context.Context, debs []deb) error {
	args := append([]string{"--download-only", "install", a.pkg}, a.beside...)
	if a.alone {
		args = []string{"download", a.pkg}
	}
	if _, err := a.aptGet(ctx, args...); err != nil {
		return err
	}
	var wrong []error
	for _, d := range debs {
		if err := checkSum(d.path, d.SHA256); err != nil {
			wrong = append(wrong, err)
			if strings.HasPrefix(d.path, a.dir) { // not of a mirror that is a folder
				os.Remove(d.path) // so that the next try fetches it anew
			}
		}
	}
	return errors.Join(wrong...)
}
