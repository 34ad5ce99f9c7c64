package record_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestServerURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:8080":              "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/":             "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/v1/":          "http://127.0.0.1:8080",
		"HTTP://LocalHost:80/v1":             "http://localhost",
		"https://host:443/llm/v1":            "https://host/llm",
		"http://[::1]:8080":                  "http://[::1]:8080",
		"https://host/a%20b":                 "https://host/a%20b",
		"":                                   "",
		"127.0.0.1:8080":                     "",
		"host":                               "",
		"ftp://host":                         "",
		"http://":                            "",
		"http://:80":                         "",
		"http://name:word@host":              "",
		"http://host?key=secret":             "",
		"http://host/#secret":                "",
		"http://host/\nsecret":               "",
		"http://" + strings.Repeat("h", 500): "",
	} {
		got, err := record.ServerURL(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ServerURL(%q) = %q, %v; want %q", text, got, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "word@")) {
			t.Errorf("ServerURL(%q) repeats it: %v", text, err)
		}
	}
}

// A configuration cannot have other secrets of a job sent anywhere.
func TestCheckKeyVariable(t *testing.T) {
	for name, ok := range map[string]bool{
		"LLAMA_REGRESS_API_KEY": true, "LLAMA_REGRESS_API_KEY_BASE": true, "LLAMA_REGRESS_API_KEY_2": true,
		"": false, "GITHUB_TOKEN": false, "AWS_SECRET_ACCESS_KEY": false, "LLAMA_REGRESS_API_KEYS": false, "LLAMA_REGRESS_API_KEY_": false,
		"LLAMA_REGRESS_GIT_TOKEN": false, "X_LLAMA_REGRESS_API_KEY": false, "LLAMA_REGRESS_API_KEY\nX": false,
	} {
		if err := record.CheckKeyVariable(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:1": true, "http://127.8.0.1": true, "http://[::1]:2/x": true, "http://localhost": true,
		"http://10.0.0.1": false, "https://host": false, "http://localhost.example": false, "": false,
	} {
		if got := record.Loopback(url); got != want {
			t.Errorf("Loopback(%q) = %t", url, got)
		}
	}
}
