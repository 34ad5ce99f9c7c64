package github

import (
	"net/url"
	"testing"
)

// What go-github might be made to ask for, were a path part ever unchecked.
func TestAdmit(t *testing.T) {
	base, err := apiBase("https://ghes.example/api/v3")
	if err != nil {
		t.Fatal(err)
	}
	tr := &transport{base: base, scope: base.Path + "repos/o/n/"}
	for address, want := range map[string]bool{
		"https://ghes.example/api/v3/repos/o/n/issues/7/comments?page=2": true,
		"https://ghes.example/api/v3/user":                               false,
		"https://ghes.example/api/v3/repos/o/other/issues":               false,
		"https://ghes.example/api/v3/repos/o/n":                          false,
		"https://ghes.example/api/v3/repos/o/n/../../../user":            false,
		"https://ghes.example/api/v3/repos/o/n/%2e%2e/x":                 false,
		"https://ghes.example/api/v3/repos/o/n//x":                       false,
		"https://ghes.example/repos/o/n/issues":                          false,
		"http://ghes.example/api/v3/repos/o/n/issues":                    false,
		"https://ghes.example:8443/api/v3/repos/o/n/issues":              false,
		"https://api.github.com/api/v3/repos/o/n/issues":                 false,
		"https://ghes.example@other.example/api/v3/repos/o/n/issues":     false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.admit(u); (err == nil) != want {
			t.Errorf("%s: %v, want admitted: %v", address, err, want)
		}
	}
}
