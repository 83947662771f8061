package collation

import (
	"slices"
	"strings"
	"sync"
)

// roots are the names of the locales' collations, and UNICODE, without what may follow them, in their order.
var roots = sync.OnceValue(func() []string {
	names := []string{"UNICODE"}
	for line := range strings.Lines(locales) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "|")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
})

// Suggest lists the names that come nearest to one that is no collation's: the nearest, and up to two more that are hardly different.
func Suggest(name string) string {
	const near = 3
	names, endings := roots(), []string{"_CI", "_AI", "_CS", "_AS", "_RTRIM"}
	if strings.HasPrefix(name, "UTF8_") {
		names, endings = []string{Binary, "UTF8_LCASE"}, []string{"_RTRIM"}
	}
	upper := strings.ToUpper(name)
	root, kept := upper, []string(nil)
	for cut := true; cut; {
		cut = false
		for _, e := range endings {
			if rest, ok := strings.CutSuffix(root, e); ok {
				if root, cut = rest, true; !slices.Contains(kept, e) {
					kept = append(kept, e)
				}
				break
			}
		}
	}
	slices.Reverse(kept)
	for sensitive, not := range map[string]string{"_CS": "_CI", "_AS": "_AI"} {
		if slices.Contains(kept, sensitive) {
			kept = slices.DeleteFunc(kept, func(e string) bool { return e == not })
		}
	}
	far := map[string]int{}
	for _, n := range names {
		far[n] = Distance(strings.ToUpper(n), root)
	}
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return far[a] - far[b] })
	var list []string
	for _, n := range names[:min(near, len(names))] {
		if n += strings.Join(kept, ""); len(list) > 0 && Distance(strings.ToUpper(n), upper) >= near {
			break
		}
		list = append(list, n)
	}
	return strings.Join(list, ", ")
}

// Unqualified is the name of a collation without the schema in which all of them are; of a name in any other, ok is false.
func Unqualified(parts []string) (name string, ok bool) {
	name = parts[len(parts)-1]
	return name, len(parts) == 1 || len(parts) == 3 && strings.EqualFold(parts[0], "SYSTEM") && strings.EqualFold(parts[1], "BUILTIN")
}

// Distance is the number of single-character edits between two strings.
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, c := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j, d := range y {
			cost := diagonal
			if c != d {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(y)]
}
