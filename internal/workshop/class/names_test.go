package class

import (
	"slices"
	"strings"
	"testing"
)

func TestNumbered(t *testing.T) {
	for size, want := range map[int][]string{1: {"attendee-01"}, 2: {"attendee-01", "attendee-02"}} {
		if got, err := Numbered(size); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d: %q, error %v, want %q", size, got, err, want)
		}
	}
	most, err := Numbered(MaxSize)
	if err != nil || most[0] != "attendee-001" || most[MaxSize-1] != "attendee-200" || CheckNames(most) != nil {
		t.Errorf("%d: from %s to %s, error %v", MaxSize, most[0], most[MaxSize-1], err)
	}
	for _, size := range []int{0, -1, MaxSize + 1} {
		if _, err := Numbered(size); err == nil {
			t.Errorf("a class of %d is taken", size)
		}
	}
}

func TestReadNames(t *testing.T) {
	want := []string{"ada", "grace", "team-1"}
	for what, content := range map[string]string{
		"comments":                      "# Monday\n ada \n\ngrace # late\r\nteam-1",
		"saved by an editor of Windows": "\ufeffada\r\ngrace\r\nteam-1\r\n",
	} {
		if got, err := ReadNames(strings.NewReader(content)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, error %v, want %q", what, got, err, want)
		}
	}
}

func TestCheckNames(t *testing.T) {
	long := strings.Repeat("a", 59)
	if err := CheckNames([]string{"ada", "team-1", "1", long}); err != nil {
		t.Errorf("good names: %v", err)
	}
	for _, name := range []string{"Ada", "ada lovelace", "ada.lovelace", "-ada", "ada-", "", "../ada", "zoë", long + "a"} {
		if err := CheckNames([]string{"grace", name}); err == nil || !strings.Contains(err.Error(), "attendee \""+name) {
			t.Errorf("%q: error %v", name, err)
		}
	}
	err := CheckNames([]string{"ada", "Grace", "ada"})
	if err == nil || !strings.Contains(err.Error(), `"ada" is there twice`) || !strings.Contains(err.Error(), `"Grace"`) {
		t.Errorf("two mistakes: error %v, want both", err)
	}
	if CheckNames(nil) == nil || CheckNames(make([]string, MaxSize+1)) == nil {
		t.Error("a class of nobody, or of too many, is taken")
	}
}

func TestCheckClassName(t *testing.T) {
	for name, good := range map[string]bool{"koshop": true, "monday_2": true, "": false, "a b": false, "a,b": false, "-a": false} {
		if err := CheckClassName(name); (err == nil) != good {
			t.Errorf("%q: error %v, want good %v", name, err, good)
		}
	}
}
