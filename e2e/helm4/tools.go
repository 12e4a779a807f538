//go:build tools

// Package helm4 names the program that the end-to-end tests build, so that go.mod and go.sum pin it.
package helm4

import _ "helm.sh/helm/v4/cmd/helm"
