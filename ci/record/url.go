package record

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// KeyVariable is the environment variable that holds the key of a server that already
// runs, where its arm names no other one.
const KeyVariable = "LLAMA_REGRESS_API_KEY"

// keyVariables are the only variables whose values are ever sent to a server: a
// configuration may be anybody's, and must not choose among the secrets of a job.
var keyVariables = regexp.MustCompile(`^` + KeyVariable + `(_[A-Z0-9_]{1,64})?$`)

// CheckKeyVariable says why a variable cannot hold the key of a server.
func CheckKeyVariable(name string) error {
	if !keyVariables.MatchString(name) {
		return fmt.Errorf("want %s, or a name that goes on from it, such as %s_HEAD: no other variable is ever sent to a server", KeyVariable, KeyVariable)
	}
	return nil
}

// mostURL bounds the address of a server, characters.
const mostURL = 500

// ServerURL returns the address of a server as it is recorded: scheme, host and path,
// without the "/v1" of OpenAI's interface, which every route has. An address that holds
// a name, a key or a query is refused, since addresses are published; the error does not
// repeat it.
func ServerURL(text string) (string, error) {
	if len(text) > mostURL {
		return "", fmt.Errorf("want at most %d characters", mostURL)
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", errors.New("this is no address: want http://HOST:PORT or https://HOST:PORT")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", errors.New("want http://HOST:PORT or https://HOST:PORT")
	case u.User != nil:
		return "", fmt.Errorf("holds a name or a password, and addresses are published: put the key into the variable %s", KeyVariable)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", fmt.Errorf("holds a query, which no route has: leave out what follows the path; a key belongs into the variable %s", KeyVariable)
	}
	if port := u.Port(); port == map[string]string{"http": "80", "https": "443"}[u.Scheme] && port != "" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	u.Path, u.RawPath = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1"), ""
	return u.String(), nil
}

// Loopback reports whether an address is this machine's own, so that nobody between
// hears what is sent there.
func Loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
