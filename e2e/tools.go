//go:build tools

// Package e2e names the programs that the end-to-end tests build, so that go.mod and go.sum pin them.
package e2e

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
