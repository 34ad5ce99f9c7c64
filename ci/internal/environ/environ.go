// Package environ decides what programs inherit that nobody vouches for: what is
// measured, what builds it, and what is loaded for it. They may be anybody's code,
// as in the gate of a pull request, so they get no secret of the job and none of
// the files by which a step tells the runner what later steps do.
package environ

import (
	"slices"
	"strings"
)

// runner are the variables of GitHub Actions that name files which the runner
// obeys: whoever writes there decides about later steps of the job.
var runner = []string{"GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}

// agents are the variables through which keys can be used without being seen,
// or that name a file or program with credentials in it.
var agents = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "GIT_ASKPASS", "SSH_ASKPASS", "KUBECONFIG", "DOCKER_AUTH_CONFIG", "NETRC", "CURLOPT_NETRC"}

// clouds begin the variables of services that hand out credentials.
var clouds = []string{"ACTIONS_", "AWS_", "AZURE_", "ARM_CLIENT_", "GOOGLE_APPLICATION_", "CLOUDSDK_", "GIT_CONFIG_"}

// words make a variable a secret wherever they stand in its name, between
// underscores.
var words = []string{"TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY", "PAT", "AUTH", "WEBHOOK", "WEBHOOK_URL"}

// Without returns the entries of env ("NAME=value") that are no secret, in their
// order. env is not changed.
func Without(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return Secret(name)
	})
}

// Secret says whether a variable of that name is kept from programs that nobody
// vouches for. Names are told by their parts: HF_TOKEN is one, HF_TOKENIZER is
// none. The case of letters does not matter.
func Secret(name string) bool {
	name = strings.ToUpper(name)
	if slices.Contains(runner, name) || slices.Contains(agents, name) {
		return true
	}
	if slices.ContainsFunc(clouds, func(c string) bool { return strings.HasPrefix(name, c) }) {
		return true
	}
	parts := "_" + name + "_"
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(parts, "_"+w+"_") })
}
