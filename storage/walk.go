package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"millrace/errs"
)

// Walker is a Store that lists its files in no order, several directories at once, and holds a few names at a time however many there are.
type Walker interface {
	// Walk calls visit with every file, from several goroutines at once. A directory for which skip is true may be left out; its name has no slash at the end.
	Walk(ctx context.Context, skip func(dir string) bool, visit func(Info) error) error
}

var (
	_ Walker = (*local)(nil)
	_ Walker = (*bucket)(nil)
)

const (
	walkers  = 16  // directories that are listed at once
	walkStep = 512 // entries of a directory that are held at once
)

// Walk visits all files of a store, in no order and from several goroutines at once where it can.
func Walk(ctx context.Context, s Store, skip func(dir string) bool, visit func(Info) error) error {
	if w, ok := s.(Walker); ok {
		return w.Walk(ctx, skip, visit)
	}
	for info, err := range s.List(ctx, "", "") {
		if err == nil {
			err = visit(info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *local) Walk(ctx context.Context, skip func(string) bool, visit func(Info) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(walkers)
	var walk func(dir string) error
	walk = func(dir string) error {
		d, err := os.Open(s.path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted since it was seen
		}
		if err != nil {
			return localError(err, s.path(dir))
		}
		defer d.Close()
		for ctx.Err() == nil {
			entries, err := d.ReadDir(walkStep)
			for _, e := range entries {
				name := dir + e.Name()
				if s.isDir(dir, e) {
					below := func() error { return walk(name + "/") }
					if skip(name) || g.TryGo(below) {
						continue
					}
					err = below()
				} else if !strings.HasSuffix(name, tempSuffix) || e.Name()[0] != '.' {
					err = s.visitEntry(ctx, name, visit)
				}
				if err != nil && !errors.Is(err, io.EOF) {
					return err
				}
			}
			if errors.Is(err, io.EOF) || err == nil && len(entries) == 0 {
				return nil
			}
			if err != nil {
				return localError(err, s.path(dir))
			}
		}
		return ctx.Err()
	}
	g.Go(func() error { return walk("") })
	return g.Wait()
}

func (s *local) visitEntry(ctx context.Context, name string, visit func(Info) error) error {
	info, err := s.Stat(ctx, name)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return visit(info)
}

// Walk lists the directories below the root at the same time, each in one go.
func (b *bucket) Walk(ctx context.Context, skip func(string) bool, visit func(Info) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(walkers)
	below := func(dir string) error {
		for info, err := range b.List(ctx, dir, "") {
			if err == nil {
				err = visit(info)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: b.key(""), Delimiter: aws.String("/")})
	for pages.HasMorePages() && ctx.Err() == nil {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return errors.Join(b.fail(err, ""), g.Wait())
		}
		for _, o := range page.Contents {
			if name := strings.TrimPrefix(aws.ToString(o.Key), b.prefix); !strings.HasSuffix(name, "/") && name != "" {
				if err := visit(Info{name, aws.ToInt64(o.Size), aws.ToTime(o.LastModified)}); err != nil {
					return errors.Join(err, g.Wait())
				}
			}
		}
		for _, p := range page.CommonPrefixes {
			dir := strings.TrimPrefix(aws.ToString(p.Prefix), b.prefix)
			if !skip(strings.TrimSuffix(dir, "/")) {
				g.Go(func() error { return below(dir) })
			}
		}
	}
	return g.Wait()
}
