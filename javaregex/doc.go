// Package javaregex runs Java's regular expressions on bytes. A pattern without special characters is searched for as text;
// one that Go's engine understands is run by it, in linear time; anything else (look-around, back references, possessive
// quantifiers) by a backtracking engine with a time limit.
//
//	re, err := javaregex.Compile(`(\d+) months?`)
//	out := re.Replace(nil, []byte("36 months"), template)
//
// A Regexp belongs to one goroutine. The package knows nothing of SQL.
package javaregex
