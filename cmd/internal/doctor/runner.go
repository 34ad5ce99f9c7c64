package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/host"
)

// A runner is what can be seen of a self-hosted runner of GitHub Actions on its
// own machine.
type runner struct {
	dir      string   // where it is installed
	home     string   // of its user
	uid      string   // of its user
	groups   []string // of its user
	sudo     string   // what its user may do by sudo without a password; "" for nothing
	metadata bool     // a cloud's metadata service answers
}

// settings is the file .runner, which config.sh writes.
type settings struct {
	Name      string `json:"agentName"`
	Group     string `json:"poolName"`
	URL       string `json:"gitHubUrl"`
	Ephemeral bool   `json:"ephemeral"`
}

// thisRunner is the runner in a folder, asked by its user.
func thisRunner(ctx context.Context, dir string) (runner, error) {
	r := runner{dir: dir}
	u, err := user.Current()
	if err != nil {
		return r, err
	}
	r.home, r.uid = u.HomeDir, u.Uid
	ids, _ := u.GroupIds()
	for _, id := range ids {
		if g, err := user.LookupGroupId(id); err == nil {
			r.groups = append(r.groups, g.Name)
		}
	}
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(limited, "sudo", "-n", "-l").Output(); err == nil {
		_, rights, _ := strings.Cut(string(out), "may run the following commands")
		_, rights, _ = strings.Cut(rights, "\n")
		r.sudo = strings.Join(strings.Fields(rights), " ")
	}
	dialer := net.Dialer{Timeout: time.Second}
	if c, err := dialer.DialContext(limited, "tcp", "169.254.169.254:80"); err == nil {
		c.Close()
		r.metadata = true
	}
	return r, nil
}

// examineRunner looks at the runner in a folder. It asks no administrator's
// question, so it cannot see the settings that decide.
func examineRunner(ctx context.Context, dir string) ([]host.Finding, error) {
	r, err := thisRunner(ctx, dir)
	if err != nil {
		return nil, err
	}
	return r.exposure()
}

// exposure says who gets code onto the runner, and what code finds there.
func (r runner) exposure() ([]host.Finding, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, ".runner"))
	if err != nil {
		return nil, fmt.Errorf("--runner wants the folder in which config.sh set the runner up: %w", err)
	}
	var s settings
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &s); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(r.dir, ".runner"), err)
	}
	return []host.Finding{r.whoseJobs(s), r.between(s), r.rights(), r.keys(), r.network()}, nil
}

const approval = "in Settings, Actions, General: require approval for all external contributors"

// whoseJobs tells what keeps a stranger's workflow off the machine. Labels do not:
// whoever writes the workflow asks for them. GitHub tells the approval setting and the
// limits of a group to administrators alone.
func (r runner) whoseJobs(s settings) host.Finding {
	where := strings.TrimSuffix(strings.TrimPrefix(s.URL, "https://"), "/")
	f := host.Finding{Check: "runner jobs", Severity: host.Unknown, Found: fmt.Sprintf("%s is for all workflows of %s that ask for its labels, those of pull requests too: no label keeps a fork out; look %s", s.Name, where, approval)}
	if strings.Count(where, "/") == 1 { // an organization's, or an enterprise's
		f.Found = fmt.Sprintf("%s is in the group %q of %s: look whether the group is limited to selected repositories, and to selected workflows of a default branch; no label keeps a fork out", s.Name, s.Group, where)
		if strings.EqualFold(s.Group, "Default") {
			f.Severity, f.Why = host.Soft, "the group Default takes jobs of every repository it is open to, and a fork's pull request brings its own workflow"
			f.Change = "put it into a group of its own that selected workflows may use alone; and " + approval
		}
	}
	return f
}

func (r runner) between(s settings) host.Finding {
	if s.Ephemeral {
		return host.Finding{Check: "runner state", Severity: host.Fine, Found: "registered for one job at a time"}
	}
	return host.Finding{Check: "runner state", Severity: host.Soft, Found: "one registration for all jobs",
		Why: "what one job leaves behind the next one finds", Change: "config.sh --ephemeral, on a machine that is reset after each job"}
}

// rights that make a job as good as root.
func (r runner) rights() host.Finding {
	var has []string
	if r.uid == "0" {
		has = append(has, "it runs as root")
	}
	for _, g := range []string{"docker", "lxd", "libvirt", "disk", "sudo", "wheel"} {
		if slices.Contains(r.groups, g) {
			has = append(has, "its user is in the group "+g)
		}
	}
	if r.sudo != "" {
		has = append(has, "its user may use sudo without a password: "+r.sudo)
	}
	if has == nil {
		return host.Finding{Check: "runner rights", Severity: host.Fine, Found: "no root, no sudo, no group as good as root"}
	}
	return host.Finding{Check: "runner rights", Severity: host.Hard, Found: strings.Join(has, "; "),
		Why: "whoever gets code measured here owns the machine, and every later measurement", Change: "a user of its own for the runner, without sudo, also for hold-scheduler, and in no such group"}
}

// keys of the runner's user, which every job can read.
func (r runner) keys() host.Finding {
	var found []string
	for _, pattern := range []string{".ssh/id_*", ".aws/credentials", ".config/gh/hosts.yml", ".docker/config.json", ".netrc", ".git-credentials", ".kube/config", ".config/gcloud/credentials.db", ".cache/huggingface/token", ".huggingface/token"} {
		names, _ := filepath.Glob(filepath.Join(r.home, filepath.FromSlash(pattern)))
		for _, name := range names {
			if !strings.HasSuffix(name, ".pub") {
				found = append(found, strings.TrimPrefix(name, r.home+string(filepath.Separator)))
			}
		}
	}
	if found == nil {
		return host.Finding{Check: "runner keys", Severity: host.Fine, Found: "none where programs keep them"}
	}
	return host.Finding{Check: "runner keys", Severity: host.Hard, Found: "in its home: " + strings.Join(found, ", "),
		Why: "what is measured can read and send them", Change: "remove them from this user's home"}
}

func (r runner) network() host.Finding {
	if !r.metadata {
		return host.Finding{Check: "runner network", Severity: host.Fine, Found: "no cloud's metadata service answers"}
	}
	return host.Finding{Check: "runner network", Severity: host.Hard, Found: "169.254.169.254 answers",
		Why: "a cloud's metadata service hands out the machine's credentials", Change: "a firewall rule that keeps the runner's user from 169.254.169.254"}
}
