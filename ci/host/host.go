// Package host says what machine this is.
package host
