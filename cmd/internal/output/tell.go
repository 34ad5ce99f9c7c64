package output

import (
	"context"
	"fmt"
	"time"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/hook"
	"github.com/llama-regress/llama-regress/compare"
)

// HookVariable is the environment variable that holds the address of the web hook: an
// address lets whoever knows it write there, so that it belongs into no command line.
const HookVariable = "LLAMA_REGRESS_WEBHOOK"

// checkHook finds mistakes in what says where to tell.
func checkHook(a *cli.App, o Flags) error {
	switch {
	case o.hook == "" && !o.hookAlways:
		return nil
	case o.hook == "":
		return fmt.Errorf("--webhook-always says when to tell, and nothing says how: add --webhook slack or --webhook json")
	case o.hook != "json" && o.hook != "slack":
		return fmt.Errorf("--webhook %q: want json, or slack for Slack and Mattermost", o.hook)
	case a.Getenv(HookVariable) == "":
		return fmt.Errorf("--webhook %s: the address is missing: put it into %s", o.hook, HookVariable)
	}
	if err := hook.CheckAddress(a.Getenv(HookVariable)); err != nil {
		return fmt.Errorf("%s: %w", HookVariable, err)
	}
	return nil
}

// tell sends a notice where one is wanted. What keeps it from arriving is told and
// changes no verdict.
func tell(a *cli.App, o Flags, n hook.Notice) {
	if o.hook == "" || n.Outcome == compare.Passed && !o.hookAlways {
		return
	}
	body, err := n.JSON()
	if o.hook == "slack" {
		body, err = n.Slack()
	}
	if err == nil {
		err = hook.Send(context.Background(), a.Getenv(HookVariable), body, time.Second)
	}
	if err != nil {
		fmt.Fprintf(a.Err, "the web hook was not told: %s\n", cli.Printable(err.Error()))
	}
}

// runPage is the page of the job that this runs in, "" where it is none of GitHub's.
func runPage(a *cli.App) string {
	server, repo, id := a.Getenv("GITHUB_SERVER_URL"), a.Getenv("GITHUB_REPOSITORY"), a.Getenv("GITHUB_RUN_ID")
	if server == "" || repo == "" || id == "" {
		return ""
	}
	return server + "/" + repo + "/actions/runs/" + id
}
