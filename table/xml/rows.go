package xml

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// rowScanner finds the elements of a document that are rows: those of the row tag, wherever they are, but not those inside of a row.
type rowScanner struct {
	o     *Options
	in    *counted
	dec   *xml.Decoder
	base  int64 // where the decoder began
	open  []xml.Name
	at    *node // the row's element that is open; nil outside of rows
	inRow int   // how many elements were open when the row began
	bad   bool  // the row has what is no XML, after which its elements can still be told
	roots int
	done  bool
}

// counted knows how much was read.
type counted struct {
	*bufio.Reader
	n int64
}

func (c *counted) ReadByte() (byte, error) {
	b, err := c.Reader.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func newRowScanner(in io.Reader, o *Options) *rowScanner {
	s := &rowScanner{o: o, in: &counted{Reader: bufio.NewReaderSize(in, 64<<10)}}
	s.begin()
	return s
}

func (s *rowScanner) begin() {
	s.base = s.in.n
	s.dec = xml.NewDecoder(s.in)
	s.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // the text is UTF-8 already
}

// next returns the next row's element, or nil at the end. After errDocument there may be more rows, unless the rest cannot be told apart.
func (s *rowScanner) next() (*node, error) {
	for !s.done {
		t, err := s.dec.RawToken()
		if errors.Is(err, io.EOF) {
			s.done = true
			if len(s.open) > 0 {
				return nil, errDocument
			}
			return nil, nil
		}
		if err != nil {
			var syntax *xml.SyntaxError
			if !errors.As(err, &syntax) {
				return nil, err
			}
			if !s.pass(syntax) {
				return nil, errDocument
			}
			continue
		}
		row, err := s.token(t)
		if err != nil {
			s.done = true
			return nil, err
		}
		if row != nil {
			if s.bad {
				s.bad = false
				return nil, errDocument
			}
			return row, nil
		}
	}
	return nil, nil
}

// pass goes on behind an ampersand that begins no entity, after which rows can still be told apart; of nothing else.
func (s *rowScanner) pass(e *xml.SyntaxError) bool {
	if s.at == nil || !strings.HasPrefix(e.Msg, "invalid character entity") {
		s.done = true
		return false
	}
	if ahead := s.in.n - s.base - s.dec.InputOffset(); ahead == 1 {
		_ = s.in.UnreadByte() // it was just read
		s.in.n--
	}
	if s.done = s.in.n <= s.base; s.done { // nothing was passed
		return false
	}
	s.bad = true
	s.begin()
	return true
}

// token takes a part of the document and returns the row that it ends.
func (s *rowScanner) token(t xml.Token) (*node, error) {
	switch t := t.(type) {
	case xml.StartElement:
		if len(s.open) == 0 {
			s.roots++
		}
		if s.roots > 1 || len(s.open) >= maxDepth {
			return nil, errDocument
		}
		s.open = append(s.open, t.Name)
		if s.at == nil && s.o.name(t.Name.Space, t.Name.Local) != s.o.RowTag {
			return nil, nil
		}
		n := &node{kind: element, prefix: t.Name.Space, name: t.Name.Local}
		for _, a := range t.Attr {
			n.attributes = append(n.attributes, attribute{a.Name.Space, a.Name.Local, a.Value})
		}
		if s.at == nil {
			s.inRow = len(s.open)
		} else {
			s.at.add(n)
		}
		s.at = n
	case xml.EndElement:
		last := len(s.open) - 1
		if last < 0 || s.open[last] != t.Name {
			return nil, errDocument
		}
		s.open = s.open[:last]
		if s.at == nil {
			return nil, nil
		}
		if last+1 == s.inRow {
			row := s.at
			s.at = nil
			return row, nil
		}
		s.at = s.at.parent
	case xml.CharData:
		if len(s.open) == 0 && len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\xef\xbb\xbf")))) > 0 {
			return nil, errDocument
		}
		if s.at != nil {
			s.at.addText(string(t))
		}
	case xml.Comment:
		if s.at != nil {
			s.at.add(&node{kind: comment, text: string(t)})
		}
	}
	return nil, nil
}

// first reads a text's first element; what follows it does not count.
func first(data []byte) (*node, error) {
	d := &rowScanner{o: &Options{}, in: &counted{Reader: bufio.NewReader(bytes.NewReader(data))}}
	d.begin()
	for {
		t, err := d.dec.RawToken()
		if err != nil {
			return nil, errDocument
		}
		if e, ok := t.(xml.StartElement); ok && d.at == nil {
			d.o.RowTag = qualified(e.Name.Space, e.Name.Local)
		}
		if row, err := d.token(t); row != nil || err != nil {
			return row, err
		}
	}
}
