package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// An s3Store is a bucket of AWS S3 or of anything that speaks its protocol.
// Objects are written on condition that the key is free (If-None-Match: *), so
// that nothing is ever overwritten, whoever else is writing.
//
// Credentials come from where the AWS tools look: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY, ~/.aws/credentials, a role of the machine. Another
// server than Amazon's is named by AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, or
// in the reference: s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION.
type s3Store struct {
	bucket, prefix string // prefix is "" or ends with a slash
	ref            string
	calls          s3Calls
	opts           Options
}

// s3Calls are the calls of a minio.Client that a store makes. They are functions
// and not the client, because the linker keeps all methods of a type that an
// interface leads to: those that nobody calls would be a megabyte of the program.
type s3Calls struct {
	put    func(ctx context.Context, bucket, key string, data io.Reader, size int64, how minio.PutObjectOptions) (minio.UploadInfo, error)
	stat   func(ctx context.Context, bucket, key string, how minio.StatObjectOptions) (minio.ObjectInfo, error)
	list   func(ctx context.Context, bucket string, how minio.ListObjectsOptions) iter.Seq[minio.ObjectInfo]
	get    func(ctx context.Context, bucket, key string, how minio.GetObjectOptions) (io.ReadCloser, error)
	remove func(ctx context.Context, bucket, key string, how minio.RemoveObjectOptions) error
}

func openS3(rest string, o Options) (Store, error) {
	ref := "s3://" + rest
	u, err := url.Parse(ref)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("store: want s3://BUCKET/PREFIX without credentials, which the environment gives")
	}
	query := u.Query()
	for name := range query {
		if name != "endpoint" && name != "region" {
			return nil, fmt.Errorf("store %q: unknown setting %q; there are endpoint and region", "s3://"+short(u.Host), name)
		}
	}
	s := &s3Store{bucket: u.Host, ref: ref, opts: o}
	if p := strings.Trim(u.Path, "/"); p != "" {
		s.prefix = p + "/"
	}
	endpoint := first(query.Get("endpoint"), o.Getenv("AWS_ENDPOINT_URL_S3"), o.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" || at.User != nil || at.Scheme != "https" && at.Scheme != "http" {
		return nil, fmt.Errorf("store %q: endpoint: want https://HOST without credentials", "s3://"+short(u.Host))
	}
	client, err := minio.New(at.Host, &minio.Options{
		Creds:      s3Credentials(o.Getenv),
		Secure:     at.Scheme == "https",
		Region:     first(query.Get("region"), o.Getenv("AWS_REGION"), o.Getenv("AWS_DEFAULT_REGION"), regionOf(at.Host)),
		Transport:  o.Transport,
		MaxRetries: o.Retries,
	})
	if err != nil {
		return nil, fmt.Errorf("store %q: %w", "s3://"+short(u.Host), err)
	}
	s.calls = s3Calls{client.PutObject, client.StatObject, client.ListObjectsIter, func(ctx context.Context, bucket, key string, how minio.GetObjectOptions) (io.ReadCloser, error) {
		return client.GetObject(ctx, bucket, key, how)
	}, client.RemoveObject}
	return s, nil
}

func s3Credentials(getenv func(string) string) *credentials.Credentials {
	if id := getenv("AWS_ACCESS_KEY_ID"); id != "" {
		return credentials.NewStaticV4(id, getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"))
	}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.FileAWSCredentials{}, &credentials.IAM{}})
}

// regionOf spares servers that are not Amazon's the question for the region,
// which some of them do not answer.
func regionOf(host string) string {
	if strings.HasSuffix(host, "amazonaws.com") {
		return ""
	}
	return "us-east-1"
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (s *s3Store) String() string { return s.ref }

func (s *s3Store) Put(ctx context.Context, key string, data []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	// A server that does not know the condition ignores it. Asking first leaves
	// such a server only writers that meet within the same moment.
	_, err := s.stat(ctx, key)
	if err == nil {
		return fmt.Errorf("%s: %s %w", s, key, ErrExists)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	for range 3 {
		err = s.create(ctx, key, data)
		if !errors.Is(err, errTaken) {
			return err
		}
		// Also the answer to a second try after the first one's was lost: then
		// what is there is ours.
		there, err := s.Get(ctx, key)
		switch {
		case err == nil && bytes.Equal(there, data):
			return nil
		case !errors.Is(err, ErrNotFound):
			return fmt.Errorf("%s: %s %w", s, key, ErrExists)
		}
		// Someone was writing it, and failed: the key is free again.
	}
	return fmt.Errorf("%s: put %s: %w, and then is not there; try again", s, key, errTaken)
}

var errTaken = errors.New("the server says the key is taken")

// create writes an object where there is none.
func (s *s3Store) create(ctx context.Context, key string, data []byte) error {
	timed, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	how := minio.PutObjectOptions{ContentType: "application/json", DisableMultipart: true}
	how.SetMatchETagExcept("*")
	_, err := s.calls.put(timed, s.bucket, s.prefix+key, bytes.NewReader(data), int64(len(data)), how)
	if err == nil {
		return nil
	}
	if code := minio.ToErrorResponse(err).StatusCode; code == http.StatusPreconditionFailed || code == http.StatusConflict {
		return errTaken
	}
	return s.fault(ctx, timed, "put "+key, err)
}

func (s *s3Store) stat(ctx context.Context, key string) (minio.ObjectInfo, error) {
	timed, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	info, err := s.calls.stat(timed, s.bucket, s.prefix+key, minio.StatObjectOptions{})
	if err != nil {
		return info, s.fault(ctx, timed, key, err)
	}
	return info, nil
}

func (s *s3Store) List(ctx context.Context, prefix string) ([]Object, error) {
	timed, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	var objects []Object
	for info := range s.calls.list(timed, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
		if info.Err != nil {
			return nil, s.fault(ctx, timed, "list", info.Err)
		}
		if key := strings.TrimPrefix(info.Key, s.prefix); !strings.HasSuffix(key, "/") { // a folder that a browser made
			objects = append(objects, Object{Key: key, Size: info.Size, Version: info.ETag})
		}
	}
	sortObjects(objects)
	return objects, nil
}

func (s *s3Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	timed, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	object, err := s.calls.get(timed, s.bucket, s.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.fault(ctx, timed, key, err)
	}
	defer object.Close()
	data, err := readBounded(object)
	if err != nil {
		return nil, s.fault(ctx, timed, key, err)
	}
	return data, nil
}

func (s *s3Store) Remove(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
		timed, cancel := context.WithTimeout(ctx, s.opts.Timeout)
		err := s.calls.remove(timed, s.bucket, s.prefix+key, minio.RemoveObjectOptions{})
		if err != nil {
			err = s.fault(ctx, timed, "remove "+key, err)
		}
		cancel()
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// fault says what went wrong with what, and what to do about it.
func (s *s3Store) fault(ctx, timed context.Context, what string, err error) error {
	answer := minio.ToErrorResponse(err)
	hint := ""
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case timed.Err() != nil:
		return fmt.Errorf("%s: %s: no answer within %v: %w", s, what, s.opts.Timeout, timed.Err())
	case answer.Code == minio.NoSuchBucket:
		hint = fmt.Sprintf("; make the bucket %s first", s.bucket)
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %s: %w", s, what, ErrNotFound)
	case answer.StatusCode == http.StatusForbidden:
		hint = "; see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do"
	case answer.StatusCode == http.StatusServiceUnavailable || answer.StatusCode == http.StatusTooManyRequests:
		hint = "; the server is busy, try again later"
	}
	said := proc.OneLine(err.Error(), 600)
	if answer.StatusCode != 0 {
		said = fmt.Sprintf("HTTP %d %s: %s", answer.StatusCode, proc.OneLine(answer.Code, 600), said)
	}
	return fmt.Errorf("%s: %s: %w%s", s, what, &s3Error{said, err}, hint)
}

// An s3Error is an error of the client with its text made safe to print.
type s3Error struct {
	said  string
	cause error
}

func (e *s3Error) Error() string { return e.said }
func (e *s3Error) Unwrap() error { return e.cause }
