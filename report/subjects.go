package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
)

// subjectRemarks counts, for the headline, the models and datasets that share
// nothing but their name.
func subjectRemarks(list []compare.Namesake) (remarks []string) {
	for _, kind := range []string{compare.IgnoreModel, compare.IgnoreDataset} {
		apart, ignored := 0, 0
		for _, n := range list {
			switch {
			case n.Kind != kind:
			case n.Ignored:
				ignored++
			default:
				apart++
			}
		}
		if apart > 0 {
			remarks = append(remarks, fmt.Sprintf("not the same %s on both sides", numbered(apart, kind)))
		}
		if ignored > 0 {
			remarks = append(remarks, fmt.Sprintf("unlike %s compared on purpose", plurals(ignored, kind)))
		}
	}
	return remarks
}

// numbered leaves out a number of one: "model", "2 models".
func numbered(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return plural(n, noun)
}

func plurals(n int, noun string) string {
	if n == 1 {
		return noun + "s" // one name, two things
	}
	return plural(n, noun+" pair")
}

// subjectTexts says of which names that holds.
func subjectTexts(list []compare.Namesake) (texts []Text) {
	for _, n := range list {
		end := say(", so what was measured of it was not judged.")
		if n.Ignored {
			end = say(", and was compared all the same, as --ignore %s asks: a change here says nothing of the build alone.", n.Kind)
		}
		texts = append(texts, concat(say("The %s ", n.Kind), quote(n.Name), say(" is another one on the two sides, in "), quoteAll(n.Keys, 8), end))
	}
	return texts
}

// sameSubject advises what to do about the first that was not judged.
func sameSubject(list []compare.Namesake) Text {
	i := slices.IndexFunc(list, func(n compare.Namesake) bool { return !n.Ignored })
	if i < 0 {
		return nil
	}
	n := list[i]
	return concat(say("Measure the same %s on both sides, or give unlike ones different names. To compare them on purpose, add --ignore %s. Here it is ", n.Kind, n.Kind), quote(n.Name), say("."))
}

// ignorable lists the kinds of subjects that keys are of: "model" of
// "model.bytes". Keys come from files too; kinds are our own words.
func ignorable(keys []string) (kinds []string) {
	for _, kind := range []string{compare.IgnoreModel, compare.IgnoreDataset} {
		if slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, kind+".") }) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
