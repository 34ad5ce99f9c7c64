package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	gh "github.com/google/go-github/v60/github"
)

// A NoArtifactError says that a run left nothing of that name behind. It is no
// fault of this job: the measuring one did not get that far.
type NoArtifactError struct {
	Run  int64
	Name string
}

func (e *NoArtifactError) Error() string {
	return fmt.Sprintf("run %d left no artifact %q: it ended before anything was measured, or the artifact has expired", e.Run, e.Name)
}

// DownloadArtifact returns the archive of that name which this very run made.
// Every attempt has an artifact of its own, NAME-ATTEMPT, since GitHub keeps
// those of earlier attempts.
func (c *Client) DownloadArtifact(ctx context.Context, run *WorkflowRun, name string) ([]byte, error) {
	if run.ID <= 0 || run.Attempt <= 0 {
		return nil, errors.New("the event does not say which run to download from")
	}
	full := fmt.Sprintf("%s-%d", name, run.Attempt)
	what := fmt.Sprintf("download artifact %q of run %d", full, run.ID)
	artifact, err := c.findArtifact(ctx, run, full)
	if err != nil {
		return nil, explain(err, what, "actions: read")
	}
	if artifact == nil {
		return nil, &NoArtifactError{run.ID, full}
	}
	for try := 1; ; try++ {
		data, err := c.fetch(ctx, artifact.GetID())
		if err == nil || refused(err) || try == readTries || status(err)/100 == 4 {
			return data, explain(err, what, "actions: read")
		}
		if c.through.pause(ctx, backoff(try), "the artifact did not come") != nil {
			return nil, explain(err, what, "actions: read")
		}
	}
}

// findArtifact returns nil when there is none that can still be had.
func (c *Client) findArtifact(ctx context.Context, run *WorkflowRun, name string) (found *gh.Artifact, err error) {
	err = eachPage(func(page gh.ListOptions) (*gh.Response, error) {
		list, resp, err := c.api.Actions.ListWorkflowRunArtifacts(ctx, c.repo.Owner, c.repo.Name, run.ID, &page)
		if err != nil {
			return resp, err
		}
		for _, a := range list.Artifacts {
			of := a.GetWorkflowRun()
			switch {
			case a.GetName() != name || a.GetExpired():
			case of.GetID() != run.ID || of.GetHeadSHA() != run.HeadSHA || of.GetHeadRepositoryID() != run.HeadRepository.ID:
				return resp, &RefusedError{"it is of another run, commit or repository"}
			case a.GetSizeInBytes() > MaxArtifact:
				return resp, &RefusedError{fmt.Sprintf("it has %d bytes, want at most %d", a.GetSizeInBytes(), MaxArtifact)}
			default:
				found = a
			}
		}
		return resp, nil
	})
	return found, err
}

// fetch asks for the signed address, which holds for minutes, and reads from
// there without a token: it belongs to another host.
func (c *Client) fetch(ctx context.Context, id int64) ([]byte, error) {
	at, _, err := c.api.Actions.DownloadArtifact(ctx, c.repo.Owner, c.repo.Name, id, 0)
	if err != nil {
		return nil, err
	}
	if !secure(at) {
		return nil, &RefusedError{fmt.Sprintf("refused to read from %s://%s", at.Scheme, at.Host)}
	}
	ctx, cancel := context.WithTimeout(ctx, 4*callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return nil, withoutQuery(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", at.Host, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, MaxArtifact+1))
	if err == nil && len(data) > MaxArtifact {
		err = &RefusedError{fmt.Sprintf("it has more than %d bytes", MaxArtifact)}
	}
	return data, err
}

// withoutQuery keeps the signature of an address out of the log.
func withoutQuery(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
