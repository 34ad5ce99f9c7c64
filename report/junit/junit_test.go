package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	gojunit "github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func render(t testing.TB, r report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := junit.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parse reads a file back as a consumer would.
func parse(t testing.TB, file []byte) gojunit.Testsuites {
	t.Helper()
	var all gojunit.Testsuites
	if err := xml.Unmarshal(file, &all); err != nil {
		t.Fatalf("does not parse: %v", err)
	}
	return all
}

func TestGolden(t *testing.T) {
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			reporttest.Golden(t, c.Name+".xml", string(render(t, c.Report())))
		})
	}
}

// A pipeline that fails on failures and errors has to agree with the exit code.
func TestAgreesWithTheOutcome(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := c.Report()
		all := parse(t, render(t, r))
		if failed, want := all.Failures+all.Errors > 0, r.Outcome != compare.Passed; failed != want {
			t.Errorf("%s: %d failures and %d errors, outcome %s", c.Name, all.Failures, all.Errors, r.Outcome)
		}
	}
}

func TestElementsByClass(t *testing.T) {
	for _, fails := range []bool{false, true} {
		for _, c := range []reporttest.Case{reporttest.Regression(), reporttest.Reasons()} {
			if c.Result.Policy.FailOn = compare.OnRegression; fails {
				c.Result.Policy.FailOn = compare.OnInconclusive
			}
			r := c.Report()
			failures, skipped := r.Counts.Regressions, r.Counts.Inconclusive+r.Counts.Unjudged
			if fails {
				failures, skipped = r.Counts.Regressions+r.Counts.Inconclusive, r.Counts.Unjudged
			} else {
				for _, row := range r.Rows { // a clear loss that is not believed is no pass whatever the policy
					if row.Fails && row.Class != report.Regression {
						failures, skipped = failures+1, skipped-1
					}
				}
			}
			all := parse(t, render(t, r))
			gotSkipped, errors := 0, 0
			for _, s := range all.Suites {
				gotSkipped += s.Skipped
				for _, tc := range s.Testcases {
					if tc.Error != nil && !strings.HasPrefix(tc.Name, "trials ") {
						errors++
					}
				}
			}
			if all.Failures != failures || gotSkipped != skipped || errors != r.Counts.Unmeasured {
				t.Errorf("%s, inconclusive fails %v: %d failures, %d skipped, %d errors of rows; want %d, %d, %d",
					c.Name, fails, all.Failures, gotSkipped, errors, failures, skipped, r.Counts.Unmeasured)
			}
		}
	}
}

// Names say what is measured, so they must not depend on how it ended nor on
// what else was measured.
func TestNamesAreStable(t *testing.T) {
	names := func(r report.Report) map[string]bool {
		set := make(map[string]bool)
		for _, s := range parse(t, render(t, r)).Suites {
			for _, tc := range s.Testcases {
				set[tc.Classname+"/"+tc.Name] = true
			}
		}
		return set
	}
	whole := reporttest.Regression()
	all := names(whole.Report())
	whole.Result.Comparisons = whole.Result.Comparisons[:3]
	for i := range whole.Result.Comparisons {
		c := &whole.Result.Comparisons[i]
		c.Verdict, c.Reason = compare.Equivalent, nil
	}
	whole.Result.Failures = nil
	part := names(whole.Report())
	if len(part) != 5 { // two cells, three comparisons
		t.Errorf("%d tests, want 5", len(part))
	}
	for name := range part {
		if !all[name] {
			t.Errorf("%q is called otherwise in the whole report", name)
		}
	}
}

// Readers split a class at its dots, and make a path of it where there is no file.
func TestClassIsNoPath(t *testing.T) {
	for _, c := range reporttest.Cases() {
		for _, s := range parse(t, render(t, c.Report())).Suites {
			for _, tc := range s.Testcases {
				if n := strings.Count(tc.Classname, "."); n > 2 || strings.Contains(tc.Classname, "/") {
					t.Errorf("%s: class %q", c.Name, tc.Classname)
				}
			}
		}
	}
	file := parse(t, render(t, reporttest.Regression().Report())).Suites[0].File
	if file != "out/run.json" {
		t.Errorf("file %q", file)
	}
}

func TestReasonIsContentToo(t *testing.T) {
	for _, s := range parse(t, render(t, reporttest.Regression().Report())).Suites {
		for _, tc := range s.Testcases {
			for _, res := range []*gojunit.Result{tc.Failure, tc.Error, tc.Skipped} {
				if res != nil && (res.Message == "" || strings.TrimSpace(res.Data) == "") {
					t.Errorf("%s: message %q, content %q; consumers read one or the other", tc.Name, res.Message, res.Data)
				}
			}
		}
	}
}

func TestAttachments(t *testing.T) {
	tests := map[string]bool{
		"logs/b00.c0005.head.log": true, "logs/a b.log": true,
		"": false, "/a/b": false, "../secret": false, "logs/../../secret": false,
		"a]]b": false, "a|b": false, "a\nb": false, `..\secret`: false, "a\x1b[0mb": false,
	}
	for path, want := range tests {
		c := reporttest.Regression()
		c.Source.TrialLog = func(string) string { return path }
		got := bytes.Contains(render(t, c.Report()), []byte("[[ATTACHMENT|"))
		if got != want {
			t.Errorf("log %q attached: %v, want %v", path, got, want)
		}
	}
}

func TestWriteError(t *testing.T) {
	want := errors.New("disk full")
	for _, after := range []int{0, 100, 3000} {
		if err := junit.Write(&failing{want, after}, reporttest.Regression().Report()); !errors.Is(err, want) {
			t.Errorf("after %d bytes: error %v, want %v", after, err, want)
		}
	}
}

type failing struct {
	err  error
	room int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, f.err
	}
	return len(p), nil
}
