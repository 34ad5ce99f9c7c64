package github

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A LimitError is a call that GitHub puts off for longer than
// the client may wait. Nothing was written.
type LimitError struct {
	Until     time.Time
	Secondary bool // a limit on bursts, not the hourly one
	Wait      time.Duration
}

func (e *LimitError) Error() string {
	kind := "hourly limit"
	if e.Secondary {
		kind = "limit on bursts"
	}
	return fmt.Sprintf("GitHub's %s holds until %s, longer than the %s allowed for waiting (--api-wait)", kind, e.Until.UTC().Format("15:04:05 UTC"), e.Wait)
}

// errBudget says that the time for waiting is used up.
var errBudget = errors.New("no time left for waiting")

// A limit is an answer that stands for "not now".
type limit struct {
	after     time.Duration
	until     time.Time
	secondary bool
}

// beyond is the error after a pause that did not happen or was cut short.
func (l *limit) beyond(wait time.Duration, err error) error {
	if errors.Is(err, errBudget) {
		return &LimitError{Until: l.until, Secondary: l.secondary, Wait: wait}
	}
	return err
}

// limitOf classifies an answer; nil is none. go-github v60 takes 429 for any
// other error, and after a limit it refuses later calls by itself until a time
// of its own: so the headers that make it do so are taken off here.
//
// What GitHub documents: 403 or 429, then wait for retry-after seconds, else
// until x-ratelimit-reset when x-ratelimit-remaining is 0, else a minute.
func limitOf(resp *http.Response, now time.Time) *limit {
	if resp == nil {
		return nil
	}
	remaining, reset, retry := resp.Header.Get("X-RateLimit-Remaining"), resp.Header.Get("X-RateLimit-Reset"), resp.Header.Get("Retry-After")
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Used"} {
		resp.Header.Del(name)
	}
	burst := resp.StatusCode == http.StatusForbidden && speaksOfBursts(resp)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
	case resp.StatusCode == http.StatusForbidden && (remaining == "0" || retry != "" || burst):
	default:
		return nil
	}
	l := &limit{after: time.Minute, secondary: remaining != "0"}
	if seconds, err := strconv.ParseInt(retry, 10, 32); err == nil && seconds >= 0 {
		l.after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(retry); err == nil {
		l.after = at.Sub(now)
	} else if unix, err := strconv.ParseInt(reset, 10, 64); err == nil && remaining == "0" {
		l.after = time.Unix(unix, 0).Sub(now)
	}
	l.after = max(l.after, 0) + time.Second // clocks differ
	l.until = now.Add(l.after)
	return l
}

// speaksOfBursts looks for the page on secondary limits, which is how GitHub
// marks them where it sends no header.
func speaksOfBursts(resp *http.Response) bool {
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	text := string(body)
	return err == nil && (strings.Contains(text, "#abuse-rate-limits") || strings.Contains(text, "secondary-rate-limits"))
}
