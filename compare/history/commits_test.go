package history

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

func TestCommitsBetween(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	nights := historytest.Checkout(t, dir, historytest.Slower+2)
	t.Setenv("GIT_DIR", t.TempDir()) // as of a job that runs inside another repository's hook
	checkout, err := OpenCheckout(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	got := checkout.Between(ctx, nights[historytest.Slower-1], nights[historytest.Slower][:9], 2)
	if got.Why != "" || got.Total != 3 || len(got.List) != 2 || got.List[0].SHA != nights[historytest.Slower] {
		t.Fatalf("%+v", got)
	}
	all := checkout.Between(ctx, nights[historytest.Slower-1], nights[historytest.Slower], 10)
	if last := all.List[len(all.List)-1]; !strings.Contains(last.Subject, "<b>less</b>") || last.Author != "A. Author" || last.Time.IsZero() {
		t.Errorf("%+v", last) // what a commit says is passed on as it is, to be made harmless where it is written
	}
	for name, c := range map[string][2]string{
		"does not name":         {"Debian", nights[1]},
		"built from one commit": {nights[1][:9], nights[1]},
		"has no commit":         {strings.Repeat("12", 20), nights[1]},
		"is no ancestor of":     {nights[2], nights[1]},
	} {
		if got := checkout.Between(ctx, c[0], c[1], 10); !strings.Contains(got.Why, name) || len(got.List) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, option := range []string{"--output=x", "-n1", "master"} {
		if got := checkout.Between(ctx, option, nights[1], 10); got.Why == "" {
			t.Errorf("%s was given to git: %+v", option, got)
		}
	}
	if _, err := OpenCheckout(ctx, os.TempDir()+"/nowhere"); err == nil {
		t.Error("a folder that is not there is no checkout")
	}
}
