package callgrind

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Profile is what a program executed, by function.
type Profile struct {
	Creator string // of the file: "callgrind-3.19.0"; "" when it does not say
	Command string // that was profiled; "" when it does not say
	Parts   int    // of the file; a thread and a dump have one each

	Instructions int64 // of all functions
	// Functions has the most expensive first. Name, File and Object together are unique.
	Functions []Function
}

// A Function is a part of a program's work. All texts are foreign.
type Function struct {
	Name   string // as callgrind prints it
	File   string // with the source lines, which of inlined code is another than the function's own; "" when not known
	Object string // program or library; "" when not known
	// Instructions are those of the function itself, without those of what it calls.
	Instructions int64
}

// identity is what makes a function one.
type identity struct{ name, file, object string }

// Sum adds profiles up: those of several dumps or threads of a process. Without
// any it is empty.
func Sum(profiles ...*Profile) *Profile {
	all := &Profile{}
	costs := make(map[identity]int64)
	for _, p := range profiles {
		all.Creator, all.Command = cmp.Or(all.Creator, p.Creator), cmp.Or(all.Command, p.Command)
		all.Parts += p.Parts
		all.Instructions += p.Instructions
		for _, f := range p.Functions {
			costs[identity{f.Name, f.File, f.Object}] += f.Instructions
		}
	}
	all.Functions = sorted(costs)
	return all
}

// Difference is what many executed beyond few, function by function, the largest
// difference first: what a program does as often in both, such as loading its
// model, cancels. The differences add up to that of the profiles' Instructions, and
// one may be negative. Functions that are one for a reader are one:
//
//   - levels of a recursion ("fib'2" is "fib"),
//   - what the compiler split off ("f.part.0", "f.cold" and "f.constprop.1" are "f"),
//   - all code without a name of an object, whose name is then "",
//
// and objects and files go by the end of their path, so that two builds of one
// source in two folders have the same names.
func Difference(many, few *Profile) []Function {
	costs := make(map[identity]int64)
	for _, f := range many.Functions {
		costs[readable(f)] += f.Instructions
	}
	for _, f := range few.Functions {
		costs[readable(f)] -= f.Instructions
	}
	return sorted(costs)
}

var (
	unnamed   = regexp.MustCompile(`^(0x[0-9a-f]+|\?\?\?)$`)
	recursion = regexp.MustCompile(`'[0-9]+$`)
	// split are the suffixes with which GCC and clang name copies and parts of a
	// function. A lambda or an OpenMP body ("._omp_fn.0") is a function of its own.
	split = regexp.MustCompile(`(\.(part|cold|constprop|isra|lto_priv|llvm|clone)(\.[0-9]+)*| \[clone \.(part|cold|constprop|isra|lto_priv)(\.[0-9]+)*\])+$`)
	// soVersion is what follows ".so" in the name of a library.
	soVersion = regexp.MustCompile(`\.so(\.[0-9]+)+$`)
)

// readable is what a function is known by to a reader.
func readable(f Function) identity {
	id := identity{name: split.ReplaceAllString(recursion.ReplaceAllString(f.Name, ""), "")}
	if unnamed.MatchString(id.name) {
		id.name = ""
	}
	if f.Object != "" {
		id.object = soVersion.ReplaceAllString(path.Base(f.Object), ".so")
	}
	if f.File != "" {
		parts := strings.Split(path.Clean(f.File), "/")
		id.file = strings.Join(parts[max(0, len(parts)-2):], "/")
	}
	return id
}

// sorted lists costs other than 0, the largest first and equal ones by name.
func sorted(costs map[identity]int64) []Function {
	list := make([]Function, 0, len(costs))
	for id, cost := range costs {
		if cost != 0 {
			list = append(list, Function{id.name, id.file, id.object, cost})
		}
	}
	slices.SortFunc(list, func(a, b Function) int {
		return cmp.Or(cmp.Compare(magnitude(b.Instructions), magnitude(a.Instructions)),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.File, b.File), cmp.Compare(a.Object, b.Object))
	})
	return list
}

func magnitude(n int64) int64 { return max(n, -n) }
