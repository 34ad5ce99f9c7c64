package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v60/github"
)

// status is the HTTP status of an answer that is an error, 0 for other errors.
func status(err error) int {
	var answer *gh.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// refused reports whether a request was never sent by our own decision.
func refused(err error) bool {
	var no *RefusedError
	return errors.As(err, &no)
}

// unknown reports whether a write may have been done although it failed: the
// connection broke, or the server failed after taking it.
func unknown(err error) bool {
	var limit *LimitError
	switch {
	case err == nil, refused(err), errors.As(err, &limit), errors.Is(err, context.Canceled):
		return false
	case status(err) != 0:
		return status(err) >= 500
	}
	return true
}

// explain says what was tried and, where GitHub refused it, what would help.
// permission is what the token needs.
func explain(err error, what, permission string) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch status(err) {
	case http.StatusUnauthorized:
		hint = "\nthe token is not valid, or no longer: pass GITHUB_TOKEN: ${{ github.token }} in the step's env"
	case http.StatusForbidden:
		hint = "\nthe token needs the permission '" + permission + "' in the job; the run of a fork's pull request never has it, so post from a workflow_run job"
	case http.StatusNotFound:
		hint = "\nit does not exist, or the token may not see it: the job needs the permission '" + permission + "'"
	case http.StatusGone:
		hint = "\ncomments are switched off there"
	}
	return fmt.Errorf("%s: %w%s", what, err, hint)
}
