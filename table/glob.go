package table

import (
	"path"
	"strings"

	"millrace/errs"
)

// matchGlob matches one name against Hadoop's patterns: *, ?, [a-z], [^a-z], {a,b} and \c.
func matchGlob(pattern, name string) (bool, error) {
	for _, p := range expandBraces(pattern) {
		ok, err := path.Match(strings.ReplaceAll(p, "[!", "[^"), name)
		if err != nil {
			return false, errs.Newf(errs.Invalid, "Illegal file pattern: %s", pattern)
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

// maxAlternatives bounds what nested braces may expand to.
const maxAlternatives = 1000

// expandBraces lists the patterns that alternatives in braces stand for.
func expandBraces(p string) []string {
	open := strings.IndexByte(p, '{')
	if open < 0 {
		return []string{p}
	}
	depth, start := 0, open+1
	var choices []string
	for i := open; i < len(p); i++ {
		switch p[i] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				choices = append(choices, p[start:i])
				start = i + 1
			}
		case '}':
			if depth--; depth > 0 {
				continue
			}
			choices = append(choices, p[start:i])
			var all []string
			for _, c := range choices {
				all = append(all, expandBraces(p[:open]+c+p[i+1:])...)
				if len(all) > maxAlternatives {
					return all[:maxAlternatives]
				}
			}
			return all
		}
	}
	return []string{p} // not closed: a brace is a character
}
