// Package docs tests what in this directory is not a page.
package docs

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The picture of `ko up` in the README is drawn from what a terminal showed:
//
//	go test ./docs -update
const (
	recorded = "up.ansi"
	picture  = "up.svg"
	title    = "ko up in a terminal: five services, a compile error, a reload, and the table of all"
)

var update = flag.Bool("update", false, "draw the picture again")

// Sizes in pixels. A cell is a little wider than a character of any usual font.
const (
	margin, top    = 16, 29
	cell, lineStep = 8, 18
	columns        = 118
)

// colours are those of a dark terminal, by the number of their escape sequence.
var colours = map[string]string{"32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#56d4dd"}

var coloured = regexp.MustCompile("\x1b\\[([0-9]+)m(.*?)\x1b\\[0m")

// draw makes the picture of lines of a terminal. Spaces are kept as they are, and
// no length is forced: then the columns stand in line in whatever font is there.
func draw(lines []string) string {
	var out strings.Builder
	width, height := columns*cell+2*margin, top+lineStep*len(lines)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", width, height, title)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" rx="8" fill="#0d1117"/>`+"\n", width, height)
	out.WriteString(`<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="13" fill="#c9d1d9">` + "\n")
	for i, line := range lines {
		if line == "" {
			continue
		}
		text := coloured.ReplaceAllStringFunc(html.EscapeString(line), func(part string) string {
			found := coloured.FindStringSubmatch(part)
			return `<tspan fill="` + colours[found[1]] + `">` + found[2] + `</tspan>`
		})
		fmt.Fprintf(&out, `<text x="%d" y="%d" xml:space="preserve" style="white-space:pre">%s</text>`+"\n", margin, top+lineStep*i, text)
	}
	out.WriteString("</g>\n</svg>\n")
	return out.String()
}

// readLines returns what the terminal showed.
func readLines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestPictureIsWhatTheTerminalShowed(t *testing.T) {
	lines := readLines(t)
	for i, line := range lines {
		plain := coloured.ReplaceAllString(line, "$2")
		if strings.Contains(plain, "\x1b") || utf8.RuneCountInString(plain) > columns {
			t.Errorf("line %d has another escape sequence than a colour, or more than %d characters:\n%q", i+1, columns, line)
		}
	}
	drawn := draw(lines)
	if strings.Contains(drawn, `fill=""`) {
		t.Errorf("a colour of %s is not known", recorded)
	}
	if *update {
		if err := os.WriteFile(picture, []byte(drawn), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != drawn {
		t.Errorf("%s is not what is drawn from %s: go test ./docs -update", picture, recorded)
	}
}

// Every row of the table begins its last column where the heading does, all rows
// begin at the same place, and nothing changes the width of characters.
func TestColumnsOfThePictureStandInLine(t *testing.T) {
	svg, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if lengths := regexp.MustCompile(`textLength|lengthAdjust|letter-spacing`).FindAll(svg, -1); len(lengths) > 0 {
		t.Errorf("the width of characters is changed by %q", lengths)
	}
	rows := regexp.MustCompile(`<text x="(\d+)" y="\d+"([^>]*)>(.*)</text>`).FindAllStringSubmatch(string(svg), -1)
	if all := bytes.Count(svg, []byte("<text")); len(rows) != all || all < 10 {
		t.Fatalf("%d of %d rows are understood", len(rows), all)
	}
	last := -1
	for _, row := range rows {
		if row[1] != fmt.Sprint(margin) || !strings.Contains(row[2], `xml:space="preserve"`) || !strings.Contains(row[2], "white-space:pre") {
			t.Errorf("a row begins elsewhere, or does not keep its spaces: %s", row[0])
		}
		text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(row[3], ""))
		switch {
		case strings.HasPrefix(text, "WORKLOAD "):
			last = strings.Index(text, "URL")
		case last > 0 && strings.Index(text, "http://") != last:
			t.Errorf("the last column of %q is not below URL, at %d", text, last)
		}
	}
	if last < 0 {
		t.Error("there is no table")
	}
}

// measure is put into a copy of the picture: it writes down of each row where
// its characters are, as the browser has them.
const measure = `<script>
document.documentElement.setAttribute("data-rows", JSON.stringify(Array.from(document.querySelectorAll("text"), row => ({
  text: row.textContent, chars: row.getNumberOfChars(),
  starts: Array.from({length: row.getNumberOfChars()}, (_, i) => row.getStartPositionOfChar(i).x),
  end: row.getEndPositionOfChar(row.getNumberOfChars() - 1).x,
}))));
</script></svg>`

// row is one as a browser shows it, with positions in pixels.
type row struct {
	Text   string
	Chars  int
	Starts []float64
	End    float64
}

func TestPictureInABrowser(t *testing.T) {
	rows := browse(t, browser(t))
	table := slices.IndexFunc(rows, func(r row) bool { return strings.HasPrefix(r.Text, "WORKLOAD ") })
	if table < 0 || table+2 > len(rows) {
		t.Fatalf("the browser shows no table, but %d rows", len(rows))
	}
	advance := (rows[0].End - rows[0].Starts[0]) / float64(rows[0].Chars)
	for _, r := range rows {
		if r.Chars != utf8.RuneCountInString(r.Text) {
			t.Errorf("spaces are not kept: %d characters are shown of %q", r.Chars, r.Text)
		}
		if own := (r.End - r.Starts[0]) / float64(r.Chars); own < advance*0.99 || own > advance*1.01 {
			t.Errorf("characters are %.2f wide in the first row, and %.2f in %q", advance, own, r.Text)
		}
		if end := float64(margin + columns*cell); r.Starts[0] != margin || r.End > end+1 {
			t.Errorf("it stands from %.2f to %.2f, the page from %d to %.2f: %q", r.Starts[0], r.End, margin, end, r.Text)
		}
	}
	if t.Failed() {
		return // There may be no character where one is looked for.
	}
	heading := rows[table]
	for _, column := range []string{"STATUS", "URL"} {
		at := strings.Index(heading.Text, column)
		for _, r := range rows[table+1:] {
			if diff := r.Starts[at] - heading.Starts[at]; r.Text[at-1] != ' ' || diff < -0.5 || diff > 0.5 {
				t.Errorf("column %s of %q is %.2f beside its heading", column, r.Text, diff)
			}
		}
	}
}

// browser returns a Chromium.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Skip("there is no chromium on PATH")
	return ""
}

// browse opens the picture and returns its rows as the browser has them.
func browse(t *testing.T, program string) []row {
	t.Helper()
	svg, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), picture)
	if err := os.WriteFile(page, []byte(strings.Replace(string(svg), "</svg>", measure, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+page)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &stderr)
	}
	found := regexp.MustCompile(`data-rows="([^"]*)"`).FindSubmatch(dom)
	if found == nil {
		t.Fatalf("the browser has measured nothing:\n%s\n%s", dom, &stderr)
	}
	var rows []row
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}
