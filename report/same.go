package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
)

// sameRemarks says, for the headline, that candidates are the baseline's own build.
func sameRemarks(res *compare.Result) []string {
	n := len(res.Same)
	if n == 0 {
		return nil
	}
	what := "run the same program"
	if res.Libraries {
		what = "are the same build"
	}
	var arms []string
	for _, c := range res.Comparisons {
		if !slices.Contains(arms, c.Candidate.Arm) {
			arms = append(arms, c.Candidate.Arm)
		}
	}
	if len(arms) <= 1 {
		return []string{"both arms " + what}
	}
	return []string{fmt.Sprintf("%s and the baseline %s", plural(n, "candidate"), what)}
}

// sameTexts names them.
func sameTexts(res *compare.Result) []Text {
	if len(res.Same) == 0 {
		return nil
	}
	libraries := ". Which libraries it loads is not known, and they may differ."
	if res.Libraries {
		libraries = ", and so are the libraries of llama.cpp that it loads."
	}
	return []Text{concat(say("The program of "), quoteAll(res.Same, 8), say(" is byte for byte that of the baseline, run with the same settings%s A change found here is none of the program's.", libraries))}
}

// ignoreAdvice says in what cells of one model and test differ that were not
// compared.
func ignoreAdvice(res *compare.Result) Text {
	var each []Text
	for _, name := range res.Ignorable {
		for _, d := range res.Differences {
			if d.Key == "param."+name && d.Hard {
				each = append(each, concat(quote(name), say(" ("), quote(orUnset(d.Baseline)), say(" and "), quote(orUnset(d.Candidate)), say(")")))
				break
			}
		}
	}
	if each == nil {
		return nil
	}
	return concat(say("Cells of one model and test were not compared, because they differ in "), join(", ", each...), say(". Compare them all the same with --ignore, if that is meant; the report then tells the difference."))
}

func orUnset(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

// ignoring is a command with those names among what it ignores.
func ignoring(command, names []string) []string {
	if len(command) == 0 || len(names) == 0 {
		return nil
	}
	return append(slices.Clone(command), "--ignore", strings.Join(names, ","))
}
