package record_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Every class of failure that has a constant is in the list of its kind, once.
func TestListsOfClassesAreWhole(t *testing.T) {
	for _, kind := range []struct {
		file, name string
		listed     []string
	}{
		{"trial.go", "FailureClass", texts(record.FailureClasses)},
		{"request.go", "RequestFailureClass", texts(record.RequestFailureClasses)},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), kind.file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var declared []string
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
				typ, _ := v.Type.(*ast.Ident)
				value, _ := v.Values[0].(*ast.BasicLit)
				if typ != nil && typ.Name == kind.name && value != nil {
					text, _ := strconv.Unquote(value.Value)
					declared = append(declared, text)
				}
			}
			return true
		})
		slices.Sort(declared)
		slices.Sort(kind.listed)
		if len(declared) == 0 || !slices.Equal(declared, kind.listed) {
			t.Errorf("%s: declared %q, listed %q", kind.name, declared, kind.listed)
		}
	}
}

func texts[S ~string](list []S) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}
