package githubtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Comment is one on an issue or pull request.
type Comment struct {
	ID          int64
	Login, Type string // of its author: "github-actions[bot]" and "Bot"
	Body        string
	Edits       int
}

// A Pull is an open pull request.
type Pull struct {
	Number     int
	Owner      string // of the head repository
	Branch     string
	SHA        string
	HeadRepoID int64
	BaseRepoID int64
}

// An Artifact is what a run left behind.
type Artifact struct {
	ID         int64
	Name       string
	Run        int64
	SHA        string
	HeadRepoID int64
	Expired    bool
	Size       int64  // that GitHub says it has; 0 says the truth
	Data       []byte // what its signed address gives
}

// A Check is a check run.
type Check struct {
	ID         int64
	ExternalID string
	Name, SHA  string
	Body       map[string]any // as last written
	Updates    int
}

// An Issue is one of the repository.
type Issue struct {
	Number      int
	Login, Type string
	Body, State string
	Labels      []string
	Pull        bool // a pull request, which GitHub lists among the issues
	Edits       int
}

// Write puts a comment on a pull request, as its author would.
func (s *Server) Write(pull int, login, kind, body string) *Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(pull, login, kind, body)
}

func (s *Server) write(pull int, login, kind, body string) *Comment {
	s.writes++
	c := &Comment{ID: int64(s.writes), Login: login, Type: kind, Body: body}
	s.comments[pull] = append(s.comments[pull], c)
	return c
}

// Comments returns those on a pull request, oldest first.
func (s *Server) Comments(pull int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Comment
	for _, c := range s.comments[pull] {
		list = append(list, *c)
	}
	return list
}

// Checks returns the check runs, oldest first.
func (s *Server) Checks() []Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Check
	for _, c := range s.checks {
		list = append(list, *c)
	}
	return list
}

// do performs an operation and returns its regular answer.
func (s *Server) do(h http.Header, op *operation, vars map[string]string, query url.Values, body map[string]any) (int, any) {
	path := strings.NewReplacer("{owner}/{repo}", Repo).Replace(op.Path)
	for name, value := range vars {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	number := func(name string) int64 { n, _ := strconv.ParseInt(vars[name], 10, 64); return n }
	switch op.Operation {
	case "issues/list-comments":
		all := s.comments[int(number("issue_number"))]
		from, to := s.page(h, path, query, len(all))
		list := []any{}
		for _, c := range all[from:to] {
			list = append(list, c.json(op))
		}
		return http.StatusOK, list
	case "issues/create-comment", "issues/update-comment":
		return s.writeComment(op, number, fmt.Sprint(body["body"]))
	case "pulls/list":
		return s.listPulls(h, op, path, query)
	case "actions/list-workflow-run-artifacts":
		return s.listArtifacts(h, op, path, query)
	case "actions/download-artifact":
		h.Set("Location", fmt.Sprintf("%s/%d?sig=secret-signature", s.Blobs, number("artifact_id")))
		return http.StatusFound, nil
	case "checks/list-for-ref":
		list := []any{}
		for _, c := range s.checks {
			if c.SHA == vars["ref"] && c.Name == query.Get("check_name") {
				list = append(list, c.json(op))
			}
		}
		return http.StatusOK, map[string]any{"total_count": len(list), "check_runs": list}
	case "issues/list-for-repo":
		return s.listIssues(h, op, path, query)
	case "issues/create", "issues/update":
		return s.writeIssue(op, number, body)
	case "checks/create", "checks/update":
		return s.writeCheck(op, number, body)
	}
	s.t.Errorf("%s has no implementation here", op.Operation)
	return http.StatusNotImplemented, nil
}

func (s *Server) writeComment(op *operation, number func(string) int64, text string) (int, any) {
	if len(text) > s.MaxBody {
		return http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed",
			"errors": []any{map[string]any{"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body is too long"}}}
	}
	if op.Operation == "issues/create-comment" {
		return http.StatusCreated, s.write(int(number("issue_number")), "github-actions[bot]", "Bot", text).json(op)
	}
	for _, list := range s.comments {
		for _, c := range list {
			if c.ID == number("comment_id") {
				if c.Login != "github-actions[bot]" {
					s.t.Errorf("edited comment %d of %s, who is somebody else", c.ID, c.Login)
				}
				c.Body = text
				c.Edits++
				return http.StatusOK, c.json(op)
			}
		}
	}
	return http.StatusNotFound, map[string]any{"message": "Not Found"}
}

func (c *Comment) json(op *operation) any {
	x := op.example("")
	x["id"], x["body"] = c.ID, c.Body
	x["html_url"] = fmt.Sprintf("https://github.com/%s/pull/1#issuecomment-%d", Repo, c.ID)
	user := x["user"].(map[string]any)
	user["login"], user["type"] = c.Login, c.Type
	return x
}

func (s *Server) listPulls(h http.Header, op *operation, path string, query url.Values) (int, any) {
	var fit []Pull
	for _, p := range s.Pulls {
		if query.Get("state") == "open" && query.Get("head") == p.Owner+":"+p.Branch {
			fit = append(fit, p)
		}
	}
	from, to := s.page(h, path, query, len(fit))
	list := []any{}
	for _, p := range fit[from:to] {
		x := op.example("")
		x["number"] = p.Number
		head, base := x["head"].(map[string]any), x["base"].(map[string]any)
		head["sha"], head["ref"] = p.SHA, p.Branch
		head["repo"].(map[string]any)["id"], base["repo"].(map[string]any)["id"] = p.HeadRepoID, p.BaseRepoID
		list = append(list, x)
	}
	return http.StatusOK, list
}

func (s *Server) listArtifacts(h http.Header, op *operation, path string, query url.Values) (int, any) {
	from, to := s.page(h, path, query, len(s.Artifacts))
	list := []any{}
	for _, a := range s.Artifacts[from:to] {
		x := op.example("artifacts")
		x["id"], x["name"], x["expired"] = a.ID, a.Name, a.Expired
		x["size_in_bytes"] = cmp.Or(a.Size, int64(len(a.Data)))
		of := x["workflow_run"].(map[string]any)
		of["id"], of["head_sha"], of["head_repository_id"] = a.Run, a.SHA, a.HeadRepoID
		list = append(list, x)
	}
	return http.StatusOK, map[string]any{"total_count": len(s.Artifacts), "artifacts": list}
}

func (s *Server) writeCheck(op *operation, number func(string) int64, body map[string]any) (int, any) {
	if op.Operation == "checks/create" {
		s.writes++
		c := &Check{ID: int64(s.writes), Name: fmt.Sprint(body["name"]), SHA: fmt.Sprint(body["head_sha"]), ExternalID: fmt.Sprint(body["external_id"]), Body: body}
		s.checks = append(s.checks, c)
		return http.StatusCreated, c.json(op)
	}
	for _, c := range s.checks {
		if c.ID == number("check_run_id") {
			c.Body, c.ExternalID = body, fmt.Sprint(body["external_id"])
			c.Updates++
			return http.StatusOK, c.json(op)
		}
	}
	return http.StatusNotFound, map[string]any{"message": "Not Found"}
}

func (c *Check) json(op *operation) any {
	x := op.example("check_runs")
	x["id"], x["external_id"], x["name"], x["head_sha"] = c.ID, c.ExternalID, c.Name, c.SHA
	return x
}

func (s *Server) listIssues(h http.Header, op *operation, path string, query url.Values) (int, any) {
	var fit []*Issue
	for _, issue := range s.Issues {
		if slices.Contains(issue.Labels, query.Get("labels")) && query.Get("state") == "all" {
			fit = append(fit, issue)
		}
	}
	from, to := s.page(h, path, query, len(fit))
	list := []any{}
	for _, issue := range fit[from:to] {
		list = append(list, issue.json(op))
	}
	return http.StatusOK, list
}

func (s *Server) writeIssue(op *operation, number func(string) int64, body map[string]any) (int, any) {
	if op.Operation == "issues/create" {
		issue := &Issue{Number: 100 + len(s.Issues), Login: "github-actions[bot]", Type: "Bot", Body: fmt.Sprint(body["body"]), State: "open"}
		if labels, ok := body["labels"].([]any); ok && !s.DropLabels {
			for _, l := range labels {
				issue.Labels = append(issue.Labels, fmt.Sprint(l))
			}
		}
		s.Issues = append(s.Issues, issue)
		return http.StatusCreated, issue.json(op)
	}
	for _, issue := range s.Issues {
		if issue.Number == int(number("issue_number")) {
			issue.Edits++
			if text, ok := body["body"].(string); ok {
				issue.Body = text
			}
			if state, ok := body["state"].(string); ok {
				issue.State = state
			}
			return http.StatusOK, issue.json(op)
		}
	}
	return http.StatusNotFound, map[string]any{"message": "Not Found"}
}

func (i *Issue) json(op *operation) any {
	x := op.example("")
	x["number"], x["body"], x["state"] = i.Number, i.Body, i.State
	x["html_url"] = fmt.Sprintf("https://github.com/%s/issues/%d", Repo, i.Number)
	user := x["user"].(map[string]any)
	user["login"], user["type"] = i.Login, i.Type
	labels := []any{}
	for _, l := range i.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	x["labels"] = labels
	if !i.Pull {
		delete(x, "pull_request")
	}
	return x
}

// serveBlob is the other host: it must never see the token.
func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Authorization"); got != "" {
		s.t.Errorf("the token was sent to another host: %s %s", r.Method, r.URL)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.Artifacts {
		if r.URL.Path == fmt.Sprintf("/%d", a.ID) && r.URL.Query().Get("sig") == "secret-signature" {
			if fault, failing := s.nextFault("blob"); failing {
				answerFault(w, fault)
				return
			}
			if _, err := w.Write(a.Data); err != nil {
				s.t.Log(err)
			}
			return
		}
	}
	s.t.Errorf("unexpected request to the other host: %s %s", r.Method, r.URL)
	http.NotFound(w, r)
}
