//go:build tools

// Package helm3 names the program that the end-to-end tests build, so that go.mod and go.sum pin it.
package helm3

import _ "helm.sh/helm/v3/cmd/helm"
