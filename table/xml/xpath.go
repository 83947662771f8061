package xml

import (
	"fmt"

	"github.com/antchfx/xpath"
)

// Path is a compiled XPath expression.
type Path struct{ expr *xpath.Expr }

// ParsePath compiles an XPath 1.0 expression.
func ParsePath(text string) (p *Path, err error) {
	defer func() {
		if r := recover(); r != nil { // the library panics on some texts
			p, err = nil, fmt.Errorf("%v", r)
		}
	}()
	e, err := xpath.Compile(text)
	if err != nil {
		return nil, err
	}
	return &Path{e}, nil
}

// Value is what the expression gives for a document: a boolean, a number, a string, or the nodes that it finds.
func (p *Path) Value(document []byte) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("%v", r)
		}
	}()
	doc, err := parse(document)
	if err != nil {
		return nil, err
	}
	v = p.expr.Evaluate(&navigator{at: doc, attribute: -1})
	it, ok := v.(*xpath.NodeIterator)
	if !ok {
		return v, nil
	}
	var nodes []Node
	for it.MoveNext() {
		n := it.Current().(*navigator)
		nodes = append(nodes, Node{Text: n.Value(), Element: n.attribute < 0 && (n.at.kind == element || n.at.kind == root)})
	}
	return nodes, nil
}

// Node is one that an expression found.
type Node struct {
	Text    string
	Element bool // which has no value of its own, only a text inside
}

// navigator is a place in a document: a node, or one of its attributes.
type navigator struct {
	at        *node
	attribute int // -1: none
}

var _ xpath.NodeNavigator = (*navigator)(nil)

func (n *navigator) NodeType() xpath.NodeType {
	switch {
	case n.attribute >= 0:
		return xpath.AttributeNode
	case n.at.kind == root:
		return xpath.RootNode
	case n.at.kind == text:
		return xpath.TextNode
	case n.at.kind == comment:
		return xpath.CommentNode
	}
	return xpath.ElementNode
}

func (n *navigator) LocalName() string {
	if n.attribute >= 0 {
		return n.at.attributes[n.attribute].name
	}
	return n.at.name
}

func (n *navigator) Prefix() string {
	if n.attribute >= 0 {
		return n.at.attributes[n.attribute].prefix
	}
	return n.at.prefix
}

func (n *navigator) Value() string {
	if n.attribute >= 0 {
		return n.at.attributes[n.attribute].value
	}
	return n.at.content()
}

func (n *navigator) Copy() xpath.NodeNavigator {
	c := *n
	return &c
}

func (n *navigator) MoveToRoot() {
	n.attribute = -1
	for n.at.parent != nil {
		n.at = n.at.parent
	}
}

func (n *navigator) MoveToParent() bool {
	if n.attribute >= 0 {
		n.attribute = -1
		return true
	}
	return n.move(n.at.parent)
}

func (n *navigator) MoveToNextAttribute() bool {
	if n.attribute+1 >= len(n.at.attributes) {
		return false
	}
	n.attribute++
	return true
}

func (n *navigator) MoveToChild() bool {
	if n.attribute >= 0 || len(n.at.children) == 0 {
		return false
	}
	return n.move(n.at.children[0])
}

func (n *navigator) MoveToFirst() bool {
	if n.attribute >= 0 || n.at.parent == nil || n.at.place == 0 {
		return false
	}
	return n.move(n.at.parent.children[0])
}

func (n *navigator) MoveToNext() bool { return n.sibling(1) }

func (n *navigator) MoveToPrevious() bool { return n.sibling(-1) }

func (n *navigator) sibling(step int) bool {
	if n.attribute >= 0 || n.at.parent == nil {
		return false
	}
	if i := n.at.place + step; i >= 0 && i < len(n.at.parent.children) {
		return n.move(n.at.parent.children[i])
	}
	return false
}

func (n *navigator) MoveTo(o xpath.NodeNavigator) bool {
	other, ok := o.(*navigator)
	if ok {
		*n = *other
	}
	return ok
}

func (n *navigator) move(to *node) bool {
	if to == nil {
		return false
	}
	n.at, n.attribute = to, -1
	return true
}
