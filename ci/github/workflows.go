package github

import (
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed workflows/*.yml workflows/hosted/*.yml
var workflowFiles embed.FS

// OwnAction is how this repository's own workflows name its action.
const OwnAction = "./.github/actions/llama-regress"

// actionRef is an action of another repository, pinned: whoever moves a tag
// must not move what runs.
var actionRef = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*@[0-9a-f]{40}$`)

// OwnConfig is the configuration that this repository's own workflows name.
const OwnConfig = "llama-regress.yaml"

// configPath is a path that means itself in YAML, below the top folder.
var configPath = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_./-]*$`)

// Workflows returns the workflows of a gated repository by file name, to be
// put into .github/workflows. action is OwnAction or OWNER/REPO/PATH@SHA; config
// is the configuration's path from the repository's top folder.
func Workflows(action, config string) (map[string][]byte, error) {
	return filled("workflows", action, config)
}

// HostedWorkflows are those that count instructions on GitHub's own runners, for a
// repository without a machine. They lie beside the others under names of their own.
func HostedWorkflows(action, config string) (map[string][]byte, error) {
	return filled("workflows/hosted", action, config)
}

// filled returns the workflows of a folder with action and configuration.
func filled(folder, action, config string) (map[string][]byte, error) {
	if !configPath.MatchString(config) || !filepath.IsLocal(config) {
		return nil, fmt.Errorf("configuration %q: want a path of letters, digits and . _ - / within the repository", config)
	}
	if action != OwnAction && !actionRef.MatchString(action) {
		return nil, fmt.Errorf("action %q: want OWNER/REPO/PATH@COMMIT with all 40 digits of the commit", action)
	}
	files, err := fs.Glob(workflowFiles, folder+"/*.yml")
	if err != nil {
		return nil, err
	}
	all := make(map[string][]byte)
	for _, path := range files {
		data, err := workflowFiles.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all[strings.TrimPrefix(path, folder+"/")] = []byte(strings.NewReplacer("uses: "+OwnAction+"\n", "uses: "+action+"\n", OwnConfig, config).Replace(string(data)))
	}
	return all, nil
}
