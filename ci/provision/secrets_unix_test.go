//go:build unix

package provision

import (
	"strings"
	"testing"
)

// What prepares a machine runs scripts of packages: they get no secret.
func TestCommandsInheritNoSecrets(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "not-for-you")
	t.Setenv("GITHUB_PATH", "not-for-you")
	t.Setenv("A_SETTING", "for-you")
	out, err := command{argv: []string{"env"}}.run(t.Context())
	if err != nil || strings.Contains(string(out.stdout), "not-for-you") || !strings.Contains(string(out.stdout), "A_SETTING=for-you") {
		t.Errorf("%v; a command inherits\n%s", err, out.stdout)
	}
}
