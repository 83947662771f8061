// Package text reads and writes plain text: a row a line, in one column of strings.
package text
