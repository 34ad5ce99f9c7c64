package environ_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
)

func TestSecret(t *testing.T) {
	for _, name := range []string{
		"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "LLAMA_REGRESS_GIT_TOKEN", "HF_TOKEN", "github_token", "TOKEN",
		"GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY",
		"ACTIONS_RUNTIME_TOKEN", "ACTIONS_RUNTIME_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_CACHE_URL",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_CLIENT_SECRET",
		"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "MY_API_KEY", "LLAMA_REGRESS_WEBHOOK", "SLACK_WEBHOOK_URL", "DB_PASSWORD", "SSH_AUTH_SOCK", "GIT_ASKPASS", "GIT_CONFIG_VALUE_0",
	} {
		if !environ.Secret(name) {
			t.Errorf("%s is inherited", name)
		}
	}
	for _, name := range []string{
		"PATH", "HOME", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OMP_PROC_BIND", "CUDA_VISIBLE_DEVICES", "HF_HOME", "HF_TOKENIZER", "LLAMA_CACHE",
		"LLAMA_REGRESS_CACHE", "GITHUB_SHA", "GITHUB_ACTIONS", "CI", "RUNNER_TEMP", "RUNNER_TRACKING_ID", "PWD", "OLDPWD", "http_proxy", "XAUTHORITY",
		"CCACHE_DIR", "CMAKE_GENERATOR", "PATCH", "KEYBOARD", "AUTHOR", "GOAMD64", "",
	} {
		if environ.Secret(name) {
			t.Errorf("%s is kept back", name)
		}
	}
}

func TestWithout(t *testing.T) {
	env := []string{"A=1", "GITHUB_TOKEN=x=y", "B", "=C:=C:\\", "GITHUB_ENV=/f", "Z=2"}
	if got, want := strings.Join(environ.Without(env), " "), "A=1 B =C:=C:\\ Z=2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if env[1] != "GITHUB_TOKEN=x=y" {
		t.Error("the list that was given is changed")
	}
}
