// Stands in for the Go module of Pulumi's AWS provider, which is too large for some module proxies: the resources that
// examples in Go use, declared as the real one declares them.
module github.com/pulumi/pulumi-aws/sdk/v7

go 1.25.11

require github.com/pulumi/pulumi/sdk/v3 v3.259.0
