package github_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

const (
	listArtifacts = "actions/list-workflow-run-artifacts"
	download      = "actions/download-artifact"
)

func artifact() githubtest.Artifact {
	return githubtest.Artifact{ID: 11, Name: "llama-regress-2", Run: 100, SHA: sha, HeadRepoID: 555, Data: []byte("archive")}
}

func TestDownloadArtifact(t *testing.T) {
	s := githubtest.New(t, listArtifacts, listArtifacts, listArtifacts, download)
	s.PageSize = 1
	old, other := artifact(), artifact()
	old.ID, old.Name = 9, "llama-regress-1"
	other.ID, other.Name = 10, "coverage-2"
	s.Artifacts = []githubtest.Artifact{old, other, artifact()}
	client, _ := dial(t, s)
	got, err := client.DownloadArtifact(context.Background(), readEvent(t, "workflow_run", forkRun()).WorkflowRun, "llama-regress")
	if err != nil || string(got) != "archive" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDownloadArtifactAgain(t *testing.T) {
	s := githubtest.New(t, listArtifacts, download, download, download)
	s.Artifacts = []githubtest.Artifact{artifact()}
	s.Fail("blob", githubtest.Fault{Status: 503}, githubtest.Fault{Status: 500})
	client, clock := dial(t, s)
	got, err := client.DownloadArtifact(context.Background(), readEvent(t, "workflow_run", forkRun()).WorkflowRun, "llama-regress")
	if err != nil || string(got) != "archive" || len(clock.slept) != 2 {
		t.Errorf("%q, %v after %v", got, err, clock.slept)
	}
}

func TestArtifactsThatAreRefused(t *testing.T) {
	cases := map[string]struct {
		change func(*githubtest.Artifact)
		calls  []string
		want   string
	}{
		"another run":        {func(a *githubtest.Artifact) { a.Run = 99 }, []string{listArtifacts}, "another run"},
		"another commit":     {func(a *githubtest.Artifact) { a.SHA = strings.Repeat("a", 40) }, []string{listArtifacts}, "another run"},
		"another repository": {func(a *githubtest.Artifact) { a.HeadRepoID = 1 }, []string{listArtifacts}, "another run"},
		"large":              {func(a *githubtest.Artifact) { a.Size = github.MaxArtifact + 1 }, []string{listArtifacts}, "want at most"},
		"larger than said":   {func(a *githubtest.Artifact) { a.Size = 1; a.Data = make([]byte, github.MaxArtifact+1) }, []string{listArtifacts, download}, "more than"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, c.calls...)
			a := artifact()
			c.change(&a)
			s.Artifacts = []githubtest.Artifact{a}
			client, _ := dial(t, s)
			if _, err := client.DownloadArtifact(context.Background(), readEvent(t, "workflow_run", forkRun()).WorkflowRun, "llama-regress"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestNoArtifact(t *testing.T) {
	gone := artifact()
	gone.Expired = true
	for _, list := range [][]githubtest.Artifact{nil, {gone}} {
		s := githubtest.New(t, listArtifacts)
		s.Artifacts = list
		client, _ := dial(t, s)
		_, err := client.DownloadArtifact(context.Background(), readEvent(t, "workflow_run", forkRun()).WorkflowRun, "llama-regress")
		var none *github.NoArtifactError
		if !errors.As(err, &none) || none.Name != "llama-regress-2" {
			t.Errorf("got %v", err)
		}
	}
}

// The signed address is another host's, and its signature is nobody's business.
func TestSignedAddresses(t *testing.T) {
	for _, to := range []string{"http://blobs.example/x?sig=secret-signature", "ftp://blobs.example/x", "file:///a/b"} {
		s := githubtest.New(t, listArtifacts, download)
		s.Artifacts = []githubtest.Artifact{artifact()}
		s.Fail(download, githubtest.Fault{Status: 302, Header: map[string]string{"Location": to}})
		client, _ := dial(t, s)
		_, err := client.DownloadArtifact(context.Background(), readEvent(t, "workflow_run", forkRun()).WorkflowRun, "llama-regress")
		var refused *github.RefusedError
		if !errors.As(err, &refused) || strings.Contains(err.Error(), "secret-signature") {
			t.Errorf("%s: %v", to, err)
		}
	}
	s := githubtest.New(t, listArtifacts, download)
	s.Artifacts = []githubtest.Artifact{artifact()}
	s.Fail("blob", githubtest.Fault{Status: 302, Header: map[string]string{"Location": "https://elsewhere.example/?sig=secret-signature"}})
	client, _ := dial(t, s)
	_, err := client.DownloadArtifact(context.Background(), readEvent(t, "workflow_run", forkRun()).WorkflowRun, "llama-regress")
	if err == nil || strings.Contains(err.Error(), "secret-signature") {
		t.Errorf("got %v", err)
	}
}
