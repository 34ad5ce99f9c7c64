package html_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report/reporttest"
)

// A part is an element whose content is no HTML.
type part struct{ head, body string }

// cut takes the elements of a name out of a page, of which their first tags stay
// without attributes. It reads as a browser does: such an element ends at the
// first of its closing tags.
func cut(page, name string) (rest string, parts []part) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(page, "<"+name)
		b.WriteString(before)
		if !found {
			return b.String(), parts
		}
		head, after, _ := strings.Cut(after, ">")
		body, after, _ := strings.Cut(after, "</"+name+">")
		parts = append(parts, part{head, body})
		b.WriteString("<" + name + ">")
		page = after
	}
}

func scriptsOf(page []byte) []part {
	_, parts := cut(string(page), "script")
	return parts
}

// dataOf is the JSON that the charts are drawn from.
func dataOf(t testing.TB, page []byte) string {
	t.Helper()
	for _, s := range scriptsOf(page) {
		if s.head == ` type="application/json" id="data"` {
			return s.body
		}
	}
	t.Fatal("the page has no data")
	return ""
}

// skeleton is the page without scripts and style: what names could change.
func skeleton(page []byte) string {
	rest, _ := cut(string(page), "script")
	rest, _ = cut(rest, "style")
	return rest
}

// tagsOf lists the tags of a page, each once.
func tagsOf(page string) (list []string) {
	seen := make(map[string]bool)
	for {
		_, after, found := strings.Cut(page, "<")
		if !found {
			return list
		}
		end := strings.IndexByte(after, '>') + 1
		if tag := "<" + after[:end]; !seen[tag] {
			seen[tag] = true
			list = append(list, tag)
		}
		page = after[end:]
	}
}

// ownTags are the only ones that the template has, attributes included. The
// values in them cannot hold a quote or an angle bracket.
var ownTags = regexp.MustCompile(`^<(?:` + strings.Join([]string{
	`!doctype html`, `html lang="en"`, `/?(?:head|body|main|title|h[123]|p|b|ol|ul|li|dl|dt|dd|td|tr|th|thead|tbody|table|code|pre|section|details|summary|caption|span|div)`,
	`/(?:html|header|footer|button|a)`, `style`, `script`,
	`meta (?:charset="utf-8"|name="(?:viewport|color-scheme)" content="[a-z0-9,= -]*"|http-equiv="Content-Security-Policy" content="[^"<>]*")`,
	`link rel="icon" href="data:,"`,
	`(?:header|button type="button" data-filter="[a-z_]*") data-class="[a-z_]*"(?: aria-pressed="true")?`,
	`section id="(?:steps|failures|serving|capacity|schedulers|grids|work)"`, `br`, `details(?: id="maps"| class="served" id="s-[0-9a-f]*"| class="trial")?(?: open)?`, `footer class="soft"`,
	`(?:p|span|div) class="[a-z ]*"(?: data-class="[a-z_]*")?(?: data-kind="[a-z]*")?(?: role="(?:search|img)")?(?: hidden)?`,
	`span id="shown" class="soft" aria-live="polite"`, `div id="forest" role="img"`, `input id="search"[a-z0-9 =":/()-]*`,
	`table(?: id="(?:comparisons|controls)")?(?: class="(?:rows|rows one|map|trials|data|data map|serving|serving failing)")?(?: data-unit="[A-Za-z0-9/%µ]*")?`,
	`tr(?: id="c-[0-9a-f-]*")?(?: class="(?:row|more|soft)")?(?: data-class="[a-z_]*")?`, `td colspan="10"`, `th class="arm"`, `th data-kind="[a-z]*"`, `td data-value="[0-9.e-]*"(?: data-holds)?`,
	`td class="better" style="--heat:[0-9]{1,3}%" data-value="[0-9.e-]*"(?: title="[^"<>]*")?(?: data-best)?`,
	`td class="[a-z]*"(?: style="--heat:[0-9]{1,3}%")?(?: data-sort="(?:[0-9.e-]|&#43;)*")?`, `th data-sort="(?:class|number)"`,
	`a href="#c-[0-9a-f-]*"`, `a href="(?:[^":\\?#&]|&amp;|&#[0-9]+;)*"`,
}, "|") + `)>$`)

func checkStructure(t *testing.T, name string, page []byte) {
	t.Helper()
	for _, tag := range tagsOf(skeleton(page)) {
		if !ownTags.MatchString(tag) {
			t.Errorf("%s: the page has a tag that is not its own: %.200s", name, tag)
		}
	}
	var heads []string
	for _, s := range scriptsOf(page) {
		heads = append(heads, s.head)
	}
	if !slices.Equal(heads, []string{` type="application/json" id="data"`, ""}) {
		t.Errorf("%s: scripts %q", name, heads)
	}
	data := dataOf(t, page)
	if !json.Valid([]byte(data)) || strings.ContainsAny(data, "<>&\u2028\u2029") {
		t.Errorf("%s: the data is not inert JSON", name)
	}
}

// Whatever a name holds, it stays text.
func TestNoNameBreaksOut(t *testing.T) {
	t.Parallel()
	for _, c := range append(reporttest.Cases(), reporttest.Grid(60, 6)) {
		checkStructure(t, c.Name, tables(t, c.Report()))
	}
}

// FuzzNames tries one name in every place; its seeds are run by every test.
func FuzzNames(f *testing.F) {
	for _, name := range reporttest.Names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		checkStructure(t, name, tables(t, reporttest.Named(name).Report()))
	})
}

// go-echarts can turn a string into code when it renders a page itself. Here no
// script depends on a name: names are in the data, as text.
func TestNoStringBecomesCode(t *testing.T) {
	t.Parallel()
	page := tables(t, reporttest.Named("{1} `2` /* 3 */").Report())
	plain := tables(t, reporttest.Named("name").Report())
	a, b := scriptsOf(page), scriptsOf(plain)
	for i := range a {
		if a[i].head == "" && a[i].body != b[i].body {
			t.Errorf("script %d depends on a name", i)
		}
	}
	if !strings.Contains(dataOf(t, page), "{1} `2` /* 3 */") {
		t.Error("the name is not in the data, so this shows nothing")
	}
}

// No number that JSON lacks leaves a chart blank.
func TestNotFinite(t *testing.T) {
	t.Parallel()
	page := tables(t, reporttest.NotFinite().Report())
	for _, word := range []string{"NaN", "Inf"} {
		if text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(skeleton(page), ""); strings.Contains(text, word) {
			t.Errorf("the page shows %s", word)
		}
	}
	if n := strings.Count(dataOf(t, page), `"gain":null`); n != 4 {
		t.Errorf("%d rows without a place on the axis, want 4", n)
	}
}

var policyPattern = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`)

// The policy stands before anything it has to bind, fetches nothing and lets
// exactly the page's scripts run.
func TestPolicy(t *testing.T) {
	t.Parallel()
	page := string(render(t, reporttest.Hostile().Report()))
	at := policyPattern.FindStringSubmatchIndex(page)
	if at == nil {
		t.Fatal("the page has no policy")
	}
	if before := page[:at[0]]; !strings.HasSuffix(before, "<head>\n<meta charset=\"utf-8\">\n") {
		t.Errorf("before the policy stands %q", before)
	}
	directives := strings.Split(strings.ReplaceAll(page[at[2]:at[3]], "&#39;", "'"), "; ")
	want := []string{"default-src 'none'", "", "style-src 'unsafe-inline'", "img-src data:", "base-uri 'none'", "form-action 'none'"}
	hashes := strings.Fields(strings.ReplaceAll(directives[1], "&#43;", "+"))
	directives[1] = ""
	if !slices.Equal(directives, want) {
		t.Errorf("policy %q, want %q", directives, want)
	}
	scriptHashes := []string{"script-src"}
	for _, s := range scriptsOf([]byte(page)) {
		if s.head == "" {
			sum := sha256.Sum256([]byte(s.body))
			scriptHashes = append(scriptHashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
	}
	if !slices.Equal(hashes, scriptHashes) {
		t.Errorf("the policy allows %q, the page has %q", hashes, scriptHashes)
	}
}

// The page names no host from which anything could be loaded: not in its
// tags, not in its style, and in ECharts only as names of XML dialects and in
// what it says to developers.
func TestNamesNoHost(t *testing.T) {
	t.Parallel()
	page := render(t, reporttest.Hostile().Report())
	for _, tag := range tagsOf(skeleton(page)) {
		if strings.Contains(tag, "//") || strings.Contains(tag, "src=") {
			t.Errorf("a tag loads something: %s", tag)
		}
	}
	_, styles := cut(string(page), "style")
	if regexp.MustCompile(`url\(|@import|//`).MatchString(styles[0].body) {
		t.Error("the style loads something")
	}
	allowed := []string{"www.w3.org", "www.apache.org", "github.com", "echarts.apache.org", "tc39.github.io", "ecma-international.org", "zrender"}
	for _, s := range scriptsOf(page) {
		if s.head != "" {
			continue
		}
		for _, host := range regexp.MustCompile(`(?:https?|wss?)://([A-Za-z0-9.-]+)`).FindAllStringSubmatch(s.body, -1) {
			if !slices.Contains(allowed, host[1]) {
				t.Errorf("a script names the host %s", host[1])
			}
		}
	}
}

// ECharts is the file that was published, with its licence beside it.
func TestECharts(t *testing.T) {
	t.Parallel()
	page := render(t, reporttest.Pass().Report())
	const published = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
	found := false
	for _, s := range scriptsOf(page) {
		sum := sha256.Sum256([]byte(s.body))
		found = found || hex.EncodeToString(sum[:]) == published
	}
	if !found {
		t.Error("no script of the page has the checksum of echarts.min.js 6.1.0")
	}
	for file, text := range map[string]string{"assets/echarts-LICENSE": "Apache License", "assets/echarts-NOTICE": "Apache Software Foundation"} {
		if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), text) {
			t.Errorf("%s: %v; want a text with %q", file, err, text)
		}
	}
	if !strings.Contains(string(page), "The Apache Software Foundation") {
		t.Error("the page does not carry the notice")
	}
}
