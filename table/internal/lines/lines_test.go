package lines

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestPartsCoverTheFile cuts random texts at random places: the parts' lines together are the file's.
func TestPartsCoverTheFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab\n\r\n"))).Draw(t, "text")
		var sep []byte
		if rapid.Bool().Draw(t, "custom") {
			sep = []byte("ab")
		}
		want := read(t, Source{File: strings.NewReader(text), Size: int64(len(text))}, sep)
		var got []string
		at := int64(0)
		for at < int64(len(text)) {
			n := rapid.Int64Range(1, int64(len(text))-at).Draw(t, "part")
			got = append(got, read(t, Source{File: strings.NewReader(text), Size: int64(len(text)), Start: at, Length: n}, sep)...)
			at += n
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("%q: got %q, want %q", text, got, want)
		}
	})
}

func read(t *rapid.T, s Source, sep []byte) []string {
	r, err := NewReader(s, sep)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all []string
	for {
		b, err := r.Block()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return all
		}
		for len(b) > 0 {
			line, n := r.Line(b)
			all = append(all, string(bytes.Clone(line)))
			b = b[n:]
		}
	}
}
