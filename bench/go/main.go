// The provider that the benchmark compares with: pulumi-go-provider, with the inputs of FunctionRollout's common case.
// Check and Diff are the framework's own: decode, and compare key by key.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"
)

type FunctionRollout struct{}

func (r *FunctionRollout) Annotate(annotator infer.Annotator) {
	annotator.SetToken("index", "FunctionRollout")
}

type Strategy struct {
	Type       string  `pulumi:"type"`
	Percentage float64 `pulumi:"percentage,optional"`
	Interval   string  `pulumi:"interval,optional"`
}

type ErrorAlarm struct {
	Mode              string  `pulumi:"mode,optional"`
	Threshold         float64 `pulumi:"threshold,optional"`
	EvaluationPeriods int     `pulumi:"evaluationPeriods,optional"`
}

type Inputs struct {
	FunctionName string `pulumi:"functionName"`
	// The framework leaves an input that is called version out of its Diff.
	FunctionVersion string            `pulumi:"functionVersion"`
	AliasName       string            `pulumi:"aliasName,optional"`
	Strategy        *Strategy         `pulumi:"strategy,optional"`
	Bake            string            `pulumi:"bake,optional"`
	ErrorAlarm      *ErrorAlarm       `pulumi:"errorAlarm,optional"`
	Alarms          []string          `pulumi:"alarms,optional"`
	AutoRollback    []string          `pulumi:"autoRollback,optional"`
	Triggers        map[string]string `pulumi:"triggers,optional"`
	Description     string            `pulumi:"description,optional"`
	Tags            map[string]string `pulumi:"tags,optional"`
}

type LastRollout struct {
	Status  string `pulumi:"status"`
	Version string `pulumi:"version"`
}

type State struct {
	Inputs
	TargetArn      string       `pulumi:"targetArn"`
	InvokeArn      string       `pulumi:"invokeArn"`
	ServingVersion string       `pulumi:"servingVersion"`
	LastRollout    *LastRollout `pulumi:"lastRollout,optional"`
}

type Config struct {
	Region string `pulumi:"region,optional"`
}

// Create is never called: the benchmark measures what the process itself costs.
func (*FunctionRollout) Create(
	context.Context, infer.CreateRequest[Inputs],
) (infer.CreateResponse[State], error) {
	return infer.CreateResponse[State]{}, errors.New("the benchmark creates nothing")
}

func (*FunctionRollout) Update(
	context.Context, infer.UpdateRequest[Inputs, State],
) (infer.UpdateResponse[State], error) {
	return infer.UpdateResponse[State]{}, errors.New("the benchmark updates nothing")
}

func main() {
	built, err := infer.NewProviderBuilder().
		WithNamespace("bench").
		WithResources(infer.Resource(&FunctionRollout{})).
		WithConfig(infer.Config(&Config{})).
		Build()
	if err == nil {
		err = built.Run(context.Background(), "lambda-rollout", "0.1.0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
