package callgrind

import "github.com/llama-regress/llama-regress/ci/record"

// nameless is what a record calls code of an object that has no symbols.
const nameless = unknownName

// Functions is the Difference of two profiles as a record keeps it: by token, of
// which many has processed tokens more than few, the record.MostFunctions that cost
// most, and what all others cost. Together they are the instructions per token.
func Functions(many, few *Profile, tokens int) (functions []record.Function, rest float64) {
	for _, f := range Difference(many, few) {
		perToken := float64(f.Instructions) / float64(tokens)
		if len(functions) == record.MostFunctions {
			rest += perToken
			continue
		}
		if f.Name == "" {
			f.Name = nameless
		}
		functions = append(functions, record.Function{Name: f.Name, File: f.File, Object: f.Object, PerToken: perToken})
	}
	return functions, rest
}
