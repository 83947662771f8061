package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

// kind is what a node of a document is.
type kind uint8

const (
	root kind = iota
	element
	text
	comment
)

// attribute is one of an element's.
type attribute struct{ prefix, name, value string }

// node is a part of a document.
type node struct {
	kind         kind
	prefix, name string
	text         string // of a text or comment
	attributes   []attribute
	children     []*node
	parent       *node
	place        int // among the parent's children
}

var errDocument = errors.New("malformed XML")

// maxDepth bounds how deeply elements may nest.
const maxDepth = 1000

// parse reads a document. CDATA is text.
func parse(data []byte) (*node, error) { return parsed(data, false) }

// firstElement reads a document's first element and nothing behind it, as Spark reads values.
func firstElement(data []byte) (*node, error) { return parsed(data, true) }

func parsed(data []byte, one bool) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // the text is UTF-8 already, whatever it says
	top := &node{kind: root}
	at, depth := top, 0
	var open []xml.Name
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errDocument
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth || at == top && hasElement(top) {
				return nil, errDocument
			}
			n := &node{kind: element, prefix: t.Name.Space, name: t.Name.Local}
			for _, a := range t.Attr {
				n.attributes = append(n.attributes, attribute{a.Name.Space, a.Name.Local, a.Value})
			}
			at.add(n)
			at, open = n, append(open, t.Name)
		case xml.EndElement:
			if depth--; depth < 0 || open[depth] != t.Name {
				return nil, errDocument
			}
			if at, open = at.parent, open[:depth]; one && depth == 0 {
				return top, nil
			}
		case xml.CharData:
			if at == top {
				if len(bytes.TrimSpace(t)) > 0 {
					return nil, errDocument
				}
				continue
			}
			at.addText(string(t))
		case xml.Comment:
			at.add(&node{kind: comment, text: string(t)})
		}
	}
	if depth != 0 || !hasElement(top) {
		return nil, errDocument
	}
	return top, nil
}

func hasElement(n *node) bool {
	for _, c := range n.children {
		if c.kind == element {
			return true
		}
	}
	return false
}

func (n *node) add(c *node) {
	c.parent, c.place = n, len(n.children)
	n.children = append(n.children, c)
}

// addText adds a piece of text, which belongs to the one before it if there is one.
func (n *node) addText(s string) {
	if k := len(n.children); k > 0 && n.children[k-1].kind == text {
		n.children[k-1].text += s
		return
	}
	n.add(&node{kind: text, text: s})
}

// top is a document's outermost element.
func (n *node) top() *node {
	for _, c := range n.children {
		if c.kind == element {
			return c
		}
	}
	return nil
}

// content is all text inside of a node.
func (n *node) content() string {
	if n.kind == text || n.kind == comment {
		return n.text
	}
	s := ""
	for _, c := range n.children {
		if c.kind != comment {
			s += c.content()
		}
	}
	return s
}

// qualified is a name with its prefix.
func qualified(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + ":" + name
}
