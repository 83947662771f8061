package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"millrace/errs"
)

// bucket is a prefix of an S3 bucket.
type bucket struct {
	client *s3.Client
	name   string
	prefix string // empty or ending in a slash
}

var _ Store = (*bucket)(nil)

var s3Clients sync.Map // options of the environment -> *s3.Client

// openS3 takes everything but the place from the environment, by the names that AWS's own tools use:
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL(_S3) and AWS_S3_PATH_STYLE.
func openS3(location, rest string) (Store, error) {
	name, prefix, _ := strings.Cut(rest, "/")
	if name == "" {
		return nil, errs.Newf(errs.Invalid, "no bucket in %s", location)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &bucket{s3Client(s3Environment()), name, prefix}, nil
}

type s3Options struct {
	key, secret, token, region, endpoint string
	pathStyle                            bool
}

func s3Environment() s3Options {
	env := func(names ...string) string {
		for _, n := range names {
			if v := os.Getenv(n); v != "" {
				return v
			}
		}
		return ""
	}
	o := s3Options{key: env("AWS_ACCESS_KEY_ID"), secret: env("AWS_SECRET_ACCESS_KEY"), token: env("AWS_SESSION_TOKEN"),
		region: env("AWS_REGION", "AWS_DEFAULT_REGION"), endpoint: env("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")}
	if o.region == "" {
		o.region = "us-east-1"
	}
	o.pathStyle = o.endpoint != "" // other servers than AWS rarely have a host name per bucket
	if v, err := strconv.ParseBool(env("AWS_S3_PATH_STYLE", "AWS_S3_FORCE_PATH_STYLE")); err == nil {
		o.pathStyle = v
	}
	return o
}

func s3Client(o s3Options) *s3.Client {
	if c, ok := s3Clients.Load(o); ok {
		return c.(*s3.Client)
	}
	options := s3.Options{Region: o.region, UsePathStyle: o.pathStyle,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired}
	if o.endpoint != "" {
		options.BaseEndpoint = aws.String(o.endpoint)
	}
	options.Credentials = aws.AnonymousCredentials{}
	if o.key != "" {
		options.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: o.key, SecretAccessKey: o.secret, SessionToken: o.token}, nil
		})
	}
	c, _ := s3Clients.LoadOrStore(o, s3.New(options))
	return c.(*s3.Client)
}

func (b *bucket) URL() string { return strings.TrimSuffix("s3://"+b.name+"/"+b.prefix, "/") }

func (b *bucket) key(name string) *string { return aws.String(b.prefix + name) }

// fail gives an S3 error its kind.
func (b *bucket) fail(err error, name string) error {
	if err == nil {
		return nil
	}
	url := "s3://" + b.name + "/" + b.prefix + name
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "NoSuchKey", "NotFound":
			return notFound(url)
		case "NoSuchBucket":
			return errs.Newf(errs.NotFound, "no such bucket: %s", b.name)
		case "PreconditionFailed", "ConditionalRequestConflict":
			return exists(url)
		case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "Forbidden":
			return errs.Newf(errs.Unauthorized, "access to %s was refused: %s", url, api.ErrorCode())
		case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout":
			return errs.Newf(errs.Transient, "access %s: %v", url, err)
		}
	}
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) {
		switch code := status.HTTPStatusCode(); {
		case code == http.StatusNotFound:
			return notFound(url)
		case code == http.StatusPreconditionFailed, code == http.StatusConflict:
			return exists(url)
		case code == http.StatusForbidden, code == http.StatusUnauthorized:
			return errs.Newf(errs.Unauthorized, "access to %s was refused", url)
		case code == http.StatusInsufficientStorage:
			return errs.Newf(errs.Exhausted, "no space left for %s", url)
		case code >= 500:
			return errs.Newf(errs.Transient, "access %s: %v", url, err)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return errs.Wrap(err, "access %s", url)
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return errs.Newf(errs.Transient, "access %s: %v", url, err)
	}
	return errs.Wrap(err, "access %s", url)
}

func (b *bucket) Get(ctx context.Context, name string) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(name)})
	if err != nil {
		return nil, b.fail(err, name)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	return data, b.fail(err, name)
}

func (b *bucket) Stat(ctx context.Context, name string) (Info, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(name)})
	if err != nil {
		return Info{}, b.fail(err, name)
	}
	return Info{name, aws.ToInt64(out.ContentLength), aws.ToTime(out.LastModified)}, nil
}

func (b *bucket) Delete(ctx context.Context, name string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.key(name)})
	if err = b.fail(err, name); errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

func (b *bucket) Put(ctx context.Context, name string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: b.key(name), Body: bytes.NewReader(data)})
	return b.fail(err, name)
}

func (b *bucket) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: b.key(name), Body: bytes.NewReader(data),
		IfNoneMatch: aws.String("*")})
	return b.fail(err, name)
}

func (b *bucket) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: b.key(prefix)}
		if startAfter != "" {
			in.StartAfter = b.key(startAfter)
		}
		for pages := s3.NewListObjectsV2Paginator(b.client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Info{}, b.fail(err, prefix))
				return
			}
			for _, o := range page.Contents {
				name := strings.TrimPrefix(aws.ToString(o.Key), b.prefix)
				if strings.HasSuffix(name, "/") {
					continue // a directory's marker
				}
				if !yield(Info{name, aws.ToInt64(o.Size), aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

type s3Reader struct {
	b    *bucket
	ctx  context.Context
	name string
	info Info
}

func (b *bucket) Open(ctx context.Context, name string) (Reader, error) {
	info, err := b.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	return &s3Reader{b, ctx, name, info}, nil
}

func (r *s3Reader) Size() int64         { return r.info.Size }
func (r *s3Reader) Modified() time.Time { return r.info.Modified }
func (r *s3Reader) Close() error        { return nil }

func (r *s3Reader) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.info.Size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), r.info.Size-off)
	if want == 0 {
		return 0, nil
	}
	span := "bytes=" + strconv.FormatInt(off, 10) + "-" + strconv.FormatInt(off+want-1, 10)
	out, err := r.b.client.GetObject(r.ctx, &s3.GetObjectInput{Bucket: &r.b.name, Key: r.b.key(r.name), Range: &span})
	if err != nil {
		return 0, r.b.fail(err, r.name)
	}
	defer out.Body.Close()
	n, err := io.ReadFull(out.Body, p[:want])
	if err != nil {
		return n, r.b.fail(err, r.name)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

const partSize = 8 << 20 // S3's least is 5 MiB

// s3Writer gathers parts; a file of less than one part is put in one request.
type s3Writer struct {
	b      *bucket
	ctx    context.Context
	name   string
	buf    []byte
	upload *string
	parts  []types.CompletedPart
	done   bool
}

func (b *bucket) Create(ctx context.Context, name string) (Writer, error) {
	return &s3Writer{b: b, ctx: ctx, name: name}, nil
}

func (w *s3Writer) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	for len(w.buf) >= partSize {
		if err := w.flush(w.buf[:partSize]); err != nil {
			return 0, err
		}
		w.buf = append(w.buf[:0], w.buf[partSize:]...)
	}
	return len(p), nil
}

func (w *s3Writer) flush(part []byte) error {
	if w.upload == nil {
		out, err := w.b.client.CreateMultipartUpload(w.ctx, &s3.CreateMultipartUploadInput{Bucket: &w.b.name, Key: w.b.key(w.name)})
		if err != nil {
			return w.b.fail(err, w.name)
		}
		w.upload = out.UploadId
	}
	number := aws.Int32(int32(len(w.parts) + 1))
	out, err := w.b.client.UploadPart(w.ctx, &s3.UploadPartInput{Bucket: &w.b.name, Key: w.b.key(w.name),
		UploadId: w.upload, PartNumber: number, Body: bytes.NewReader(part)})
	if err != nil {
		return w.b.fail(err, w.name)
	}
	w.parts = append(w.parts, types.CompletedPart{ETag: out.ETag, PartNumber: number})
	return nil
}

func (w *s3Writer) Close() error {
	if w.done {
		return nil
	}
	if w.upload == nil {
		err := w.b.Put(w.ctx, w.name, w.buf)
		w.done = err == nil
		return err
	}
	if len(w.buf) > 0 {
		if err := w.flush(w.buf); err != nil {
			return err
		}
	}
	_, err := w.b.client.CompleteMultipartUpload(w.ctx, &s3.CompleteMultipartUploadInput{Bucket: &w.b.name,
		Key: w.b.key(w.name), UploadId: w.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts}})
	w.done = err == nil
	return w.b.fail(err, w.name)
}

func (w *s3Writer) Abort() error {
	if w.done {
		return nil
	}
	w.done, w.buf = true, nil
	if w.upload == nil {
		return nil
	}
	// The caller's context is often the reason for the abort.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 30*time.Second)
	defer cancel()
	_, err := w.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &w.b.name, Key: w.b.key(w.name), UploadId: w.upload})
	return w.b.fail(err, w.name)
}
