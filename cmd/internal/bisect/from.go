package bisect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxNightlyBytes bounds a nightly's JSON report.
const maxNightlyBytes = 256 << 20

// A suspectRange is what a change point of a nightly's report says to search.
type suspectRange struct {
	id, title    string
	good, bad    string // commits
	cell, metric string // that moved most
}

// readChangePoint takes a change point from the JSON report of a nightly: the
// one of that ID or, without one, the worst regression that is open.
func readChangePoint(path, id string) (suspectRange, error) {
	f, err := os.Open(path)
	if err != nil {
		return suspectRange{}, err
	}
	defer f.Close()
	type night struct {
		Commit string `json:"commit"`
	}
	var doc struct {
		Schema   string `json:"schema"`
		Machines []struct {
			ChangePoints []struct {
				ID    string `json:"id"`
				State string `json:"state"`
				Worse bool   `json:"worse"`
				Title string `json:"title"`
				Rows  []struct {
					Class      string `json:"class"`
					Comparison struct {
						Cell   string `json:"cell"`
						Metric struct {
							Name string `json:"name"`
						} `json:"metric"`
					} `json:"comparison"`
				} `json:"rows"`
				SurelyGood night `json:"surely_good"`
				SurelyBad  night `json:"surely_bad"`
			} `json:"change_points"`
		} `json:"machines"`
	}
	if err := json.NewDecoder(io.LimitReader(f, maxNightlyBytes)).Decode(&doc); err != nil {
		return suspectRange{}, fmt.Errorf("%s: %w", path, err)
	}
	if !strings.HasPrefix(doc.Schema, "llama-regress/nightly/") {
		return suspectRange{}, fmt.Errorf("%s: not the JSON report of a nightly; 'llama-regress nightly --json' writes one", path)
	}
	var ids []string
	for _, m := range doc.Machines {
		for _, c := range m.ChangePoints {
			if c.Worse && c.State == "open" {
				ids = append(ids, c.ID)
			}
			if c.ID != id && (id != "" || !c.Worse || c.State != "open") {
				continue
			}
			s := suspectRange{id: c.ID, title: c.Title, good: c.SurelyGood.Commit, bad: c.SurelyBad.Commit}
			for _, r := range c.Rows {
				if r.Class == "regression" {
					s.cell, s.metric = r.Comparison.Cell, r.Comparison.Metric.Name
					break
				}
			}
			switch {
			case s.metric == "":
				return s, fmt.Errorf("%s: nothing of change point %s got worse", path, c.ID)
			case s.good == "" || s.bad == "":
				return s, fmt.Errorf("%s: the nights around change point %s do not know their commits: name them with --good and --bad", path, c.ID)
			case s.good == s.bad:
				return s, fmt.Errorf("%s: the nights around change point %s measured the same commit, %s: no commit is to blame", path, c.ID, s.good)
			}
			return s, nil
		}
	}
	switch {
	case id != "" && len(ids) > 0:
		return suspectRange{}, fmt.Errorf("%s: no change point is %q; open are %s", path, id, strings.Join(ids, ", "))
	case id != "":
		return suspectRange{}, fmt.Errorf("%s: no change point is %q", path, id)
	}
	return suspectRange{}, errors.New(path + ": no regression is open")
}
