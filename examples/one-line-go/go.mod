module one-line-go

go 1.25.11

require (
	github.com/lambda-rollout/pulumi-lambda-rollout/sdk-gen/go/lambdarollout v0.1.0
	github.com/pulumi/pulumi-aws/sdk/v7 v7.48.0
	github.com/pulumi/pulumi/sdk/v3 v3.259.0
)
