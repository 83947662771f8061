package e2e

import "testing"

// TestInterrupt interrupts a running query from the client: its tasks end and the cluster goes on.
func TestInterrupt(t *testing.T) {
	c := up(t)
	t.Log(python(t, client, "cancel.py", c.Remote, c.UI))
}

// TestBadInput makes the mistakes that users make.
func TestBadInput(t *testing.T) {
	c := up(t)
	t.Log(tail(python(t, client, "badinput.py", c.Remote, t.TempDir())))
}

// TestArticle runs statements as the owner's article spells them.
func TestArticle(t *testing.T) {
	c := up(t)
	t.Log(tail(python(t, client, "article.py", c.Remote, t.TempDir())))
}
