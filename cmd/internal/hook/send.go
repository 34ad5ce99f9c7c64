package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// attempts is how often a notice is sent before it is given up.
const attempts = 3

// CheckAddress says why an address is none for a web hook. It names no part of the
// address, which is a secret.
func CheckAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return errors.New("it is no address, such as https://HOST/PATH")
	case u.Scheme == "https", u.Scheme == "http" && local(u.Hostname()):
		return nil
	}
	return errors.New("it does not begin with https://, so that others could read what is sent")
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send posts a body of JSON to an address. It tries again where the service was busy or
// not to be reached; pause is the first wait between two attempts, and each further one
// is twice as long. It follows no redirect, reads at most 64 KiB of the answer, and its
// error holds no part of the address.
func Send(ctx context.Context, address string, body []byte, pause time.Duration) error {
	if err := CheckAddress(address); err != nil {
		return err
	}
	client := http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for attempt := 1; ; attempt++ {
		again, err := post(ctx, &client, address, body)
		if err == nil || !again || attempt == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// post sends once, and says if it may succeed later.
func post(ctx context.Context, client *http.Client, address string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("it is no address, such as https://HOST/PATH")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		var named *url.Error
		if errors.As(err, &named) { // which quotes the address
			err = named.Err
		}
		return ctx.Err() == nil, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch code := resp.StatusCode; {
	case code < 300:
		return false, nil
	case code < 400:
		return false, fmt.Errorf("it answers %d, and leads elsewhere: set the address that it leads to", code)
	case code == http.StatusTooManyRequests || code >= 500:
		return true, fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	default:
		return false, fmt.Errorf("it answers %d %s: the address may be wrong or withdrawn", code, http.StatusText(code))
	}
}
